package uitest

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden pictures anew")

// Updating says whether the test run was asked to write golden pictures.
func Updating() bool { return *update }

// How far a picture may be from its golden one: floating point differs between
// processors, and so do a few edge pixels of letters.
const (
	channelSlack = 16
	pixelSlack   = 2000 // one pixel in so many may differ by more
)

// Golden compares a picture with testdata/<name>.png. A different one is written
// to a temporary file; `go test -tags ci -update` accepts it.
func Golden(t *testing.T, name string, img image.Image) {
	t.Helper()
	GoldenAt(t, filepath.Join("testdata", name+".png"), img)
}

// GoldenAt is Golden with the path of the golden picture.
func GoldenAt(t *testing.T, path string, img image.Image) {
	t.Helper()
	if *update {
		Write(t, path, img)
		return
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("no golden picture: %v; make it with go test -tags ci -update, and look at it", err)
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		t.Fatalf("decode %s: %v", path, err)
	}
	why := differ(img, want)
	if why == "" {
		return
	}
	got := filepath.Join(os.TempDir(), "berth-golden-"+strings.ReplaceAll(filepath.ToSlash(path), "/", "-"))
	Write(t, got, img)
	t.Errorf("%s: %s\nlook at %s; if it is right, accept it with go test -tags ci -update", path, why, got)
}

// Write writes a picture as PNG.
func Write(t testing.TB, path string, img image.Image) {
	t.Helper()
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&b, small(img)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// small drops the alpha channel of an opaque picture, which a quarter of the
// file is for.
func small(img image.Image) image.Image {
	if o, ok := img.(interface{ Opaque() bool }); !ok || !o.Opaque() {
		return img
	}
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Src)
	return out
}

// differ says how two pictures differ, or nothing.
func differ(got, want image.Image) string {
	if got.Bounds().Size() != want.Bounds().Size() {
		return "size is " + got.Bounds().Size().String() + ", want " + want.Bounds().Size().String()
	}
	a, b := plain(got), plain(want)
	far := 0
	for i := 0; i < len(a.Pix); i += 4 {
		if !near(a.Pix[i:i+4], b.Pix[i:i+4]) {
			far++
		}
	}
	if far > len(a.Pix)/4/pixelSlack {
		return fmt.Sprintf("the picture changed in %d places", far)
	}
	return ""
}

// plain copies a picture into one form.
func plain(img image.Image) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Src)
	return out
}

func near(a, b []uint8) bool {
	for i := range a {
		if max(a[i], b[i])-min(a[i], b[i]) > channelSlack {
			return false
		}
	}
	return true
}
