package sqlite_test

import (
	"testing"

	"berth/registry"
	"berth/registry/index"

	"github.com/opencontainers/go-digest"
)

func TestWhatRootsLetGoIsWhatNothingElseReaches(t *testing.T) {
	t.Parallel()
	x := open(t, ":memory:")
	one, two := pushed("a", "v1", 1), pushed("a", "v2", 2)
	m1, m2 := digest.FromString("manifest 1"), digest.FromString("manifest 2")
	changes := append(append(one, two...),
		index.DropTag{Repository: "a", Tag: "v1"}, index.DropTag{Repository: "a", Tag: "v2"},
		index.PutRoot{ID: "trash/1", Digest: m1}, index.PutRoot{ID: "trash/2", Digest: m2}, index.PutRoot{ID: "pin/2", Digest: m2})
	if err := x.Apply(t.Context(), changes...); err != nil {
		t.Fatal(err)
	}
	const own, base = 1200 + 3000 + 5e6, 5e7
	for _, c := range []struct {
		going []registry.Digest
		want  int64
	}{
		{nil, 0},
		{[]registry.Digest{m1}, own}, // the base is the other's too
		{[]registry.Digest{m2}, 0},   // one of two roots
		{[]registry.Digest{m2, m2}, own},
		{[]registry.Digest{m1, m2, m2}, 2*own + base},
		{[]registry.Digest{digest.FromString("unknown")}, 0},
	} {
		if got, err := x.Lets(t.Context(), c.going...); err != nil || got != c.want {
			t.Errorf("%v: %d, %v, want %d", c.going, got, err, c.want)
		}
	}
	if err := x.Apply(t.Context(), index.PutTag{Repository: "a", Tag: "v1", Digest: m1}); err != nil {
		t.Fatal(err)
	}
	if got, err := x.Lets(t.Context(), m1, m2, m2); err != nil || got != own {
		t.Errorf("with a tag: %d, %v", got, err)
	}
}
