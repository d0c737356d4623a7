package trash_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/store"
	"berth/registry/trash"
)

// slow is a driver that lets changes pass one at a time, when it is told to,
// and counts them.
type slow struct {
	driver.Driver
	mu      sync.Mutex // guards what follows
	batches int
	hold    chan struct{}                         // nil: nothing is held
	refuse  func(changes []driver.Change) (n int) // how many can be made; nil: all
}

var errBroken = errors.New("cannot be removed")

func (s *slow) Apply(ctx context.Context, changes ...driver.Change) error {
	s.mu.Lock()
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		<-hold
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches++
	if s.refuse != nil {
		if n := s.refuse(changes); n < len(changes) {
			return errors.Join(driver.Apply(ctx, s.Driver, changes[:n]...), errBroken)
		}
	}
	return driver.Apply(ctx, s.Driver, changes...)
}

func names(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("v%03d", i))
	}
	return out
}

// together gives a registry with 100 tags of one manifest, on a driver whose
// changes halt, and starts to delete all of the tags beside each other.
func together(t *testing.T, drv *slow) (reg *trash.Registry, bin *trash.Bin, d registry.Digest, wait func() map[string]error) {
	t.Helper()
	st, err := store.Open(t.Context(), drv, nil, store.Options{Park: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	bin = trash.New(drv, time.Hour)
	reg = trash.Wrap(st, st, bin)
	d = put(t, reg, "many", names(100)...).Digest
	drv.mu.Lock()
	drv.batches, drv.hold = 0, make(chan struct{})
	drv.mu.Unlock()
	var mu sync.Mutex // guards failed
	failed := map[string]error{}
	var group sync.WaitGroup
	for _, tag := range names(100) {
		group.Go(func() {
			ctx := registry.WithCaller(t.Context(), registry.Caller{User: tag, Reason: "for " + tag})
			if err := reg.DeleteTag(ctx, repo, tag); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[tag] = err
			}
		})
	}
	return reg, bin, d, func() map[string]error {
		close(drv.hold)
		group.Wait()
		return failed
	}
}

func TestTagsThatAreDeletedBesideEachOtherShareFlushesAndHaveARecordEach(t *testing.T) {
	t.Parallel()
	drv := &slow{Driver: memory.New()}
	reg, bin, d, wait := together(t, drv)
	if failed := wait(); len(failed) > 0 {
		t.Fatal(failed)
	}
	var got []string
	for _, e := range entries(t, bin) {
		if e.Digest != d || e.By != e.Tag || e.Why != "for "+e.Tag {
			t.Errorf("%+v", e)
		}
		got = append(got, e.Tag)
		if now := resolve(t, reg, e.Tag); now != "" {
			t.Errorf("%s names %s", e.Tag, now)
		}
	}
	if slices.Sort(got); !slices.Equal(got, names(100)) {
		t.Errorf("in the trash: %q", got)
	}
	for _, e := range entries(t, bin) {
		if _, err := reg.Restore(t.Context(), e.ID, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, tag := range names(100) {
		if resolve(t, reg, tag) != d {
			t.Errorf("%s did not come back", tag)
		}
	}
}

// TestOneTagThatCannotGoHoldsUpNoOther has a disk that refuses to remove one
// tag, whatever it is asked together with.
func TestOneTagThatCannotGoHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	const stuck = "v050"
	drv := &slow{Driver: memory.New()}
	drv.refuse = func(changes []driver.Change) int {
		at := slices.IndexFunc(changes, func(c driver.Change) bool {
			del, ok := c.(driver.Delete)
			return ok && del.Key == "docker/registry/v2/repositories/"+repo+"/_manifests/tags/"+stuck
		})
		if at < 0 {
			return len(changes)
		}
		return at
	}
	reg, bin, d, wait := together(t, drv)
	failed := wait()
	if len(failed) != 1 || !errors.Is(failed[stuck], errBroken) {
		t.Fatal(failed)
	}
	if got := entries(t, bin); len(got) != 99 || slices.ContainsFunc(got, func(e trash.Entry) bool { return e.Tag == stuck }) {
		t.Errorf("%d entries", len(got))
	}
	for _, tag := range names(100) {
		if now := resolve(t, reg, tag); (now == d) != (tag == stuck) {
			t.Errorf("%s names %q", tag, now)
		}
	}
}

func TestManyTagsGoWithTwoFlushes(t *testing.T) {
	t.Parallel()
	drv := &slow{Driver: memory.New()}
	st, err := store.Open(t.Context(), drv, nil, store.Options{Park: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	bin := trash.New(drv, time.Hour)
	reg := trash.Wrap(st, st, bin)
	d := put(t, reg, "many", append(names(100), "stays")...).Digest
	drv.batches = 0
	gone, err := reg.Delete(t.Context(), repo, names(100)...)
	if err != nil || len(gone) != 100 || drv.batches != 2 {
		t.Fatalf("%d went with %d flushes: %v", len(gone), drv.batches, err)
	}
	for i, e := range gone {
		if e.Tag != names(100)[i] || e.Digest != d {
			t.Errorf("%+v", e)
		}
	}
	if resolve(t, reg, "stays") != d {
		t.Error("a tag went that was not named")
	}
	if gone, err := reg.Delete(t.Context(), repo, "stays", "never"); !errors.Is(err, registry.ErrManifestUnknown) || len(gone) > 0 || resolve(t, reg, "stays") != d {
		t.Errorf("with one that is not there: %v, %v", gone, err)
	}
}
