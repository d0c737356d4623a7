package careful_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry/driver"
	"berth/registry/driver/careful"
	"berth/registry/driver/memory"
)

// tight is a disk of so many bytes, of which each file takes whole pages.
type tight struct {
	*memory.Driver
	t     *testing.T
	total int64
}

const page = 4 << 10

func (d *tight) Space(ctx context.Context) (free, total int64, _ error) {
	free = d.total
	for info, err := range d.Walk(ctx, "") {
		if err != nil {
			d.t.Fatal(err)
		}
		free -= (info.Size + page - 1) / page * page
	}
	return free, d.total, nil
}

func (d *tight) fits(n int) bool {
	free, _, _ := d.Space(d.t.Context())
	return free >= int64(n+page-1)/page*page
}

func (d *tight) Put(ctx context.Context, key string, content []byte) error {
	if !d.fits(len(content)) {
		return driver.ErrNoSpace
	}
	return d.Driver.Put(ctx, key, content)
}

func (d *tight) Append(ctx context.Context, key string, offset int64) (driver.Writer, error) {
	w, err := d.Driver.Append(ctx, key, offset)
	return tightWriter{w, d}, err
}

type tightWriter struct {
	driver.Writer
	d *tight
}

func (w tightWriter) Write(p []byte) (int, error) {
	if !w.d.fits(len(p)) {
		return 0, driver.ErrNoSpace
	}
	return w.Writer.Write(p)
}

// fill pushes until the disk is full, and gives what is open then.
func fill(t *testing.T, d driver.Driver) driver.Writer {
	t.Helper()
	w, err := d.Append(t.Context(), "docker/registry/v2/repositories/a/_uploads/1/data", 0)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		if err := d.Put(t.Context(), fmt.Sprintf("docker/registry/v2/blobs/sha256/%05d/data", n), make([]byte, page)); errors.Is(err, driver.ErrNoSpace) {
			return w
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func blob(n int) string { return fmt.Sprintf("docker/registry/v2/blobs/sha256/%05d/data", n) }

func on(t *testing.T, total int64) (*careful.Driver, *tight) {
	t.Helper()
	disk := &tight{memory.New(), t, total}
	d, err := careful.Wrap(disk, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return d, disk
}

func reserve(t *testing.T, disk *tight) int64 {
	info, err := disk.Stat(t.Context(), "berth/reserve")
	if err != nil {
		return 0
	}
	return info.Size
}

func TestWhatIsGivenUpIsForDeletesAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, disk := on(t, 2<<20)
		open := fill(t, d)
		if reserve(t, disk) != 64<<10 {
			t.Fatalf("the reserve has %d bytes", reserve(t, disk))
		}
		record := bytes.Repeat([]byte("x"), page)
		note := func(n int) error {
			return driver.Apply(t.Context(), d, driver.Put{Key: fmt.Sprintf("berth/trash/%d.json", n), Content: record}, driver.Delete{Key: "docker/registry/v2/repositories/a/x"})
		}
		for n := range 10 { // far more than one
			if err := note(n); err != nil {
				t.Fatalf("delete %d: %v", n, err)
			}
			if err := d.Put(t.Context(), blob(90_000+n), record); !errors.Is(err, driver.ErrNoSpace) {
				t.Fatalf("a push after delete %d: %v", n, err)
			}
			if _, err := d.Append(t.Context(), "docker/registry/v2/repositories/a/_uploads/2/data", 0); !errors.Is(err, driver.ErrNoSpace) {
				t.Fatalf("an upload after delete %d: %v", n, err)
			}
			if _, err := open.Write(record); !errors.Is(err, driver.ErrNoSpace) {
				t.Fatalf("an upload that was open before delete %d: %v", n, err)
			}
			time.Sleep(10 * time.Second)
		}
		if err := d.Put(t.Context(), "docker/registry/v2/repositories/a/_layers/x/link", []byte("x")); err != nil {
			t.Errorf("a link, as a restore writes it: %v", err)
		}
	})
}

func TestTheReserveIsMadeAgainAsSoonAsThereIsRoom(t *testing.T) {
	t.Parallel()
	d, disk := on(t, 2<<20)
	fill(t, d)
	if err := d.Put(t.Context(), "berth/trash/1.json", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if reserve(t, disk) != 0 {
		t.Fatal("it was not given up")
	}
	n := 0
	for ; reserve(t, disk) == 0; n++ {
		if err := d.Delete(t.Context(), blob(n)); err != nil {
			t.Fatal(err)
		}
	}
	if n > 32 {
		t.Errorf("it took %d pages to be freed", n)
	}
	if err := d.Put(t.Context(), blob(90_000), make([]byte, page)); err != nil {
		t.Errorf("a push: %v", err)
	}
}

func TestRoomThatAnotherProgramMadeIsSeenByTheNextPush(t *testing.T) {
	t.Parallel()
	d, disk := on(t, 2<<20)
	fill(t, d)
	if err := d.Put(t.Context(), "berth/trash/1.json", []byte("x")); err != nil {
		t.Fatal(err)
	}
	disk.total += 1 << 20
	if err := d.Put(t.Context(), blob(90_000), make([]byte, page)); err != nil || reserve(t, disk) == 0 {
		t.Errorf("a push: %v; the reserve has %d bytes", err, reserve(t, disk))
	}
}

func TestTheReserveIsSparedOnlyOnAFullDisk(t *testing.T) {
	t.Parallel()
	d, disk := on(t, 2<<20)
	if err := d.Put(t.Context(), blob(1), nil); err != nil {
		t.Fatal(err)
	}
	d.Spare(t.Context())
	if reserve(t, disk) == 0 || !d.Room(t.Context()) {
		t.Error("there is room, and it was given up")
	}
	open := fill(t, d)
	if d.Room(t.Context()) {
		t.Error("there is room on a full disk")
	}
	d.Spare(t.Context())
	if !d.Room(t.Context()) {
		t.Error("there is no room in what was given up")
	}
	if _, err := open.Write([]byte("x")); reserve(t, disk) != 0 || !errors.Is(err, driver.ErrNoSpace) {
		t.Errorf("a reserve of %d bytes is there; a push: %v", reserve(t, disk), err)
	}
}

func TestASmallDiskHasASmallReserve(t *testing.T) {
	t.Parallel()
	for total, want := range map[int64]int64{512 << 10: 32 << 10, 2 << 20: 64 << 10, 6 << 20: 192 << 10, 1 << 40: 1 << 20} {
		d, disk := on(t, total)
		if err := d.Put(t.Context(), blob(1), nil); err != nil || reserve(t, disk) != want {
			t.Errorf("%d bytes: %v, a reserve of %d, want %d", total, err, reserve(t, disk), want)
		}
	}
}

func TestAStartOnAFullDiskRefusesPushesUntilThereIsAReserve(t *testing.T) {
	t.Parallel()
	disk := &tight{memory.New(), t, 1 << 20}
	if err := disk.Put(t.Context(), blob(1), make([]byte, 1<<20-3*page)); err != nil {
		t.Fatal(err)
	}
	d, err := careful.Wrap(disk, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), blob(2), make([]byte, page)); !errors.Is(err, driver.ErrNoSpace) {
		t.Errorf("a push: %v", err)
	}
	if err := d.Put(t.Context(), "berth/trash/1.json", []byte("x")); err != nil {
		t.Errorf("a delete: %v", err)
	}
	if err := d.Delete(t.Context(), blob(1)); err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), blob(2), make([]byte, page)); err != nil || reserve(t, disk) == 0 {
		t.Errorf("a push when there is room: %v; the reserve has %d bytes", err, reserve(t, disk))
	}
}
