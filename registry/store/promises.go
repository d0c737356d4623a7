package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"berth/registry"
)

// promisesKey holds what was promised when a store was closed in order. It is
// there only while no store is open: one that was killed leaves none, and the
// next one waits for the grace.
const promisesKey = "berth/promises.json"

// maxPromises is how many are written down; of more, the next store waits.
const maxPromises = 100_000

// resumed is how long the next store keeps what has no time of its own, for a
// push that may go on after the start.
const resumed = time.Minute

// promises is the file.
type promises struct {
	Version int                           `json:"version"`
	Until   map[registry.Digest]time.Time `json:"until"`
}

// leave writes down what still holds.
func (s *Store) leave(ctx context.Context) error {
	if s.leases.grace.Load() <= 0 || s.settling() {
		return nil
	}
	now, until := time.Now(), map[registry.Digest]time.Time{}
	s.leases.mu.Lock()
	for d, is := range s.leases.until {
		if is.until.After(now) {
			until[d] = is.until
		} else if s.leases.runs(is, now) {
			until[d] = now.Add(resumed)
		}
	}
	for d, p := range s.leases.passing { // while there was no grace
		if soon := now.Add(resumed); s.leases.passes(p) && until[d].Before(soon) {
			until[d] = soon
		}
	}
	s.leases.mu.Unlock()
	if len(until) > maxPromises {
		return nil
	}
	content, err := json.Marshal(promises{Version: 1, Until: until})
	if err != nil {
		return fmt.Errorf("write down what was promised: %w", err)
	}
	if err := s.drv.Put(ctx, promisesKey, content); err != nil {
		return fmt.Errorf("write down what was promised: %w", err)
	}
	return nil
}

// inherit takes over what was promised before; true means that all of it is
// known, as where nothing was pushed yet. The file goes first, also when it is of
// no use now: a store that is killed later leaves none. One without promises makes
// none, and leaves it.
func (s *Store) inherit(ctx context.Context) bool {
	grace := time.Duration(s.leases.grace.Load())
	if grace <= 0 && grace != InFlight {
		return false
	}
	content, err := s.read(ctx, promisesKey, maxPromises*128)
	if errors.Is(err, fs.ErrNotExist) {
		return s.bare(ctx)
	}
	if err != nil || s.drv.Delete(ctx, promisesKey) != nil {
		return false // on a disk that is not to be relied on
	}
	if grace == InFlight {
		return false
	}
	var p promises
	if err := json.Unmarshal(content, &p); err != nil || p.Version != 1 {
		return false
	}
	latest := time.Now().Add(grace)
	for d, until := range p.Until {
		if until.After(latest) {
			until = latest // by a clock that was wrong
		}
		s.leases.until[d] = lease{until: until}
	}
	return true
}

// bare reports whether nothing was pushed here yet, so that nothing can have been
// promised. A link to a disk that is not there is something.
func (s *Store) bare(ctx context.Context) bool {
	top, _, _ := strings.Cut(root, "/")
	for info, err := range s.drv.List(ctx, "") {
		if err != nil {
			return errors.Is(err, fs.ErrNotExist)
		}
		if info.Key == top {
			return false
		}
	}
	return true
}
