package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"berth/registry"
	"berth/registry/index"
)

var _ index.Pusher = (*Index)(nil)

// Pushed tells of one push; see index.Pusher.
func (x *Index) Pushed(ctx context.Context, repo, tag string, d registry.Digest) (time.Time, string, error) {
	x.mu.Lock()
	var queued pendingTag
	fresh := false
	if r := x.pending.repos[repo]; r != nil {
		queued, fresh = r.tags[tag], r.dropped != 0
	}
	x.mu.Unlock()
	unknown := fmt.Errorf("%s:%s: %w", repo, tag, index.ErrUnknown)
	switch {
	case queued.number != 0 && queued.digest == d:
		return queued.at, queued.by, nil
	case queued.number != 0, fresh:
		return time.Time{}, "", unknown
	}
	s, err := x.file.Load().prepared(`SELECT t.at, t.by FROM repo r CROSS JOIN tag t ON t.repo = r.id AND t.name = ? CROSS JOIN obj o ON o.id = t.obj
		WHERE r.name = ? AND o.key = ?`)
	if err != nil {
		return time.Time{}, "", x.watch(err)
	}
	var at int64
	var by string
	err = s.QueryRowContext(context.WithoutCancel(ctx), tag, repo, keyOf(d)).Scan(&at, &by)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, "", unknown
	}
	return timeOf(at), by, x.watch(err)
}
