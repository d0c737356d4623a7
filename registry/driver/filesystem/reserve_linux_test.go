package filesystem

import (
	"bytes"
	"os"
	"syscall"
	"testing"
)

// blocks gives the size that others see, and what the file takes of the disk.
func blocks(t *testing.T, path string) (size, taken int64) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size(), info.Sys().(*syscall.Stat_t).Blocks * 512
}

func TestRoomThatALargeFileDidNotNeedIsGivenBack(t *testing.T) {
	t.Parallel()
	d := open(t)
	const key = "upload/data"
	w, err := d.Append(t.Context(), key, 0)
	if err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("berth"), reserveFrom/5+5)
	for range 2 { // the first is what makes it large
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	want := int64(2 * len(content))
	if size, taken := blocks(t, d.file(key)); size != want || taken < size {
		t.Errorf("while it is written the file has %d bytes and takes %d, want %d", size, taken, want)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if size, taken := blocks(t, d.file(key)); size != want || taken > want+1<<20 {
		t.Errorf("after it was closed the file has %d bytes and takes %d, want %d", size, taken, want)
	}
}

func TestRoomThatACrashLeftIsGivenBackByWhoGoesOn(t *testing.T) {
	t.Parallel()
	d := open(t)
	const key = "upload/data"
	content := bytes.Repeat([]byte("berth"), reserveFrom/5+5)
	first, err := d.Append(t.Context(), key, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := first.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.(*writer).f.Close(); err != nil { // as a crash does
		t.Fatal(err)
	}
	want := int64(2 * len(content))
	second, err := d.Append(t.Context(), key, want)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if size, taken := blocks(t, d.file(key)); size != want || taken > want+1<<20 {
		t.Errorf("the file has %d bytes and takes %d, want %d", size, taken, want)
	}
}

func BenchmarkWriteLayer(b *testing.B) {
	d := open(b)
	chunk := make([]byte, 64<<10)
	const size = 64 << 20
	b.SetBytes(size)
	for b.Loop() {
		w, err := d.Append(b.Context(), "upload/data", 0)
		if err != nil {
			b.Fatal(err)
		}
		for at := 0; at < size; at += len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
