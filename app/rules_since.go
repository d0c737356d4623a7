package app

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// pullsSince finds out since when pulls are counted. Counts live in the index
// alone: one that has just been made, also in place of a lost one, knows of no
// pull before now, and then a rule must not take something for unused. A file
// beside it keeps the moment.
func (c *Core) pullsSince(ctx context.Context) time.Time {
	now := time.Now().UTC().Truncate(time.Second)
	if c.indexPath() == ":memory:" {
		return now
	}
	if complete, err := c.ix.Complete(ctx); err == nil && complete {
		var kept pullsFile
		content, err := os.ReadFile(c.pullsPath())
		if err == nil && json.Unmarshal(content, &kept) == nil && !kept.Since.IsZero() && !kept.Since.After(now) {
			return kept.Since
		}
	}
	c.keepPullsSince(now)
	return now
}

// pullsFile is what the file beside the index holds.
type pullsFile struct {
	Since time.Time `json:"since"`
}

func (c *Core) pullsPath() string { return filepath.Join(c.cfg.Data(), "berth", "pulls.json") }

func (c *Core) keepPullsSince(since time.Time) {
	content, err := json.Marshal(pullsFile{since})
	if err == nil {
		err = os.WriteFile(c.pullsPath(), append(content, '\n'), 0o600)
	}
	if err != nil {
		c.log.Warn("since when pulls are counted was not kept; rules take it for the time of this start", "error", err)
	}
}

// missedPulls is for pulls that were not counted, nobody knows of what: from
// now on a rule must not take for unused what was not pulled before.
func (c *Core) missedPulls() {
	since := time.Now().UTC().Truncate(time.Second).Add(time.Second)
	if c.judge.since.Swap(since.Unix()) == since.Unix() {
		return
	}
	c.log.Warn("pulls were not counted, since too many came at once; rules about pulls count from now on")
	if c.indexPath() != ":memory:" {
		c.keepPullsSince(since)
	}
}
