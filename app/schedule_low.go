package app

import (
	"context"
	"fmt"
	"time"
)

const (
	// lowRounds is how often the trash is emptied further in one go.
	lowRounds = 5
	// lowPause is how long a disk that stays low is left alone; twice as long
	// each time that nothing could be freed, up to lowLongest.
	lowPause   = time.Hour
	lowLongest = 24 * time.Hour
)

// lowWater remembers that the disk was low, so that nothing is tried again and
// again.
type lowWater struct {
	pause time.Duration // 0: it was not low
	again time.Time
}

// lookAtDisk frees space when there is too little room.
func (s *scheduler) lookAtDisk(ctx context.Context, now time.Time) error {
	missing, err := s.missing(ctx)
	if err != nil {
		return err
	}
	switch {
	case missing <= 0:
		// A little more than the mark, or it would be low again at once.
		if room, err := s.roomOver(ctx); err != nil || room {
			s.low = lowWater{}
		}
		return err
	case s.low.pause > 0 && now.Before(s.low.again) && s.low.again.Sub(now) <= lowLongest:
		return nil
	}
	freed, err := s.freeLow(ctx)
	if s.low.pause = min(max(2*s.low.pause, lowPause), lowLongest); freed > 0 {
		s.low.pause = lowPause
	}
	s.low.again = wall().Add(s.low.pause)
	return err
}

// missing is how much room there is too little; 0 or less: none.
func (s *scheduler) missing(ctx context.Context) (int64, error) {
	conf := s.conf()
	if s.space == nil || conf.Low == "" {
		return 0, nil
	}
	free, total, err := s.space(ctx)
	if err != nil {
		return 0, fmt.Errorf("look at the room on the disk: %w", err)
	}
	return conf.LowBytes(total) - free, nil
}

// beyond reports whether there must be more room than the disk is large: it then
// stays low whatever goes. When that is not known it is so.
func (s *scheduler) beyond(ctx context.Context) bool {
	_, total, err := s.space(ctx)
	return err != nil || s.conf().LowBytes(total) >= total
}

// roomOver reports whether there is a tenth more room than there must be.
func (s *scheduler) roomOver(ctx context.Context) (bool, error) {
	conf := s.conf()
	if s.space == nil || conf.Low == "" {
		return true, nil
	}
	free, total, err := s.space(ctx)
	low := conf.LowBytes(total)
	return free >= low+low/10, err
}

// freeLow cleans up, and while there is still too little room lets go of the
// oldest of the trash and cleans up again; not for room that no disk of this
// size can have.
func (s *scheduler) freeLow(ctx context.Context) (freed int64, err error) {
	r, err := s.clean(ctx, ask{by: byLow})
	s.told(r, err)
	freed = r.Freed
	for round := 0; err == nil && round < lowRounds && s.empty != nil; round++ {
		missing, failed := s.missing(ctx)
		if failed != nil || missing <= 0 || s.beyond(ctx) {
			return freed, failed
		}
		emptied, failed := s.empty(ctx, func() bool { return s.enough(ctx, missing) })
		if failed != nil || emptied == 0 {
			return freed, failed
		}
		s.log.Warn("trash let go since the disk is low", "entries", emptied, "missing_bytes", missing)
		r, err = s.clean(ctx, ask{by: byLow, emptied: emptied})
		s.told(r, err)
		freed += r.Freed
	}
	return freed, err
}

// enough reports whether a clean-up would free what is missing. When that is
// not known it is: what left the trash does not come back.
func (s *scheduler) enough(ctx context.Context, missing int64) bool {
	would, err := s.freeable(ctx)
	return err != nil || would >= missing
}
