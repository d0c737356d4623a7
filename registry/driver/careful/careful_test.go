package careful_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"berth/registry/driver"
	"berth/registry/driver/careful"
	"berth/registry/driver/drivertest"
	"berth/registry/driver/filesystem"
	"berth/registry/driver/memory"
)

func files(t testing.TB, root string) *careful.Driver {
	t.Helper()
	inner, err := filesystem.Open(filesystem.Options{RootDirectory: root})
	if err != nil {
		t.Fatal(err)
	}
	d, err := careful.Wrap(inner, root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestCarefulKeepsTheContractOfDrivers(t *testing.T) {
	t.Parallel()
	drivertest.Run(t, func(t *testing.T) driver.Driver {
		d, err := careful.Wrap(memory.New(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}

func TestAFolderThatIsGoneIsNotAKeyThatIsMissing(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "root")
	d := files(t, root)
	if err := d.Put(t.Context(), "docker/registry/v2/x", []byte("1")); err != nil {
		t.Fatal(err)
	}
	ask := func() (errs []error) {
		_, err1 := d.Stat(t.Context(), "docker/registry/v2/y")
		_, err2 := d.Open(t.Context(), "docker/registry/v2/y")
		errs = []error{err1, err2}
		for _, err := range d.List(t.Context(), "no") {
			errs = append(errs, err)
		}
		return errs
	}
	for _, err := range ask() {
		if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, driver.ErrGone) {
			t.Errorf("a missing key: %v", err)
		}
	}
	for _, place := range []string{"nothing", "an empty folder"} {
		if err := os.Rename(root, root+"-away"); err != nil {
			t.Fatal(err)
		}
		if place == "an empty folder" {
			if err := os.Mkdir(root, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		_, err := d.Append(t.Context(), "up", 0)
		for _, err := range append(ask(), err, d.Put(t.Context(), "z", nil), d.Delete(t.Context(), "docker"), d.Move(t.Context(), "docker/registry/v2/x", "z"),
			driver.Apply(t.Context(), d, driver.Put{Key: "z"})) {
			if !errors.Is(err, driver.ErrGone) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s in its place: %v", place, err)
			}
		}
		if left, err := os.ReadDir(root); len(left) > 0 {
			t.Errorf("in its place there is %v, %v", left, err)
		}
		_ = os.Remove(root)
		if err := os.Rename(root+"-away", root); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Stat(t.Context(), "docker/registry/v2/x"); err != nil {
			t.Errorf("it is back: %v", err)
		}
	}
}

// small is a disk that is full but for what was deleted.
type small struct {
	*memory.Driver
	full atomic.Bool
	free atomic.Int64
}

func (s *small) Space(context.Context) (free, total int64, _ error) { return 1 << 30, 1 << 31, nil }

func (s *small) Put(ctx context.Context, key string, content []byte) error {
	if s.full.Load() && s.free.Add(-int64(len(content))) < 0 {
		return driver.ErrNoSpace
	}
	return s.Driver.Put(ctx, key, content)
}

func (s *small) Delete(ctx context.Context, key string) error {
	if info, err := s.Driver.Stat(ctx, key); err == nil {
		s.free.Store(info.Size)
	}
	return s.Driver.Delete(ctx, key)
}

func TestThingsAreDeletedFromAFullDisk(t *testing.T) {
	t.Parallel()
	disk := &small{Driver: memory.New()}
	d, err := careful.Wrap(disk, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), "docker/tag/link", nil); err != nil {
		t.Fatal(err)
	}
	if info, err := disk.Stat(t.Context(), "berth/reserve"); err != nil || info.Size < 64<<10 {
		t.Fatalf("the reserve: %+v, %v", info, err)
	}
	disk.full.Store(true)
	text := []byte(strings.Repeat("x", 1000))
	if err := d.Put(t.Context(), "docker/more", text); !errors.Is(err, driver.ErrNoSpace) {
		t.Errorf("a push on a full disk: %v", err)
	}
	if err := driver.Apply(t.Context(), d, driver.Put{Key: "docker/more", Content: text}, driver.Delete{Key: "docker/tag"}); !errors.Is(err, driver.ErrNoSpace) {
		t.Errorf("a push that deletes: %v", err)
	}
	if err := driver.Apply(t.Context(), d, driver.Put{Key: "berth/trash/1.json", Content: text}, driver.Delete{Key: "docker/tag"}); err != nil {
		t.Errorf("a delete on a full disk: %v", err)
	}
	if _, err := disk.Stat(t.Context(), "docker/tag"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was deleted: %v", err)
	}
}

func TestTheReserveCanBeGivenUpBeforeAnythingIsOpen(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := careful.GiveUp(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("where there is none: %v", err)
	}
	d := files(t, root)
	if err := d.Put(t.Context(), "docker/tag/link", nil); err != nil {
		t.Fatal(err)
	}
	if err := careful.GiveUp(root); err != nil {
		t.Error(err)
	}
	if _, err := d.Stat(t.Context(), "berth/reserve"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the reserve is there: %v", err)
	}
}
