package filesystem

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"berth/registry/driver"
)

// crowd has many do something at once, and waits for all of them.
func crowd(t *testing.T, do func(who, n int) error) {
	t.Helper()
	var all sync.WaitGroup
	for who := range 4 * minThreads {
		all.Go(func() {
			for n := range 12 {
				if err := do(who, n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("they wait for each other")
	}
}

func TestWritersBeyondTheThreadsWaitForRoomWithoutHoldingOne(t *testing.T) {
	t.Parallel()
	d, err := openOn(newSim(), simRoot, minThreads, smallSegment)
	if err != nil {
		t.Fatal(err)
	}
	crowd(t, func(who, n int) error {
		key := fmt.Sprintf("r%d/file", who)
		if err := d.Put(context.Background(), key, make([]byte, 900)); err != nil {
			return err
		}
		w, err := d.Append(context.Background(), key, 900)
		if err != nil {
			return err
		}
		return w.Close()
	})
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestChangesThatFailWaitForRoomWithoutHoldingAThread(t *testing.T) {
	t.Parallel()
	disk := newSim()
	d, err := openOn(disk, simRoot, minThreads, smallSegment)
	if err != nil {
		t.Fatal(err)
	}
	// A file is in the way, so the second change fails after it was recorded.
	if err := d.Put(context.Background(), "file", nil); err != nil {
		t.Fatal(err)
	}
	crowd(t, func(who, n int) error {
		err := d.Apply(context.Background(),
			driver.Put{Key: fmt.Sprintf("r%d/link", who), Content: make([]byte, 900)},
			driver.Put{Key: fmt.Sprintf("file/%d", who)})
		if err == nil {
			return errors.New("a file has children")
		}
		return nil
	})
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
