package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// errDamaged is content of the index that the index did not write.
var errDamaged = errors.New("index is damaged")

// errAgain means that changes were lost while the store was read.
var errAgain = errors.New("the index lost changes meanwhile")

// prune forgets what is not on disk, no repository holds, and neither a tag nor
// a root reaches, so that the file does not grow with every push there ever was.
// What something else still refers to keeps its row, and loses only what it told
// about itself.
var prune = []string{
	// The edge to a referrer is the referrer's to end.
	`DELETE FROM edge WHERE parent IN (SELECT id FROM obj WHERE disk<0 AND holds=0 AND refs=0 AND kept=0 AND revs=0 AND info IS NOT NULL)
		AND NOT EXISTS (SELECT 1 FROM obj c WHERE c.id=edge.child AND c.subject=edge.parent)`,
	`UPDATE obj SET subject=NULL, artifact='', info=NULL WHERE disk<0 AND holds=0 AND refs=0 AND kept=0 AND revs=0 AND info IS NOT NULL`,
	`DELETE FROM obj WHERE disk<0 AND holds=0 AND refs=0 AND kept=0 AND revs=0 AND NOT EXISTS (SELECT 1 FROM edge WHERE child=obj.id)
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
	err := x.scan(ctx, `SELECT value FROM meta WHERE key=?`, metaComplete, &n)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return n == 1, err
}

// Lost reports whether changes may be missing since the last SetComplete(true).
func (x *Index) Lost() bool { return x.lost.Load() }

// SetComplete records that the index reflects the whole store, or that it does
// not. It comes after everything that was applied before. A complete index
// forgets what nothing holds any more. When changes were lost since the last
// time, what the caller has compared may be among them: the first call fails.
func (x *Index) SetComplete(ctx context.Context, complete bool) error {
	if err := x.inTurn(ctx, func(w *writer) error { return x.setComplete(w, complete) }); err != nil {
		return fmt.Errorf("record state of the index: %w", err)
	}
	return nil
}

func (x *Index) setComplete(w *writer, complete bool) error {
	x.mu.Lock()
	again := x.again
	x.again = false
	x.mu.Unlock()
	if complete && again {
		return errAgain
	}
	if err := w.setComplete(complete); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if complete && !x.again {
		x.failed = false
		x.lost.Store(false)
	}
	return nil
}

func (w *writer) setComplete(complete bool) error {
	w.forget() // rows go
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	do := func() error {
		if complete {
			for _, query := range prune {
				if err := w.exec(query); err != nil {
					return err
				}
			}
		}
		n := int64(0)
		if complete {
			n = 1
		}
		if err := w.exec(sqlMeta, metaComplete, n); err != nil {
			return err
		}
		return w.exec("COMMIT")
	}
	if err := do(); err != nil {
		return errors.Join(err, w.rollback())
	}
	return nil
}

// watch looks out for errors that mean a damaged file. The writer then sets it
// aside and begins anew, and the index does not call itself complete until it
// was rebuilt.
func (x *Index) watch(err error) error {
	if err == nil {
		return nil
	}
	c := code(err)
	if errors.Is(err, errDamaged) || c == sqlite3.SQLITE_CORRUPT || c == sqlite3.SQLITE_NOTADB {
		if !x.damaged.Swap(true) {
			x.log.Error("index damaged", "path", x.path, "error", err)
		}
		x.lost.Store(true)
		signal(x.wake)
		signal(x.hurry)
	}
	return err
}
