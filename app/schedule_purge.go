package app

import (
	"context"
	"iter"
	"time"

	"berth/app/config"
	"berth/registry/store"
)

// purgePace is how soon a change of storage.maintenance.uploadpurging acts.
const purgePace = time.Minute

// purger removes uploads that nobody finished, as distribution does: from time
// to time, with whatever the configuration says at that moment. One goroutine.
type purger struct {
	c       *Core
	uploads interface {
		StaleUploads(ctx context.Context, olderThan time.Time) iter.Seq2[store.Stale, error]
		PurgeUploads(ctx context.Context, olderThan time.Time) (int, error)
	}
	changed <-chan struct{} // has a value when the settings changed
}

func (p *purger) run(ctx context.Context) {
	var was config.UploadPurging
	var next time.Time
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-p.changed:
		}
		how := p.c.conf().Storage.Maintenance.UploadPurging
		if how.Enabled && (!was.Enabled || how.Interval != was.Interval) {
			next = time.Now().Add(min(firstUpkeep, how.Interval))
		}
		was = how
		if how.Enabled && !time.Now().Before(next) {
			p.purge(ctx, how)
			next = time.Now().Add(how.Interval)
		}
		wait := purgePace
		if how.Enabled {
			wait = min(wait, max(time.Until(next), 0))
		}
		timer.Reset(wait)
	}
}

func (p *purger) purge(ctx context.Context, how config.UploadPurging) {
	n, err := 0, error(nil)
	what, cutoff := "unfinished uploads purged", time.Now().Add(-how.Age)
	if how.DryRun {
		what = "unfinished uploads would be purged"
		for u, failed := range p.uploads.StaleUploads(ctx, cutoff) {
			if err = failed; err != nil {
				break
			}
			n++
			p.c.log.Info("upload would be purged", "repository", u.Repository, "upload", u.ID, "last_written", u.Last)
		}
	} else {
		n, err = p.uploads.PurgeUploads(ctx, cutoff)
	}
	if err != nil && ctx.Err() == nil {
		p.c.log.Warn("upkeep failed", "task", what, "error", err)
	}
	if n > 0 {
		p.c.log.Info(what, "count", n)
		p.c.notify(Notice{Kind: NoticeStatus})
	}
}
