//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// panelHeight is that of the panel at the top, in pixels.
const panelHeight = 26

// openboxSettings give windows no frame, so that the pictures show Berth alone.
const openboxSettings = `<openbox_config xmlns="http://openbox.org/3.4/rc"><focus><focusNew>yes</focusNew></focus>
<theme><keepBorder>no</keepBorder></theme>
<applications><application class="*" type="normal"><decor>no</decor><focus>yes</focus></application></applications></openbox_config>`

// desktop is a display of the tests: Xvfb with a window manager, a D-Bus of
// its own, and a panel that hosts tray icons.
type desktop struct {
	env  []string
	dir  string
	size string
	// window is where Berth's window is on the screen; see drawn.
	window image.Rectangle
}

// newDesktop starts one and ends it with the test. Its panel stands at the top.
func newDesktop(t testing.TB, size string) *desktop {
	t.Helper()
	d := newBareDesktop(t, size)
	d.spawn(t, "panel", "xfce4-panel", "--disable-wm-check")
	waitFor(t, 30*time.Second, "the panel hosts tray icons", func() bool { return d.owned(t, "org.kde.StatusNotifierWatcher") })
	return d
}

// newBareDesktop has no panel, and so no place for a tray icon.
func newBareDesktop(t testing.TB, size string) *desktop {
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
	writeFile(t, filepath.Join(d.dir, "openbox.xml"), openboxSettings)
	d.spawn(t, "openbox", "openbox", "--config-file", filepath.Join(d.dir, "openbox.xml"))
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

// shoot photographs the screen, or the window when only it is wanted.
func (d *desktop) shoot(t testing.TB) *image.NRGBA {
	t.Helper()
	picture, err := png.Decode(strings.NewReader(d.run(t, "import", "-window", "root", "png:-")))
	if err != nil {
		t.Fatal(err)
	}
	flat := image.NewNRGBA(picture.Bounds())
	draw.Draw(flat, flat.Bounds(), picture, picture.Bounds().Min, draw.Src)
	return flat
}

// still waits until two pictures of a part of the screen, a moment apart, are
// the same, and gives the last.
func (d *desktop) still(t testing.TB, part image.Rectangle) *image.NRGBA {
	t.Helper()
	last := d.shoot(t)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		time.Sleep(150 * time.Millisecond)
		now := d.shoot(t)
		if same(last, now, part) {
			return now
		}
		last = now
	}
	t.Fatal("the screen does not come to rest")
	return nil
}

// changed waits until a part of the screen looks other than it did.
func (d *desktop) changed(t testing.TB, was *image.NRGBA, part image.Rectangle, limit time.Duration, what string) {
	t.Helper()
	d.wait(t, limit, what, func() bool { return !same(was, d.shoot(t), part) })
}

// wait is waitFor that leaves a picture of what was there instead.
func (d *desktop) wait(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	if err := until(limit, what, ok); err != nil {
		path := filepath.Join(os.TempDir(), "berth-"+t.Name()+".png")
		picture := d.shoot(t)
		save(t, picture, picture.Rect, path)
		t.Fatalf("%v; see %s", err, path)
	}
}

func same(a, b *image.NRGBA, part image.Rectangle) bool {
	for y := part.Min.Y; y < part.Max.Y; y++ {
		i, j := a.PixOffset(part.Min.X, y), a.PixOffset(part.Max.X, y)
		if !bytes.Equal(a.Pix[i:j], b.Pix[i:j]) {
			return false
		}
	}
	return true
}

// save writes a picture of a part of the screen.
func save(t testing.TB, picture *image.NRGBA, part image.Rectangle, path string) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture.SubImage(part)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// trayIcon finds Berth's icon, which is the rightmost thing in the panel that
// has the accent's colour.
func (d *desktop) trayIcon(t testing.TB) (x, y int) {
	t.Helper()
	d.wait(t, 20*time.Second, "the tray icon appears", func() bool {
		picture := d.shoot(t)
		x, y = 0, 0
		for py := range panelHeight {
			for px := picture.Rect.Dx() / 2; px < picture.Rect.Dx(); px++ {
				c := picture.NRGBAAt(px, py)
				if c.G > 140 && c.B > 120 && int(c.G)-int(c.R) > 80 && px > x {
					x, y = px, py
				}
			}
		}
		return x > 0
	})
	return x - 6, panelHeight / 2
}
