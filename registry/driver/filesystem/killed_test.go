package filesystem

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"berth/registry/driver"
)

// killed gives the disk as the next process finds it when only this one ended:
// nothing is lost, and nothing more is durable than was.
func (s *sim) killed() *sim {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
	return &sim{root: s.root, pending: s.pending, numbers: s.numbers, clock: s.clock, life: s.life}
}

// killAndReopen ends the process and begins another. What was being written
// then counts from the moment that somebody goes on with it and closes it.
func (l *life) killAndReopen() error {
	l.disk.cutNow()
	_ = l.d.Close() // only goroutines end
	l.disk = l.disk.killed()
	l.trace = append(l.trace, "killed")
	if err := l.open(); err != nil {
		return err
	}
	loose := l.loose
	if err := l.check(); err != nil {
		return err
	}
	if content, there := l.acked[loose]; there {
		w, err := l.d.Append(context.Background(), loose, int64(len(content)))
		if err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		delete(l.unsure, loose)
	}
	return nil
}

// restart now and then ends the process, or closes the driver, and opens anew.
func (l *life) restart() error {
	switch l.rnd.IntN(4) {
	case 0:
		return l.killAndReopen()
	case 1:
		l.trace = append(l.trace, "closed")
		if err := l.d.Close(); err != nil {
			return err
		}
		if err := l.open(); err != nil {
			return err
		}
		return l.check()
	}
	return nil
}

func TestWhatIsFoundAfterTheProcessWasKilledOutlivesAPowerCut(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		l := begin(t, seed)
		l.disk.cutIn(1+l.rnd.IntN(60), l.rnd.IntN(2) == 0)
		err := error(nil)
		for n := 0; err == nil; n++ {
			err = l.random(n)
		}
		if !errors.Is(err, errCut) {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := l.killAndReopen(); err != nil {
			t.Fatalf("seed %d: after the end of the process: %v", seed, err)
		}
		if err := l.cutAndReopen(); err != nil {
			t.Errorf("seed %d: after the power cut: %v", seed, err)
		}
		_ = l.d.Close()
	}
}

func TestACutWhileTheJournalIsMadeSmallBringsNothingBack(t *testing.T) {
	t.Parallel()
	big := []byte(strings.Repeat("b", 60<<10))
	for seed := range uint64(120) {
		l := begin(t, seed)
		_ = l.d.Close()
		var err error
		if l.d, err = openOn(l.disk, simRoot, 0, 1<<20); err != nil {
			t.Fatal(err)
		}
		puts := []driver.Change{driver.Put{Key: "r/tag", Content: []byte("first")}}
		for i := range 6 {
			puts = append(puts, driver.Put{Key: fmt.Sprintf("r/big%d", i), Content: big})
		}
		for _, put := range append(puts, driver.Put{Key: "r/tag", Content: []byte("second")}) {
			if err := l.apply(put); err != nil {
				t.Fatal(err)
			}
		}
		l.disk.cutIn(1+int(seed%12), seed%2 == 0)
		_ = l.d.Close()
		if err := l.cutAndReopen(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		_ = l.d.Close()
	}
}

func TestACutWhileTheOnlySegmentIsBegunAnewBringsNothingBack(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		l := begin(t, seed)
		for _, content := range []string{"first", strings.Repeat("-", 600), "second"} {
			if err := l.apply(driver.Put{Key: "r/tag", Content: []byte(content)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(l.d.journal.Checkpoint(), l.killAndReopen()); err != nil {
			t.Fatal(err)
		}
		l.disk.cutIn(1+int(seed%4), false)
		_ = l.apply(driver.Put{Key: "r/big", Content: []byte(strings.Repeat("b", 2000))})
		if err := l.cutAndReopen(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		_ = l.d.Close()
	}
}

// TestAStartAfterAFailedCheckpointWritesAnew: the system reports once that it
// could not write something, and takes it for written from then on.
func TestAStartAfterAFailedCheckpointWritesAnew(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		l := begin(t, seed)
		if err := l.apply(driver.Put{Key: "r/tag", Content: []byte("first")}); err != nil {
			t.Fatal(err)
		}
		l.disk.unwritable = true
		if err := l.d.journal.Checkpoint(); !errors.Is(err, syscall.EIO) {
			t.Fatalf("checkpoint: %v", err)
		}
		if err := l.d.Put(t.Context(), "r/tag", nil); !errors.Is(err, syscall.EIO) {
			t.Fatalf("a change after it: %v", err)
		}
		for range 2 { // the second has nothing to do
			if err := errors.Join(l.killAndReopen(), l.d.journal.Checkpoint()); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.cutAndReopen(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		_ = l.d.Close()
	}
}

func TestWhatMayNotBeRestoredNowIsKeptForLater(t *testing.T) {
	t.Parallel()
	l := begin(t, 3)
	l.rnd = rand.New(rand.NewPCG(0, 0))
	if err := l.apply(driver.Put{Key: "a/link", Content: []byte("1")}, driver.Put{Key: "b/link", Content: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	l.disk.cutNow()
	_ = l.d.Close()
	for l.disk.files()["a/link"] != "" { // until it is lost
		l.disk = l.disk.crash(l.rnd)
	}
	l.disk.denied = "/a"
	if err := l.open(); err != nil {
		t.Fatal(err)
	}
	if err := l.d.Put(t.Context(), "c", nil); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("put: %v; want a refusal", err)
	}
	_ = l.d.Close()
	l.disk.denied = ""
	if err := l.cutAndReopen(); err != nil {
		t.Error(err)
	}
	_ = l.d.Close()
}

func TestAFullDiskIsNamedWhenThereIsNoRoomToRestore(t *testing.T) {
	t.Parallel()
	l := begin(t, 3)
	l.rnd = rand.New(rand.NewPCG(0, 0))
	if err := l.apply(driver.Put{Key: "a/link", Content: []byte("1")}, driver.Put{Key: "b/link", Content: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	l.disk.cutNow()
	_ = l.d.Close()
	for l.disk.files()["a/link"] != "" { // until it is lost
		l.disk = l.disk.crash(l.rnd)
	}
	l.disk.full = 1
	if err := l.open(); !errors.Is(err, driver.ErrNoSpace) {
		t.Fatalf("open: %v; want ErrNoSpace", err)
	}
	l.disk.full, l.d = 0, nil
	if err := l.cutAndReopen(); err != nil {
		t.Error(err)
	}
	_ = l.d.Close()
}
