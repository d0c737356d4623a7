package tray

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"berth/app"
	"berth/ui/model"
)

// privateBus starts a bus of its own and makes it this process's session bus.
func privateBus(t *testing.T) *dbus.Conn {
	t.Helper()
	cmd := exec.Command("dbus-daemon", "--session", "--nofork", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("this test needs dbus-daemon (apt install dbus): %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
	conn, err := dbus.ConnectSessionBus()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// watcher is the panel's side: who registers comes out of items.
type watcher struct{ items chan string }

// RegisterStatusNotifierItem is called by the item over the bus.
func (w *watcher) RegisterStatusNotifierItem(sender dbus.Sender, _ string) *dbus.Error {
	w.items <- string(sender)
	return nil
}

func (w *watcher) export(t *testing.T, conn *dbus.Conn) {
	t.Helper()
	if err := conn.Export(w, watcherPath, watcherName); err != nil {
		t.Fatal(err)
	}
	_, err := prop.Export(conn, watcherPath, prop.Map{watcherName: {
		"IsStatusNotifierHostRegistered": {Value: true, Emit: prop.EmitTrue},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName(watcherName, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
}

// menuItem is a line of the menu as a panel reads it.
type menuItem struct {
	id      int32
	label   string
	enabled bool
}

type layout struct {
	ID       int32
	Props    map[string]dbus.Variant
	Children []dbus.Variant
}

func readMenu(t *testing.T, o dbus.BusObject) []menuItem {
	t.Helper()
	var revision uint32
	var root layout
	if err := o.Call("com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root); err != nil {
		t.Fatal(err)
	}
	var out []menuItem
	for _, c := range root.Children {
		var l layout
		if err := dbus.Store([]any{c.Value()}, &l); err != nil {
			t.Fatal(err)
		}
		label, _ := l.Props["label"].Value().(string)
		enabled, _ := l.Props["enabled"].Value().(bool)
		out = append(out, menuItem{l.ID, label, enabled})
	}
	return out
}

// clicker is a model whose clicks come out of a channel.
type clicker struct {
	model.Signal
	state  model.TrayState
	clicks chan string
}

func (c *clicker) State() model.TrayState { return c.state }
func (c *clicker) Click(id string)        { c.clicks <- id }

// The one test that runs the real tray: systray is one global per process.
func TestAPanelSeesTheIconReadsTheMenuAndClicks(t *testing.T) {
	conn := privateBus(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	hosts := make(chan bool, 4)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		WatchHost(ctx, func(present bool) { hosts <- present })
	}()
	w := &watcher{items: make(chan string, 4)}
	w.export(t, conn)
	m := &clicker{clicks: make(chan string, 4), state: model.TrayState{
		Icon: app.StateRunning, Tooltip: "Berth: running on localhost:5000",
		Lines: []model.TrayLine{{Text: "Running on localhost:5000"}, {}, {ID: "push:x", Text: "my_app:1"}, {ID: "quit", Text: "Quit Berth"}},
	}}
	start, stop := Beside(m)
	start()
	item := receive(ctx, t, w.items, "the item did not register")
	if !receive(ctx, t, hosts, "the host was not found") {
		t.Error("a desktop with a host counts as one without")
	}
	menu := readMenu(t, conn.Object(item, "/StatusNotifierItem/menu"))
	want := []menuItem{{label: "Running on localhost:5000"}, {}, {label: "my__app:1", enabled: true}, {label: "Quit Berth", enabled: true}}
	if len(menu) != len(want) {
		t.Fatalf("menu %+v", menu)
	}
	for i := range want {
		want[i].id = menu[i].id
		if menu[i] != want[i] {
			t.Errorf("line %d is %+v, want %+v", i, menu[i], want[i])
		}
	}
	checkItem(t, conn.Object(item, "/StatusNotifierItem"))
	err := conn.Object(item, "/StatusNotifierItem/menu").Call("com.canonical.dbusmenu.Event", 0, menu[2].id, "clicked", dbus.MakeVariant(0), uint32(0)).Err
	if err != nil {
		t.Fatal(err)
	}
	if id := receive(ctx, t, m.clicks, "the click did not arrive"); id != "push:x" {
		t.Errorf("clicked %q", id)
	}
	if _, err := conn.ReleaseName(watcherName); err != nil {
		t.Fatal(err)
	}
	if receive(ctx, t, hosts, "the end of the host was not noticed") {
		t.Error("a host that left counts as there")
	}
	stop()
	cancel()
	<-watched
}

func checkItem(t *testing.T, o dbus.BusObject) {
	t.Helper()
	for name, want := range map[string]string{"Id": "berth", "Title": "berth"} {
		v, err := o.GetProperty("org.kde.StatusNotifierItem." + name)
		if err != nil || v.Value() != want {
			t.Errorf("%s is %v, %v; want %s", name, v, err, want)
		}
	}
	v, err := o.GetProperty("org.kde.StatusNotifierItem.ToolTip")
	if err != nil || !strings.Contains(v.String(), "Berth: running on localhost:5000") {
		t.Errorf("tooltip is %v, %v", v, err)
	}
	v, err = o.GetProperty("org.kde.StatusNotifierItem.IconPixmap")
	if err != nil || len(v.String()) < 1000 {
		t.Errorf("the icon is %d bytes, %v", len(v.String()), err)
	}
}

func receive[T any](ctx context.Context, t *testing.T, c <-chan T, why string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-ctx.Done():
		t.Fatal(why)
		panic("unreachable")
	}
}

func TestAQuestionThatWasCutOffIsNoAnswer(t *testing.T) {
	privateBus(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	WatchHost(ctx, func(present bool) { t.Errorf("said %v", present) })
}
