//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// desktop is a display of the tests: Xvfb with a window manager, a D-Bus of
// its own, and a panel that hosts tray icons.
type desktop struct {
	env  []string
	dir  string
	size string
}

// newDesktop starts one and ends it with the test. Its panel stands at the top.
func newDesktop(t testing.TB, size string) *desktop {
	t.Helper()
	d := &desktop{dir: t.TempDir(), size: size}
	run := filepath.Join(d.dir, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	display := d.xvfb(t)
	bus := "unix:path=" + filepath.Join(run, "bus")
	d.env = []string{
		"DISPLAY=" + display, "XDG_RUNTIME_DIR=" + run, "DBUS_SESSION_BUS_ADDRESS=" + bus, "LIBGL_ALWAYS_SOFTWARE=1",
		"XDG_CONFIG_HOME=" + filepath.Join(d.dir, "config"), "XDG_CACHE_HOME=" + filepath.Join(d.dir, "cache"), "NO_AT_BRIDGE=1",
	}
	d.spawn(t, "dbus", "dbus-daemon", "--session", "--nofork", "--address="+bus)
	waitFor(t, 10*time.Second, "the bus answers", func() bool { return d.owned(t, "org.freedesktop.DBus") })
	d.spawn(t, "openbox", "openbox")
	d.spawn(t, "panel", "xfce4-panel", "--disable-wm-check")
	waitFor(t, 30*time.Second, "the panel hosts tray icons", func() bool { return d.owned(t, "org.kde.StatusNotifierWatcher") })
	return d
}

// xvfb starts the server on a free display.
func (d *desktop) xvfb(t testing.TB) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.CreateTemp(scratch, "xvfb-*.log")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", d.size+"x24", "-nolisten", "tcp", "-noreset")
	cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = []*os.File{w}, log, log
	proc, err := launch(cmd, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proc.end)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var number int
	if _, err := fmt.Fscan(r, &number); err != nil {
		t.Fatalf("Xvfb did not start: %v: %s", err, proc.tail())
	}
	return fmt.Sprintf(":%d", number)
}

// spawn starts a program on the desktop, which ends with the test.
func (d *desktop) spawn(t testing.TB, name string, command ...string) *process {
	t.Helper()
	p, err := start(name, d.env, command...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.end)
	return p
}

// run runs a program on the desktop to its end.
func (d *desktop) run(t testing.TB, command ...string) string {
	t.Helper()
	return must(t, d.env, command...)
}

// owned says whether somebody on the bus has the name.
func (d *desktop) owned(t testing.TB, name string) bool {
	t.Helper()
	out, _, err := execute(t.Context(), d.env, "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/",
		"org.freedesktop.DBus.NameHasOwner", "string:"+name)
	return err == nil && strings.Contains(out, "boolean true")
}

// windows gives the visible windows with this title.
func (d *desktop) windows(t testing.TB, title string) []string {
	t.Helper()
	out, _, _ := execute(t.Context(), d.env, "xdotool", "search", "--onlyvisible", "--name", "^"+title+"$")
	return strings.Fields(out)
}

// click presses the left button at a place of the screen.
func (d *desktop) click(t testing.TB, x, y int) {
	t.Helper()
	d.run(t, "xdotool", "mousemove", "--sync", fmt.Sprint(x), fmt.Sprint(y), "click", "1")
}

// press types keys as xdotool names them, such as "ctrl+z".
func (d *desktop) press(t testing.TB, keys ...string) {
	t.Helper()
	d.run(t, append([]string{"xdotool", "key", "--delay", "30"}, keys...)...)
}

// write types text.
func (d *desktop) write(t testing.TB, text string) {
	t.Helper()
	d.run(t, "xdotool", "type", "--delay", "20", text)
}

// shoot photographs the screen, or a window when one is named, as a PNG.
func (d *desktop) shoot(t testing.TB, window, path string) {
	t.Helper()
	if window == "" {
		window = "root"
	}
	d.run(t, "import", "-window", window, path)
}

// still waits until two pictures, a moment apart, are the same: nothing moves
// any more. It gives up waiting quietly after limit, for what blinks.
func (d *desktop) still(t testing.TB, limit time.Duration) {
	t.Helper()
	last := ""
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(150 * time.Millisecond) {
		now := strings.TrimSpace(d.run(t, "sh", "-c", "import -window root rgb:- | sha256sum"))
		if now == last {
			return
		}
		last = now
	}
}
