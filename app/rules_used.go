package app

import (
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"berth/registry"
	"berth/registry/event"
	"berth/registry/gc"
	"berth/registry/index"
)

// mark is an event of a Core for itself: who counts pulls and meets it has
// counted all that came before.
const mark event.Kind = "mark"

// marks are those that are waited for. The zero value is usable.
type marks struct {
	mu      sync.Mutex // guards what follows
	waiting map[string]chan struct{}
	began   time.Time // a time of markPace, in which some were put
	put     int
}

// At most marksAtOnce are put within markPace: who reads events rests when he is
// woken more often, and a clean-up asks for each repository.
const (
	markPace    = 10 * time.Millisecond
	marksAtOnce = 4
)

// pullsCounted waits until the pulls are counted that have ended by now, or a
// moment ago. Where events are missed, that is known afterwards.
func (c *Core) pullsCounted(ctx context.Context) error {
	name, met, m, now := rand.Text(), make(chan struct{}), &c.marks, time.Now()
	m.mu.Lock()
	if now.Sub(m.began) >= markPace {
		m.began, m.put = now, 0
	}
	if m.put++; m.put > marksAtOnce {
		m.mu.Unlock()
		return ctx.Err()
	}
	if m.waiting == nil {
		m.waiting = map[string]chan struct{}{}
	}
	m.waiting[name] = met
	m.mu.Unlock()
	c.bus.Publish(event.Event{Kind: mark, Tag: name})
	select {
	case <-met:
		return nil
	case <-c.life.Done():
		return c.life.Err()
	case <-ctx.Done():
		m.meet(name)
		return ctx.Err()
	}
}

// meet tells who waits for a mark, or all, when some may have been missed.
func (m *marks) meet(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for of, met := range m.waiting {
		if name == of || name == "" {
			close(met)
			delete(m.waiting, of)
		}
	}
}

// uses gives what a clean-up asks when manifests were used; see gc.Options.
//
// Where a rule says for how long those without a tag stay, it says so of their
// last use, as in its preview: then a doubt counts as a use, such as that of an
// index that does not reflect the disk, or that has not counted pulls for long
// enough. The grace alone promises nothing like that, and counts what is known.
func (c *Core) uses(byRule bool) func(context.Context, string) iter.Seq2[gc.Use, error] {
	return func(ctx context.Context, repo string) iter.Seq2[gc.Use, error] {
		return func(yield func(gc.Use, error) bool) {
			err := c.pullsCounted(ctx)
			now, since := time.Now(), time.Time{}
			switch {
			case !byRule:
			case c.blind():
				since = now
			default:
				since = time.Unix(c.judge.since.Load(), 0)
			}
			var rows iter.Seq2[index.Used, error] = func(func(index.Used, error) bool) {}
			if dater, ok := c.ix.(index.Dater); ok && err == nil {
				rows = dater.Used(ctx, repo)
			}
			for row, failed := range rows {
				if err = failed; err != nil {
					break
				}
				at := latest(row.Pushed, row.Pulled, since)
				if byRule && row.Pushed.IsZero() {
					at = now
				}
				if !yield(gc.Use{Digest: row.Digest, At: at}, nil) {
					return
				}
			}
			if err == nil {
				return
			}
			if !byRule && ctx.Err() == nil {
				c.log.Warn("a clean-up does not know what was pulled", "repository", repo, "error", err)
				return
			}
			yield(gc.Use{}, err)
		}
	}
}

// unsureOfPulls reports whether a clean-up frees no manifest without a tag, since
// it is not known what was pulled for as long as rules keep those.
func (c *Core) unsureOfPulls(now time.Time, untagged time.Duration) bool {
	return untagged > 0 && (c.blind() || now.Sub(time.Unix(c.judge.since.Load(), 0)) < untagged)
}

// usedLately reports whether a clean-up keeps a manifest without a tag since it
// was used, or may have been.
func (c *Core) usedLately(ctx context.Context, repo string, d registry.Digest, o gc.Options, now time.Time) bool {
	changer, ok := c.ix.(index.Changer)
	if !ok || c.unsureOfPulls(now, o.UntaggedAfter) || c.pullsCounted(ctx) != nil {
		return o.UntaggedAfter > 0
	}
	rows, err := changer.CandidatesOf(ctx, repo, nil, []registry.Digest{d})
	return err != nil && !errors.Is(err, index.ErrUnknown) || slices.ContainsFunc(rows, func(row index.Candidate) bool {
		return now.Sub(latest(row.Pushed, row.Pulled)) < max(o.UntaggedAfter, o.Grace)
	})
}

func latest(times ...time.Time) (last time.Time) {
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}
