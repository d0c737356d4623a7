package app

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The memory of requests is collected rarely while there are many of them, and
// what was needed then is given back after them.
const (
	// slack is how much garbage may gather beside as much as is in use.
	slack = 16 << 20
	// mostPercent and usual bound what is asked of the collector; see
	// [debug.SetGCPercent].
	mostPercent, usual = 500, 100
	// manyRequests within tidePace are many.
	manyRequests = 200
	tidePace     = 250 * time.Millisecond
	// ebb is for how long there must be few requests.
	ebb = 5 * time.Second
)

// requests is the part of a server that tide needs.
type requests interface {
	// Awake tells of the next request.
	Awake() <-chan struct{}
	// Requests counts those that there were.
	Requests() uint64
}

// tide follows how much there is to do, until ctx ends: while it is much, the
// collector is asked for fitting percent. It takes no time while nobody asks
// for anything.
func tide(ctx context.Context, server requests, fitting func() int, giveBack func()) {
	if os.Getenv("GOGC") != "" {
		return // somebody knows better
	}
	defer debug.SetGCPercent(debug.SetGCPercent(usual))
	percent, last := usual, time.Now()
	for {
		if percent == usual {
			select {
			case <-ctx.Done():
				return
			case <-server.Awake():
			}
		}
		before := server.Requests()
		timer := time.NewTimer(tidePace)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		switch {
		case server.Requests()-before >= manyRequests:
			last = time.Now()
			if now := fitting(); now != percent {
				percent = now
				debug.SetGCPercent(percent)
			}
		case percent != usual && time.Since(last) >= ebb:
			percent = usual
			debug.SetGCPercent(percent)
			giveBack()
		}
	}
}

func fittingPercent() int { return percentFor(live()) }

// live is how much memory was in use when it was last collected.
func live() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return slack
	}
	return sample[0].Value.Uint64()
}

// percentFor is how much garbage may gather, in parts of what is in use: less,
// the more that is. It changes in steps, since each change stops the program
// for a moment.
func percentFor(live uint64) int {
	const step = 100
	more := slack * 100 / max(live, 1<<20) / step * step
	return min(usual+int(more), mostPercent)
}

func (c *Core) giveBack() {
	if err := GiveBack(); err != nil {
		c.log.Debug("memory that is not needed stays", "error", err)
	}
}
