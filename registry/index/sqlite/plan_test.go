package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/index"
)

// scans are what statements may go through as a whole.
var scans = []string{
	"SCAN total",       // one row
	"SCAN j VIRTUAL",   // the page that is asked for
	"SCAN r", "SCAN e", // what a tag reaches
	"SCAN sqlite_master", "SCAN CONSTANT",
	"SCAN repo USING INDEX repo_pushed",             // in order, until the page is full
	"SCAN repo USING INDEX sqlite_autoindex_repo_1", // the candidates of all
	"SCAN repo USING COVERING INDEX repo_empty", "SCAN obj USING INDEX obj_dead",
	"SCAN obj USING COVERING INDEX obj_dead",
}

func TestNoStatementGoesThroughATable(t *testing.T) {
	t.Parallel()
	x := opened(t, filepath.Join(t.TempDir(), "index.db"))
	push(t, x, "a", 3)
	changes := tagged("a", "v0000")
	m := changes[0].(index.PutManifest)
	d := m.Manifest.Descriptor.Digest
	apply := func(changes ...index.Change) {
		t.Helper()
		if err := x.Apply(t.Context(), changes...); err != nil {
			t.Fatal(err)
		}
		settled(t, x)
	}
	signature := tagged("a", "signature")[0].(index.PutManifest)
	signature.Manifest.Subject = d
	apply(signature, index.Pulled{Repository: "a", Tag: "v0000", Digest: d}, index.Pulled{Repository: "a", Digest: d})
	apply(tagged("b", "v1")...)
	m.Repository = "b"
	apply(m)
	apply(index.DropManifest{Repository: "b", Digest: d}, index.DropTag{Repository: "b", Tag: "v1"}, index.DropManifest{Repository: "a", Digest: signature.Manifest.Descriptor.Digest})
	apply(index.PutRoot{ID: "trash/1", Digest: d}, index.PutRoot{ID: "trash/2", Digest: d}, index.PutStored{Digest: d, Size: 100}, index.DropStored{Digest: d})
	read(t, x, d)
	apply(index.DropRoot{ID: "trash/1"})
	apply(index.DropRepository{Repository: "a"})
	whole(t, x)
	seen := 0
	check := func(query string) {
		if strings.HasPrefix(query, "PRAGMA") || strings.Contains("BEGIN IMMEDIATE COMMIT ROLLBACK", query) {
			return
		}
		seen++
		for _, line := range plan(t, x, query) {
			if strings.HasPrefix(line, "SCAN") && !allowed(line) || strings.Contains(line, "AUTOMATIC") {
				t.Errorf("%s\n\t%s", query, line)
			}
		}
	}
	x.file.Load().stmts.Range(func(query, _ any) bool { check(query.(string)); return true })
	var writes []string
	if err := x.inTurn(t.Context(), func(w *writer) error {
		for query := range w.stmts {
			writes = append(writes, query)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, query := range writes {
		check(query)
	}
	if seen < 40 {
		t.Errorf("only %d statements were looked at", seen)
	}
}

// read asks everything once.
func read(t *testing.T, x *Index, d registry.Digest) {
	t.Helper()
	ctx := t.Context()
	var errs []error
	note := func(_ any, err error) { errs = append(errs, err) }
	note(x.RepositoryNames(ctx, "", 10))
	note(x.TagNames(ctx, "a", "", 10))
	note(x.TagsOf(ctx, "a", d))
	note(x.Manifests(ctx, "a", "", 10))
	note(x.Referrers(ctx, "a", d, "", "", 10))
	note(x.Repositories(ctx, index.Query{Limit: 10}))
	note(x.Repository(ctx, "a"))
	note(x.Tags(ctx, "a", index.Query{}))
	note(x.Manifest(ctx, d))
	note(x.Sharing(ctx, []registry.Digest{d}))
	note(x.Usage(ctx))
	note(x.Complete(ctx))
	note(x.Fresh(ctx, time.Unix(1, 0)))
	note(x.Frees(ctx, index.In{Repository: "a", Digest: d}))
	note(x.Sizes(ctx, index.In{Repository: "a", Digest: d}))
	note(x.Stored(ctx, "", 10))
	note(x.Roots(ctx, "", 10))
	for _, err := range x.Candidates(ctx, "") {
		errs = append(errs, err)
	}
	for _, err := range x.Used(ctx, "a") {
		errs = append(errs, err)
	}
	note(x.CandidatesOf(ctx, "a", []string{"v0000"}, []registry.Digest{d}))
	_, _, err := x.Pushed(ctx, "a", "v0000", d)
	for _, err := range append(errs, err) {
		if err != nil {
			t.Error(err)
		}
	}
}

func allowed(line string) bool {
	for _, s := range scans {
		if line == s || strings.HasPrefix(line, s+" ") {
			return true
		}
	}
	return false
}

func plan(t *testing.T, x *Index, query string) []string {
	t.Helper()
	args := make([]any, strings.Count(query, "?"))
	rows, err := x.file.Load().db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		out = append(out, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
