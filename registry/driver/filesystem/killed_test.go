package filesystem

import (
	"context"
	"errors"
	"testing"
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
		return w.Close()
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
