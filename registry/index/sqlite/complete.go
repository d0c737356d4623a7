package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// errDamaged is content of the index that the index did not write.
var errDamaged = errors.New("index is damaged")

// prune forgets what no repository holds and no tag reaches, so that the file
// does not grow with every push there ever was. What something else still
// refers to keeps its row, and loses only what it told about itself.
var prune = []string{
	// The edge to a referrer is the referrer's to end.
	`DELETE FROM edge WHERE parent IN (SELECT id FROM obj WHERE holds=0 AND refs=0 AND known=1)
		AND NOT EXISTS (SELECT 1 FROM obj c WHERE c.id=edge.child AND c.subject=edge.parent)`,
	`UPDATE obj SET known=0, subject=NULL, artifact='', info=NULL WHERE holds=0 AND refs=0 AND known=1`,
	`DELETE FROM obj WHERE holds=0 AND refs=0 AND NOT EXISTS (SELECT 1 FROM edge WHERE child=obj.id)
		AND NOT EXISTS (SELECT 1 FROM obj s WHERE s.subject=obj.id)`,
	`DELETE FROM repo WHERE tags=0 AND manifests=0 AND NOT EXISTS (SELECT 1 FROM hold WHERE repo=repo.id)`,
}

// Complete reports whether SetComplete(true) was called and nothing was lost
// since.
func (x *Index) Complete(ctx context.Context) (bool, error) {
	x.mu.Lock()
	failed := x.failed
	x.mu.Unlock()
	if failed || x.damaged.Load() {
		return false, nil
	}
	var n int64
	err := x.db.QueryRowContext(ctx, `SELECT value FROM meta WHERE key='complete'`).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return n == 1, err
}

// SetComplete records that the index reflects the whole store, or that it does
// not. It waits for the queue first. A complete index forgets what nothing
// holds any more.
func (x *Index) SetComplete(ctx context.Context, complete bool) error {
	if err := x.settle(ctx); err != nil {
		return err
	}
	if err := x.watch(x.setComplete(ctx, complete)); err != nil {
		return fmt.Errorf("record state of the index: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.failed = false
	return nil
}

func (x *Index) setComplete(ctx context.Context, complete bool) error {
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if complete {
		for _, query := range prune {
			if _, err := tx.ExecContext(ctx, query); err != nil {
				return err
			}
		}
	}
	if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO meta(key, value) VALUES('complete', ?)`, complete); err != nil {
		return err
	}
	return tx.Commit()
}

// watch looks out for errors that mean a damaged file. Such an index does not
// call itself complete any more, and Close sets it aside, so that the next start
// builds it anew.
func (x *Index) watch(err error) error {
	bad := errors.Is(err, errDamaged)
	var e *sqlite.Error
	if errors.As(err, &e) {
		primary := e.Code() & 0xff
		bad = primary == sqlite3.SQLITE_CORRUPT || primary == sqlite3.SQLITE_NOTADB
	}
	if bad && !x.damaged.Swap(true) {
		x.log.Error("index damaged", "path", x.path, "error", err)
	}
	return err
}
