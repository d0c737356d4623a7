package filesystem

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"berth/registry/driver"
	"berth/registry/driver/filesystem/internal/disk"
)

var systemErrors = []struct{ system, want error }{
	{syscall.ENOSPC, driver.ErrNoSpace},
	{syscall.EDQUOT, driver.ErrNoSpace},
	{syscall.EROFS, driver.ErrReadOnly},
	{syscall.EACCES, os.ErrPermission},
}

func TestModesAreTheUmasks(t *testing.T) {
	t.Parallel()
	d := open(t)
	put(t, d, "x/link", "1")
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	want, err := os.Stat(plain)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.Stat(filepath.Join(d.Root(), "x", "link"))
	if err != nil || got.Mode() != want.Mode() {
		t.Errorf("a file has mode %v, want %v (%v)", got.Mode(), want.Mode(), err)
	}
	folder, err := os.Stat(filepath.Join(d.Root(), "x"))
	if perm := want.Mode().Perm(); err != nil || folder.Mode().Perm() != perm|perm>>2&0o111 {
		t.Errorf("a folder has mode %v beside files of %v (%v)", folder.Mode(), want.Mode(), err)
	}
}

// The device that is always full stands in for the disk.
func TestAFullDiskSaysSoAndKeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	d := open(t)
	w, err := d.Append(t.Context(), "up/data", 0)
	if err != nil {
		t.Fatal(err)
	}
	inner := w.(*writer)
	full, err := disk.OS{}.Open("/dev/full", os.O_WRONLY)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("kept")); err != nil {
		t.Fatal(err)
	}
	real := inner.f
	inner.f = full
	if n, err := w.Write([]byte("too much")); n != 0 || !errors.Is(err, driver.ErrNoSpace) || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("write: %d, %v; want ErrNoSpace", n, err)
	}
	inner.f = real
	if err := errors.Join(w.Close(), full.Close()); err != nil {
		t.Fatal(err)
	}
	if info, err := d.Stat(t.Context(), "up/data"); err != nil || info.Size != 4 || w.Size() != 4 {
		t.Errorf("it has %d bytes, the writer says %d (%v)", info.Size, w.Size(), err)
	}
}
