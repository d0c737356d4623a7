//go:build e2e

package e2e

import (
	"fmt"
	"image"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Where things are in the window, which has the size of the design, 1120×720.
var (
	navImages  = image.Pt(70, 76)
	navDocker  = image.Pt(70, 112)
	navCleanup = image.Pt(70, 149)
	freeButton = image.Pt(1022, 88)  // of the page Clean up
	pushButton = image.Pt(1052, 113) // of the first local image
	firstTag   = image.Pt(676, 203)
	thirdTag   = image.Pt(676, 203+2*36)
	firstRepo  = image.Pt(340, 137)
)

func windowed() string { return filepath.Join(root, "bin", "berth") }

// showBerth starts the real program on a desktop and returns once its registry
// answers.
func showBerth(t testing.TB, d *desktop, env []string, args ...string) *berth {
	t.Helper()
	data := t.TempDir()
	env = append(append([]string{}, d.env...), env...)
	// Of two --addr the last one counts.
	proc, err := start("window", env, append([]string{windowed(), "--addr", "127.0.0.1:0", "--data", data}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proc.end)
	b := &berth{data: data, proc: proc}
	waitFor(t, 60*time.Second, "the registry of the window answers", func() bool {
		for line := range strings.Lines(proc.tail()) {
			if _, addr, ok := strings.Cut(line, "berth: ready at "); ok {
				b.addr = strings.Replace(strings.TrimSpace(addr), "localhost:", "127.0.0.1:", 1)
			}
		}
		return b.addr != ""
	})
	return b
}

// page is the part of the screen that shows a page: the window without its
// sidebar, where figures may change at any time.
func (d *desktop) page() image.Rectangle {
	r := d.window
	r.Min.X += 205
	return r
}

// around is the neighbourhood of a place in the window, on the screen.
func (d *desktop) around(p image.Point) image.Rectangle {
	p = p.Add(d.window.Min)
	return image.Rect(p.X-20, p.Y-8, p.X+20, p.Y+8)
}

// at clicks on a place in the window.
func (d *desktop) at(t testing.TB, p image.Point) {
	t.Helper()
	d.click(t, d.window.Min.X+p.X, d.window.Min.Y+p.Y)
}

// drawn waits until the window shows what it has to show.
func (d *desktop) drawn(t testing.TB) *image.NRGBA {
	t.Helper()
	d.shown(t, true)
	d.wait(t, 30*time.Second, "the window is drawn", func() bool {
		var x, y, w, h int
		place := d.run(t, "xdotool", "getwindowgeometry", "--shell", d.windows(t, "Berth")[0])
		if _, err := fmt.Sscanf(place[strings.Index(place, "X="):], "X=%d\nY=%d\nWIDTH=%d\nHEIGHT=%d", &x, &y, &w, &h); err != nil {
			t.Fatalf("%v in %s", err, place)
		}
		d.window = image.Rect(x, y, x+w, y+h)
		// The name at the top of the sidebar is not of one colour.
		return !plain(d.shoot(t), image.Rect(x+15, y+15, x+100, y+45))
	})
	if d.window.Size() != image.Pt(1120, 720) {
		t.Fatalf("the window is at %v, want the size of the design", d.window)
	}
	return d.still(t, d.page())
}

// plain says whether a part has one colour only.
func plain(picture *image.NRGBA, part image.Rectangle) bool {
	first := picture.NRGBAAt(part.Min.X, part.Min.Y)
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if picture.NRGBAAt(x, y) != first {
				return false
			}
		}
	}
	return true
}

func (d *desktop) shown(t testing.TB, yes bool) {
	t.Helper()
	d.wait(t, 30*time.Second, "the window is there or not, as wanted", func() bool { return len(d.windows(t, "Berth")) > 0 == yes })
}

// listed waits until the registry holds exactly these names.
func (b *berth) listed(t testing.TB, want string) {
	t.Helper()
	waitFor(t, 30*time.Second, "the registry lists "+want, func() bool { return strings.Join(b.names(t), " ") == want })
}

// ended waits for the program to end well.
func (p *process) ended(t testing.TB) {
	t.Helper()
	select {
	case <-p.done:
		if p.err != nil {
			t.Errorf("the program ended with %v: %s", p.err, p.tail())
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("the program does not end: %s\nit does: %s", p.tail(), p.stacks())
	}
}

// TestAPersonsFirstMinutesInTheWindow pushes a real image by clicking, sees it,
// deletes it with the keyboard, undoes, and quits from the tray.
func TestAPersonsFirstMinutesInTheWindow(t *testing.T) {
	t.Parallel()
	d, e := newDesktop(t, "1200x840"), ownEngine(t)
	id := e.load(t, "checkout:dev", program(t), layer(t, 90, 2<<20))
	b := showBerth(t, d, e.env())
	first := d.drawn(t)

	// Push with one click.
	d.at(t, navDocker)
	d.changed(t, first, d.page(), 10*time.Second, "the Docker page comes")
	d.wait(t, 20*time.Second, "the local image has its button", func() bool {
		return !plain(d.shoot(t), d.around(pushButton))
	})
	d.still(t, d.page())
	d.at(t, pushButton)
	b.listed(t, "checkout:dev")
	waitFor(t, 10*time.Second, "the push leaves no name in the engine", func() bool {
		return strings.TrimSpace(e.run(t, "images", "--format", "{{.Repository}}:{{.Tag}}")) == "checkout:dev"
	})

	// See it.
	d.at(t, navImages)
	d.changed(t, first, d.page(), 10*time.Second, "the image is on the Images page instead of the first run")
	listed := d.still(t, d.page())

	// A push from a terminal appears by itself.
	terminal := b.addr + "/team/app:v1"
	e.run(t, "tag", "checkout:dev", terminal)
	e.run(t, "push", "-q", terminal)
	d.changed(t, listed, d.page(), 2*time.Second, "a push from a terminal appears by itself")
	b.cli(t, nil, "rm", "team/app:v1")
	d.still(t, d.page())

	// Delete with the keyboard, undo with the keyboard.
	d.at(t, firstTag)
	d.still(t, d.page())
	d.press(t, "Delete")
	b.listed(t, "")
	d.press(t, "ctrl+z")
	b.listed(t, "checkout:dev")

	// What is back is the image that was pushed.
	name := b.addr + "/checkout:dev"
	e.run(t, "rmi", "-f", "checkout:dev", terminal)
	e.run(t, "pull", "-q", name)
	if got := e.id(t, name); got != id {
		t.Errorf("pulled %s, pushed %s", got, id)
	}

	closeReopenAndQuit(t, d, b)
}

// closeReopenAndQuit closes the window, which goes to the tray, brings it back
// from there and by a second start, and quits from the tray.
func closeReopenAndQuit(t *testing.T, d *desktop, b *berth) {
	t.Helper()
	d.press(t, "ctrl+w")
	d.shown(t, false)
	b.expect(t, 200, "GET", "/v2/", nil, nil)
	x, y := d.trayIcon(t)
	d.click(t, x, y)
	time.Sleep(500 * time.Millisecond) // the menu takes the keys once it is drawn
	d.press(t, "Down", "Return")
	d.shown(t, true)
	d.press(t, "ctrl+w")
	d.shown(t, false)
	must(t, d.env, windowed(), "--data", b.data)
	d.shown(t, true)

	d.click(t, x, y)
	time.Sleep(500 * time.Millisecond)
	d.press(t, "Up", "Return")
	b.proc.ended(t)
}

// TestBackgroundOpensItsWindowInAProcessOfItsOwn starts as start-at-login does.
func TestBackgroundOpensItsWindowInAProcessOfItsOwn(t *testing.T) {
	t.Parallel()
	d := newDesktop(t, "1200x840")
	b := showBerth(t, d, nil, "--background")
	x, y := d.trayIcon(t)
	d.shown(t, false)
	if n := resident(t, b.proc); n > 60e6 {
		t.Errorf("registry and tray hold %d MB", n/1e6)
	}
	d.click(t, x, y)
	time.Sleep(500 * time.Millisecond)
	d.press(t, "Down", "Return")
	d.drawn(t)
	// The attached window lives; a second start raises it and ends.
	must(t, d.env, windowed(), "--data", b.data)
	if n := len(d.windows(t, "Berth")); n != 1 {
		t.Errorf("there are %d windows, want the one that was raised", n)
	}
	b.cli(t, nil, "quit")
	b.proc.ended(t)
	d.shown(t, false)
}

func TestASecondStartAttachesAWindowToAServer(t *testing.T) {
	t.Parallel()
	d, b := newDesktop(t, "1200x840"), serve(t)
	window := d.spawn(t, "attached", windowed(), "--data", b.data)
	d.drawn(t)
	d.press(t, "ctrl+q")
	window.ended(t)
	// Quitting an attached window leaves the registry alone.
	b.expect(t, 200, "GET", "/v2/", nil, nil)
}

func TestWithoutADisplayOneLineSaysSoAndTheRegistryServes(t *testing.T) {
	t.Parallel()
	b := showBerth(t, &desktop{}, nil)
	b.expect(t, 200, "GET", "/v2/", nil, nil)
	lines := 0
	for line := range strings.Lines(b.proc.tail()) {
		if strings.HasPrefix(line, "berth: There is no display") {
			lines++
		}
	}
	if lines != 1 {
		t.Errorf("%d lines about the display: %s", lines, b.proc.tail())
	}
}

func TestWithoutATrayTheWindowOpensAndStays(t *testing.T) {
	t.Parallel()
	d := newBareDesktop(t, "1200x840")
	b := showBerth(t, d, nil)
	d.drawn(t)
	b.cli(t, nil, "quit")
	b.proc.ended(t)
}

func TestATakenPortIsSaidAndTheNextOneServes(t *testing.T) {
	t.Parallel()
	// Whether we get the port or somebody has it: it is taken.
	if taken, err := net.Listen("tcp", "127.0.0.1:5000"); err == nil {
		t.Cleanup(func() { _ = taken.Close() })
	}
	data := t.TempDir()
	proc, err := start("berth", nil, headless(), "serve", "--data", data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proc.end)
	b := &berth{data: data, proc: proc}
	var status struct {
		Address    string
		Running    bool
		PortNotice struct{ Title, Text, Code string } `json:"port_notice"`
	}
	waitFor(t, 20*time.Second, "the registry answers", func() bool {
		b.cli(t, &status, "status")
		return status.Running
	})
	if strings.HasSuffix(status.Address, ":5000") || status.PortNotice.Code != "port_taken" || !strings.Contains(status.PortNotice.Title, "5000") {
		t.Errorf("the status is %+v", status)
	}
	b.addr = strings.Replace(status.Address, "localhost", "127.0.0.1", 1)
	b.expect(t, 200, "GET", "/v2/", nil, nil)
	if !strings.Contains(proc.tail(), status.Address) {
		t.Errorf("the address is not in what serve said: %s", proc.tail())
	}
}
