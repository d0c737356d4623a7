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
	path := filepath.Join(c.cfg.Data(), "berth", "pulls.json")
	var kept struct {
		Since time.Time `json:"since"`
	}
	if complete, err := c.ix.Complete(ctx); err == nil && complete {
		content, err := os.ReadFile(path)
		if err == nil && json.Unmarshal(content, &kept) == nil && !kept.Since.IsZero() && !kept.Since.After(now) {
			return kept.Since
		}
	}
	kept.Since = now
	content, err := json.Marshal(kept)
	if err == nil {
		err = os.WriteFile(path, append(content, '\n'), 0o600)
	}
	if err != nil {
		c.log.Warn("since when pulls are counted was not kept; rules take it for the time of this start", "error", err)
	}
	return now
}
