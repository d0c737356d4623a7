package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net/url"
	"path/filepath"
	"strings"
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

// conn is the writer's connection, without the pool that database/sql puts
// before one: a change is a handful of statements of a few microseconds each.
type conn struct {
	c     driver.Conn
	stmts map[string]driver.Stmt
	args  []driver.NamedValue
	row   [18]driver.Value
}

// background is what statements of the writer run under: no request ends them.
var background = context.Background()

func (c *conn) stmt(query string) (driver.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.c.Prepare(query)
	if err != nil {
		return nil, err
	}
	if c.stmts == nil {
		c.stmts = map[string]driver.Stmt{}
	}
	c.stmts[query] = s
	return s, nil
}

// bind names arguments by their place. They are int64, string, []byte or nil.
func (c *conn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// exec runs a statement that is prepared once.
func (c *conn) exec(query string, args ...any) error {
	s, err := c.stmt(query)
	if err != nil {
		return err
	}
	_, err = s.(driver.StmtExecContext).ExecContext(background, c.bind(args))
	return err
}

// script runs statements that need not be fast.
func (c *conn) script(text string) error {
	_, err := c.c.(driver.ExecerContext).ExecContext(background, text, nil)
	return err
}

// each calls do with every row, which is reused.
func (c *conn) each(query string, do func(row []driver.Value), args ...any) error {
	s, err := c.stmt(query)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(background, c.bind(args))
	if err != nil {
		return err
	}
	row := c.row[:len(rows.Columns())]
	for err == nil {
		if err = rows.Next(row); err == nil {
			do(row)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, rows.Close())
}

// one reads the first row; nil when there is none. It is good until the next call.
func (c *conn) one(query string, args ...any) (row []driver.Value, err error) {
	s, err := c.stmt(query)
	if err != nil {
		return nil, err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(background, c.bind(args))
	if err != nil {
		return nil, err
	}
	row = c.row[:len(rows.Columns())]
	err = rows.Next(row)
	closed := rows.Close()
	if errors.Is(err, io.EOF) {
		return nil, closed
	}
	return row, errors.Join(err, closed)
}

// numbers reads the one column of all rows.
func (c *conn) numbers(query string, args ...any) (out []int64, err error) {
	err = c.each(query, func(row []driver.Value) { out = append(out, integer(row[0])) }, args...)
	return out, err
}

// integer reads an integer column; anything else there is read as zero.
func integer(v driver.Value) int64 {
	n, _ := v.(int64)
	return n
}

// close lets go of everything; what is wrong then, the pool's close tells.
func (c *conn) close() {
	for _, s := range c.stmts {
		_ = s.Close()
	}
	_ = c.c.Close()
}
