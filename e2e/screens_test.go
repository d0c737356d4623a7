//go:build e2e

package e2e

import (
	"image"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestScreens makes the pictures of the documentation when BERTH_SCREENS names
// a folder, and else into a temporary one: the program must be able to.
func TestScreens(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("BERTH_SCREENS")
	if dir == "" {
		dir = t.TempDir()
	}
	for _, variant := range []string{"dark", "light"} {
		t.Run(variant, func(t *testing.T) { takeScreens(t, dir, variant) }) // each ends before the next, and leaves it the port
	}
	for _, name := range []string{"images-dark.png", "images-light.png", "docker-dark.png", "first-run-light.png", "tray-dark.png"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() < 5000 {
			t.Errorf("%s is missing or empty: %v", name, err)
		}
	}
}

// takeScreens photographs every page in one look.
func takeScreens(t *testing.T, dir, variant string) {
	d, e := newDesktop(t, "1200x840"), ownEngine(t)
	b := showBerth(t, d, append(e.env(), "FYNE_THEME="+variant, "REGISTRY_BERTH_CLEANUP_GRACE=0s"), "--addr", pictureAddress())
	d.drawn(t)
	shot := func(name string, part image.Rectangle) {
		// The mouse would leave a hover, or a tooltip.
		d.run(t, "xdotool", "mousemove", "2", "838")
		save(t, d.still(t, d.page()), part, filepath.Join(dir, name+"-"+variant+".png"))
	}
	shot("first-run", d.window)
	fill(t, e, b)
	d.still(t, d.page())
	d.at(t, firstRepo)
	d.still(t, d.page())
	d.at(t, firstTag)
	shot("images", d.window)
	d.at(t, thirdTag)
	d.press(t, "Delete")
	d.still(t, d.page())
	shot("undo", d.window)
	d.press(t, "ctrl+z")
	d.still(t, d.page())
	d.at(t, navDocker)
	d.still(t, d.page())
	shot("docker", d.window)
	soil(t, b)
	d.at(t, navCleanup)
	d.still(t, d.page())
	time.Sleep(4 * time.Second) // the snackbar tells of verifying
	shot("cleanup", d.window)
	d.at(t, freeButton)
	d.still(t, d.page())
	shot("cleanup-plan", d.window)
	d.press(t, "Escape")
	x, y := d.trayIcon(t)
	d.click(t, x, y)
	time.Sleep(700 * time.Millisecond)
	save(t, d.shoot(t), image.Rect(700, 0, 1200, 350), filepath.Join(dir, "tray-"+variant+".png"))
	d.press(t, "Escape")
}

// soil leaves something of everything for the page Clean up: rules, a verified
// store, a past clean-up, garbage, and a trash.
func soil(t testing.TB, b *berth) {
	t.Helper()
	time.Sleep(16 * time.Second) // for so long the store keeps what pushes were promised
	for _, args := range [][]string{
		{"config", "set", "berth.cleanup.schedule", "daily"},
		{"rules", "add", "--name", "pr-*", "--repository", "acme/*", "--tag", "pr-*", "--newest", "1"},
		{"rules", "add", "--name", "base", "--repository", "base/**", "--pulled", "30d"},
		{"rules", "add", "--name", "versions", "--tag", "v*", "--always", "*"},
		{"rules", "immutable", "add", "--repository", "acme/*", "--tag", "v2.5*"},
		{"rm", "tools/migrate:1.0.0"},
		{"trash", "empty", "--yes"},
		{"cleanup", "--now"},
		{"rm", "acme/payments:1.9.3", "acme/payments:1.9.4"},
		{"trash", "empty", "--yes"},
		{"rm", "acme/frontend:v3.1.0", "base/go-builder:1.25"},
		{"tag", "acme/checkout:v2.5.0", "latest"},
		{"verify"},
	} {
		b.cli(t, nil, args...)
	}
}

// pictureAddress is the one that people have, when it can be had.
func pictureAddress() string {
	l, err := net.Listen("tcp", "127.0.0.1:5000")
	if err != nil || l.Close() != nil {
		return "127.0.0.1:0"
	}
	return "localhost:5000"
}

// fill pushes what a small team has, with real clients.
func fill(t testing.TB, e *engine, b *berth) {
	t.Helper()
	base := layer(t, 100, 4<<20)
	seed := uint64(101)
	for _, r := range []struct{ repo, tags string }{
		{"tools/migrate", "1.0.0"},
		{"base/go-builder", "1.26 1.25"},
		{"acme/payments", "2.0.0-rc1 1.9.4 1.9.3"},
		{"acme/frontend", "v3.2.0 v3.1.0"},
		{"acme/checkout", "pr-317 pr-318 v2.4.0 v2.4.1"},
	} {
		for tag := range strings.FieldsSeq(r.tags) {
			seed++
			local := filepath.Base(r.repo) + ":" + tag
			e.load(t, local, base, layer(t, seed, int(1+seed%5)<<20))
			e.run(t, "tag", local, b.addr+"/"+r.repo+":"+tag)
			e.run(t, "push", "-q", b.addr+"/"+r.repo+":"+tag)
			e.run(t, "rmi", b.addr+"/"+r.repo+":"+tag)
			if tag != "v2.4.1" && tag != "2.0.0-rc1" && tag != "1.26" && tag != "v3.2.0" {
				e.run(t, "rmi", local)
			}
		}
	}
	b.cli(t, nil, "tag", "acme/checkout:v2.4.1", "latest")
	l := newLayout(t)
	index := l.index(l.image("amd64", base, layer(t, 98, 2<<20)), l.image("arm64", layer(t, 99, 2<<20)))
	must(t, nil, "skopeo", "copy", "--all", "--dest-tls-verify=false", "oci:"+l.tag(index, "v2.5.0")+":v2.5.0", "docker://"+b.addr+"/acme/checkout:v2.5.0")
}
