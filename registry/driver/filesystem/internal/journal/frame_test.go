package journal

import (
	"bytes"
	"strings"
	"testing"
)

// row gives frames one after the other, as they stand in a segment.
func row(frames ...head) []byte {
	var b []byte
	for _, h := range frames {
		b = appendFrame(b, h, []byte(strings.Repeat("p", h.length)))
	}
	return b
}

func numbers(t *testing.T, b []byte) []uint64 {
	t.Helper()
	frames, _, err := scan(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var got []uint64
	for _, f := range frames {
		got = append(got, f.Number)
		if len(f.Payload) != f.head.length || strings.Trim(string(f.Payload), "p") != "" {
			t.Errorf("frame %d carries %q", f.Number, f.Payload)
		}
	}
	return got
}

func frame(number, epoch uint64) head {
	return head{kind: record, number: number, epoch: epoch, length: 100}
}

func TestAScanEndsWhereTheRowEnds(t *testing.T) {
	t.Parallel()
	big := head{kind: record, number: 8, epoch: 1, length: 3 * windowSize}
	for name, test := range map[string]struct {
		b    []byte
		want int
	}{
		"nothing":                  {nil, 0},
		"zeros":                    {make([]byte, 4096), 0},
		"frames, then zeros":       {append(row(frame(7, 1), big, frame(9, 1)), make([]byte, 512)...), 3},
		"a number is missing":      {row(frame(7, 1), frame(9, 1)), 1},
		"a frame of an older life": {row(frame(7, 2), frame(8, 1)), 1},
		"base goes back":           {row(head{kind: mark, number: 7, base: 5, epoch: 1}, head{kind: mark, number: 8, base: 4, epoch: 1}), 1},
		"an unknown kind":          {row(frame(7, 1), head{kind: 9, number: 8, epoch: 1}), 1},
		"the end of the file":      {row(frame(7, 1), frame(8, 1))[:2*(headSize+100)-1], 1},
	} {
		if got := numbers(t, test.b); len(got) != test.want {
			t.Errorf("%s: found %v, want %d frames", name, got, test.want)
		}
	}
}

func TestAFrameWithAnyBitChangedIsNone(t *testing.T) {
	t.Parallel()
	whole := row(frame(7, 1), frame(8, 1))
	second := len(whole) / 2
	for i := second; i < len(whole); i++ {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		if got := numbers(t, b); len(got) != 1 {
			t.Fatalf("with byte %d changed it finds %v", i-second, got)
		}
	}
}

func FuzzAScanOfAnythingEnds(f *testing.F) {
	f.Add(row(frame(1, 1), frame(2, 1)))
	f.Add([]byte("BRJ1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		frames, end, err := scan(bytes.NewReader(b), int64(len(b)))
		if err != nil || end > int64(len(b)) || int64(len(frames)*headSize) > end {
			t.Errorf("%d frames up to %d of %d bytes, %v", len(frames), end, len(b), err)
		}
	})
}

func TestAMemoForgetsNothing(t *testing.T) {
	t.Parallel()
	var m memo
	if m.has(1) || (*memo)(nil).has(1) {
		t.Error("an empty memo has something")
	}
	wrong := 0
	for i := range uint64(20000) {
		h := i * 0x9e3779b97f4a7c15
		m.add(h)
		if !m.has(h) {
			t.Fatalf("%x is forgotten", h)
		}
		if m.has(^h * 0xbf58476d1ce4e5b9) {
			wrong++
		}
	}
	if wrong > 1000 {
		t.Errorf("%d of 20000 are believed to be there", wrong)
	}
}
