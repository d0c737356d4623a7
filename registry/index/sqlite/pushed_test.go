package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"berth/registry/index"
	"berth/registry/index/sqlite"

	"github.com/opencontainers/go-digest"
)

func TestOnePushIsToldByItsTagAndDigest(t *testing.T) {
	t.Parallel()
	x := open(t, filepath.Join(t.TempDir(), "index.db"))
	changes := pushed("a", "v1", 1)
	put := changes[len(changes)-1].(index.PutTag)
	put.By = "anna"
	changes[len(changes)-1] = put
	if err := x.Apply(t.Context(), changes...); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Usage(t.Context()); err != nil { // waits for what was applied
		t.Fatal(err)
	}
	at, by, err := x.Pushed(t.Context(), "a", "v1", put.Digest)
	if err != nil || by != "anna" || !at.Equal(time.Unix(1_700_000_001, 0)) {
		t.Errorf("pushed %v by %q, %v", at, by, err)
	}
	for _, other := range []index.PutTag{{Repository: "a", Tag: "v2", Digest: put.Digest}, {Repository: "b", Tag: "v1", Digest: put.Digest}, {Repository: "a", Tag: "v1", Digest: digest.FromString("other")}} {
		if _, _, err := x.Pushed(t.Context(), other.Repository, other.Tag, other.Digest); !errors.Is(err, index.ErrUnknown) {
			t.Errorf("%+v: %v", other, err)
		}
	}
}

func TestUsesOfManifestsAreToldWithPullsThatAreNotWrittenYet(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "index.db"), ":memory:"} {
		tellUses(t, open(t, path))
	}
}

func tellUses(t *testing.T, x *sqlite.Index) {
	t.Helper()
	const n = 5000 // more than a page
	for i := range n {
		if err := x.Apply(t.Context(), pushed("a", "v1", i)[3]); err != nil {
			t.Fatal(err)
		}
	}
	first := pushed("a", "v1", 0)[3].(index.PutManifest)
	pulled := first.At.Add(time.Hour)
	if err := x.Apply(t.Context(), index.Pulled{Repository: "a", Digest: first.Manifest.Descriptor.Digest, At: pulled}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for u, err := range x.Used(t.Context(), "a") {
		if err != nil {
			t.Fatal(err)
		}
		seen[u.Digest.String()] = true
		if isFirst := u.Digest == first.Manifest.Descriptor.Digest; u.Pushed.IsZero() || isFirst != u.Pulled.Equal(pulled) || isFirst && !u.Pushed.Equal(first.At) {
			t.Errorf("%+v", u)
		}
	}
	if len(seen) != n {
		t.Errorf("%d manifests", len(seen))
	}
	for u, err := range x.Used(t.Context(), "unknown") {
		t.Errorf("of no repository: %+v, %v", u, err)
	}
}
