package assets_test

import (
	"bytes"
	"encoding/binary"
	"image/png"
	"strings"
	"testing"

	"berth/assets"
)

func TestEveryFaceIsATrueTypeFile(t *testing.T) {
	t.Parallel()
	for _, f := range []assets.Face{assets.Regular, assets.Medium, assets.SemiBold, assets.Mono} {
		if b := assets.Font(f); !bytes.HasPrefix(b, []byte{0, 1, 0, 0}) {
			t.Errorf("%s begins with % x", f, b[:4])
		}
	}
}

func TestPicturesHaveTheSizesTheyPromise(t *testing.T) {
	t.Parallel()
	for want, pictures := range map[int][][]byte{
		256: {assets.AppIcon()},
		64: {
			assets.TrayIcon(assets.TrayRunning), assets.TrayIcon(assets.TrayBusy),
			assets.TrayIcon(assets.TrayWarning), assets.TrayIcon(assets.TrayStopped), assets.TrayIcon("unheard of"),
		},
	} {
		for i, p := range pictures {
			c, err := png.DecodeConfig(bytes.NewReader(p))
			if err != nil || c.Width != want || c.Height != want {
				t.Errorf("picture %d of %d: %dx%d, %v", i, want, c.Width, c.Height, err)
			}
		}
	}
}

func TestAnIconOfWindowsHoldsThePicture(t *testing.T) {
	t.Parallel()
	picture := assets.TrayIcon(assets.TrayRunning)
	ico := assets.ICO(picture, 64)
	size, offset := binary.LittleEndian.Uint32(ico[14:]), binary.LittleEndian.Uint32(ico[18:])
	if ico[2] != 1 || ico[4] != 1 || ico[6] != 64 || ico[7] != 64 || !bytes.Equal(ico[offset:offset+size], picture) {
		t.Errorf("header % x", ico[:22])
	}
	if big := assets.ICO(assets.AppIcon(), 256); big[6] != 0 {
		t.Errorf("a picture of 256 says %d", big[6])
	}
}

func TestIconsTakeTheColourTheyAreGiven(t *testing.T) {
	t.Parallel()
	if svg := string(assets.Icon("anchor")); !strings.Contains(svg, "currentColor") || strings.Contains(svg, "stroke") {
		t.Error("the anchor has a colour or a stroke of its own")
	}
}
