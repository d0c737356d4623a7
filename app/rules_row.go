package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"berth/registry/index"
)

const (
	// fewGoing is up to how many tags are measured at once; of more, the figure
	// comes later.
	fewGoing = 200
	// measurePause is how much longer than it took a figure must stand before it
	// is measured anew, so that a busy registry is not measured all the time.
	measurePause = 10
	// mostFigures bounds the figures that are remembered.
	mostFigures = 256
)

// freedRow is what a row frees.
type freedRow struct {
	basis basis
	sum   uint64 // of the sayings
	bytes int64
	took  time.Duration
	at    time.Time
}

// measuring is a row whose figure is to be found out.
type measuring struct {
	row   freedRow
	going []index.In
}

// row adds up what a question answers, for all repositories, and says up to when
// that holds. exact is false where the figure of what it frees is of before, or
// is not known yet; then it is measured in the background. The caller holds
// judge.mu and has called tally.
func (c *Core) row(ctx context.Context, q question, measure, now bool) (out RulePreview, until time.Time, exact bool, err error) {
	j := &c.judge
	freed := freedRow{basis: j.basis}
	for repo, of := range j.repos {
		t := of.rows[q.key]
		if t == nil {
			return out, until, false, errors.New("a repository was not judged")
		}
		out.Tags, out.Manifests = out.Tags+t.tags, out.Manifests+t.manifests
		if t.emptied {
			out.empties(repo)
		}
		freed.sum += t.serial * t.serial
		if !t.until.IsZero() && (until.IsZero() || t.until.Before(until)) {
			until = t.until
		}
	}
	n := out.Tags + out.Manifests
	if !measure || n == 0 {
		return out, until, true, nil
	}
	was, known := j.freed[q.key]
	out.Frees = was.bytes
	if known && was.basis == freed.basis && was.sum == freed.sum {
		return out, until, true, nil
	}
	if n > fewGoing && known && !now && time.Since(was.at) < measurePause*was.took {
		return out, until, false, nil
	}
	going := make([]index.In, 0, n)
	for _, of := range j.repos {
		going = append(going, of.rows[q.key].going...)
	}
	if n > fewGoing {
		c.measureLater(q.key, measuring{freed, going})
		return out, until, false, nil
	}
	if freed.bytes, err = c.ix.Frees(ctx, going...); err != nil {
		return out, until, false, fmt.Errorf("measure what rules free: %w", err)
	}
	j.keepFreed(q.key, freed)
	out.Frees = freed.bytes
	return out, until, true, nil
}

func (j *judge) keepFreed(key string, row freedRow) {
	if len(j.freed) >= mostFigures || j.freed == nil {
		j.freed = map[string]freedRow{}
	}
	j.freed[key] = row
}

// measureLater measures a row in the background. The caller holds judge.mu.
func (c *Core) measureLater(key string, m measuring) {
	j := &c.judge
	if len(j.unmeasured) >= mostFigures || j.unmeasured == nil {
		j.unmeasured = map[string]measuring{}
	}
	j.unmeasured[key] = m
	if j.measured == nil && c.inBackground(c.measureRows) {
		j.measured = make(chan struct{}) // measureRows comes to it when the lock is let go
	}
}

// measureRows measures until nothing is left to be measured. The lock is not
// held meanwhile.
func (c *Core) measureRows() {
	j := &c.judge
	for {
		j.mu.Lock()
		var key string
		var next measuring
		for key, next = range j.unmeasured {
			break
		}
		if key == "" || c.life.Err() != nil {
			close(j.measured)
			j.measured, j.unmeasured = nil, nil
			j.mu.Unlock()
			c.notify(Notice{Kind: NoticeUpkeep})
			return
		}
		delete(j.unmeasured, key)
		j.mu.Unlock()
		began := time.Now()
		bytes, err := c.ix.Frees(c.life, next.going...)
		if err != nil {
			if c.life.Err() == nil {
				c.log.Warn("what rules would free was not measured", "error", err)
			}
			continue
		}
		next.row.bytes, next.row.at = bytes, time.Now()
		next.row.took = next.row.at.Sub(began)
		j.mu.Lock()
		j.keepFreed(key, next.row)
		j.mu.Unlock()
	}
}
