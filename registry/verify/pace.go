package verify

import (
	"context"
	"time"
)

const (
	// DefaultRate is how much is read by default, in bytes a second: about a
	// quarter of what a slow disk gives.
	DefaultRate = 32 << 20

	// chunk is how much is read at a time.
	chunk = 128 << 10
	// courtesy is how long a chunk waits while the caller is busy. So a run
	// that never meets a quiet moment still comes to its end, at 2.5 MB a second.
	courtesy = 50 * time.Millisecond
	// nap is the shortest pause: what is less is added to the next.
	nap = 5 * time.Millisecond
)

// pace lets bytes through at a rate.
type pace struct {
	rate  int64        // <= 0: no limit
	limit func() int64 // nil: rate holds
	busy  func() bool
	next  time.Time // when what was let through is paid for
}

func newPace(o Options) pace { return pace{rate: o.Rate, limit: o.Limit, busy: o.Busy} }

// take waits until n more bytes may be read.
func (p *pace) take(ctx context.Context, n int) error {
	if p.busy != nil && p.busy() {
		if err := sleep(ctx, courtesy); err != nil {
			return err
		}
	}
	if p.limit != nil {
		p.rate = p.limit()
	}
	if p.rate <= 0 {
		return ctx.Err()
	}
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(time.Duration(int64(n) * int64(time.Second) / p.rate))
	if wait := p.next.Sub(now); wait >= nap {
		return sleep(ctx, wait)
	}
	return ctx.Err()
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
