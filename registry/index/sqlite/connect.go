package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"strings"

	"berth/registry/index"
)

// pathEscaper writes a file path as SQLite's file: URLs want it.
type pathEscaper struct{ path string }

// String gives the escaped path, with slashes also on Windows.
func (p *pathEscaper) String() string {
	s := filepath.ToSlash(p.path)
	if len(s) > 1 && s[1] == ':' {
		s = "/" + s
	}
	return strings.ReplaceAll((&url.URL{Path: s}).EscapedPath(), "?", "%3f")
}

// writes are the statements of the writer, prepared once on its connection.
var writes = []string{
	sqlTotal, sqlCount, sqlRepoID, sqlRepoNew, sqlRepoAdd, sqlRepoTag,
	sqlObj, sqlObjNew, sqlObjByID, sqlObjSize, sqlObjHold, sqlObjRefs, sqlObjInfo,
	sqlHold, sqlHoldPut, sqlHoldDel, sqlSharers, sqlHolders, sqlRevised,
	sqlEdgePut, sqlEdgeHas, sqlEdgeDel, sqlTag, sqlTagPut, sqlTagDel, sqlTagPull,
	sqlReach, sqlRoots,
}

// newWriter takes a connection for the writer goroutine.
func newWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{ctx: context.WithoutCancel(ctx), conn: conn, stmts: make(map[string]*sql.Stmt, len(writes))}
	for _, query := range writes {
		if w.stmts[query], err = conn.PrepareContext(ctx, query); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

// transact applies a batch, whole or not at all.
func (w *writer) transact(batch []index.Change) error {
	if _, err := w.conn.ExecContext(w.ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, c := range batch {
		if err := w.apply(c); err != nil {
			return errors.Join(err, w.rollback())
		}
	}
	if _, err := w.conn.ExecContext(w.ctx, "COMMIT"); err != nil {
		return errors.Join(err, w.rollback())
	}
	return nil
}

// rollback ends a transaction, unless SQLite has done so because of the error.
func (w *writer) rollback() error {
	_, err := w.conn.ExecContext(w.ctx, "ROLLBACK")
	if err != nil && strings.Contains(err.Error(), "no transaction is active") {
		return nil
	}
	return err
}

func (w *writer) close() error {
	var errs []error
	for _, s := range w.stmts {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(append(errs, w.conn.Close())...)
}
