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
	s, err := x.prepared(ctx, `SELECT t.at, t.by FROM repo r CROSS JOIN tag t ON t.repo = r.id AND t.name = ? CROSS JOIN obj o ON o.id = t.obj
		WHERE r.name = ? AND o.digest = ?`)
	if err != nil {
		return time.Time{}, "", err
	}
	var at int64
	var by string
	err = s.QueryRowContext(ctx, tag, repo, string(d)).Scan(&at, &by)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, "", fmt.Errorf("%s:%s: %w", repo, tag, index.ErrUnknown)
	}
	return time.Unix(0, at).UTC(), by, x.watch(err)
}
