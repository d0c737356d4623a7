//go:build ci

package ui

import (
	"bufio"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"berth/ui/model"
)

// notifications is the desktop's side.
type notifications struct{ got chan []any }

// Notify is called over the bus.
func (n *notifications) Notify(name string, _ uint32, icon, title, body string, _ []string, hints map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	n.got <- []any{name, icon, title, body, hints["urgency"].Value()}
	return 1, nil
}

func TestANotificationReachesTheDesktopAsText(t *testing.T) {
	cmd := exec.Command("dbus-daemon", "--session", "--nofork", "--print-address")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("this test needs dbus-daemon (apt install dbus): %v", err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
	desktop, err := dbus.ConnectSessionBus()
	if err != nil {
		t.Fatal(err)
	}
	defer desktop.Close()
	n := &notifications{got: make(chan []any, 1)}
	if err := desktop.Export(n, "/org/freedesktop/Notifications", "org.freedesktop.Notifications"); err != nil {
		t.Fatal(err)
	}
	if _, err := desktop.RequestName("org.freedesktop.Notifications", dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	var bell notifier
	defer bell.close()
	if err := bell.notify(model.Notification{Title: "Pushed a:1", Text: "docker pull <x> & more", Failed: true}); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-n.got:
		want := []any{"Berth", "berth", "Pushed a:1", "docker pull &lt;x&gt; &amp; more", byte(2)}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("part %d is %v, want %v", i, got[i], want[i])
			}
		}
	case <-time.After(5 * time.Second):
		t.Fatal("no notification came")
	}
}
