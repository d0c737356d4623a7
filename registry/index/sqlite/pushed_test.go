package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"berth/registry/index"

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
