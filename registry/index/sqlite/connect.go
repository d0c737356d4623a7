package sqlite

import (
	"context"
	"database/sql"
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

// writes are the statements that the writer prepares for each transaction; the
// driver keeps no plan beyond its connection, and one connection writes.
var writes = []string{
	sqlTotal, sqlCount, sqlRepoID, sqlRepoNew, sqlRepoAdd, sqlRepoTag,
	sqlObj, sqlObjNew, sqlObjByID, sqlObjSize, sqlObjHold, sqlObjRefs, sqlObjInfo,
	sqlHold, sqlHoldPut, sqlHoldDel, sqlSharers, sqlHolders, sqlRevised,
	sqlEdgePut, sqlEdgeHas, sqlEdgeDel, sqlTag, sqlTagPut, sqlTagDel, sqlTagPull,
	sqlReach, sqlRoots,
}

// transact applies a batch, whole or not at all.
func (x *Index) transact(batch []index.Change) (err error) {
	ctx := context.Background() // the writer outlives every request
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // the first error is the one that tells
		}
	}()
	w := &writer{ctx: ctx, tx: tx, stmts: make(map[string]*sql.Stmt, len(writes))}
	defer w.close()
	for _, query := range writes {
		if w.stmts[query], err = tx.PrepareContext(ctx, query); err != nil {
			return err
		}
	}
	for _, c := range batch {
		if err = w.apply(c); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (w *writer) close() {
	for _, s := range w.stmts {
		_ = s.Close() // nothing depends on it: the transaction has ended
	}
}
