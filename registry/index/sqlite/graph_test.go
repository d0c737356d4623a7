package sqlite

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/index/indextest"
)

// forgetful has no graph whenever it is asked for candidates.
type forgetful struct{ *Index }

func (x forgetful) Candidates(ctx context.Context, repo string) iter.Seq2[index.Candidate, error] {
	x.graphs.close()
	return x.Index.Candidates(ctx, repo)
}

func TestAnIndexPassesTheSuiteWithoutAGraph(t *testing.T) {
	t.Parallel()
	indextest.Run(t, func(t *testing.T) index.Index { return forgetful{opened(t, filepath.Join(t.TempDir(), "index.db"))} })
}

// TestAGraphThatIsKeptIsThatOfAFreshLook compares them whole, after changes of
// which it was told while it was there, or while nobody asked for long.
func TestAGraphThatIsKeptIsThatOfAFreshLook(t *testing.T) {
	t.Parallel()
	x := opened(t, filepath.Join(t.TempDir(), "index.db"))
	push(t, x, "a", 20)
	look := func() (g *graph) {
		t.Helper()
		if _, err := x.withGraph(t.Context(), true, func(kept *graph) error { g = kept; return nil }); err != nil {
			t.Fatal(err)
		}
		return g
	}
	first := look()
	subject := tagged("a", "v0003")[0].(index.PutManifest).Manifest.Descriptor.Digest
	for n := range 50 {
		m := tagged("a", fmt.Sprint("new-", n))
		if n%3 == 0 {
			put := m[0].(index.PutManifest)
			put.Manifest.Subject = subject
			m[0] = put
		}
		m = append(m, index.DropTag{Repository: "a", Tag: fmt.Sprintf("v%04d", n%20)}, index.PutRoot{ID: "pin/x", Digest: subject, Lasting: n%2 == 0})
		if n%10 == 9 {
			m = append(m, index.DropManifest{Repository: "a", Digest: tagged("a", fmt.Sprint("new-", n-6))[0].(index.PutManifest).Manifest.Descriptor.Digest})
		}
		if err := x.Apply(t.Context(), m...); err != nil {
			t.Fatal(err)
		}
		if n%7 == 0 && look() != first {
			t.Fatal("the graph was loaded again")
		}
	}
	sameGraph(t, x, look())
	x.graphs.tell(make([]graphChange, graphBehind+1))
	push(t, x, "b", 3)
	if last := look(); last == first {
		t.Error("a graph that was far behind was kept")
	} else {
		sameGraph(t, x, last)
	}
}

// sameGraph holds a graph against a fresh one.
func sameGraph(t *testing.T, x *Index, kept *graph) {
	t.Helper()
	fresh, err := x.loadGraph()
	if err != nil {
		t.Fatal(err)
	}
	tell := func(g *graph) map[string]string {
		out := map[string]string{}
		for id, v := range g.objects {
			kids := map[int32]bool{}
			for _, kid := range g.kids[v.from:v.to] {
				kids[kid] = true
			}
			if v.size > 0 || len(kids) > 0 {
				out[fmt.Sprint(id)] = fmt.Sprint(v.size, v.there, v.refs, v.pinned, v.subject, v.digest, len(kids) == int(v.to-v.from), kids)
			}
		}
		for v := range g.links {
			out[fmt.Sprint("link ", v)] = ""
		}
		for d, id := range g.byDigest {
			out[string(d)] = fmt.Sprint(id)
		}
		return out
	}
	if diff := cmp.Diff(tell(fresh), tell(kept)); diff != "" {
		t.Errorf("-fresh +kept:\n%s", diff)
	}
}

func TestManyCandidatesAreThoseOfFew(t *testing.T) {
	t.Parallel()
	x := opened(t, filepath.Join(t.TempDir(), "index.db"))
	push(t, x, "a", candidatesAtOnce+10)
	child := tagged("a", "v0001")[0].(index.PutManifest).Manifest.Descriptor
	parent := tagged("a", "parent")[0].(index.PutManifest)
	parent.Manifest.Children = []registry.Descriptor{child}
	dangling := tagged("a", "dangling")[0].(index.PutManifest)
	dangling.Manifest.Subject = registry.Digest("sha256:0123456789012345678901234567890123456789012345678901234567890123")
	err := x.Apply(t.Context(), parent, dangling, index.DropTag{Repository: "a", Tag: "v0001"}, index.DropTag{Repository: "a", Tag: "v0002"})
	if err != nil {
		t.Fatal(err)
	}
	settled(t, x)
	var want, got []index.Candidate
	id, err := x.repository(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{sqlTagged, sqlUntagged} {
		for after, more := any(""), true; more; {
			some, err := x.someCandidates(t.Context(), query, id, after)
			if err != nil {
				t.Fatal(err)
			}
			if more = len(some) == candidatesAtOnce; more {
				after = some[len(some)-1].Tag
			}
			want = append(want, some...)
		}
	}
	for c, err := range x.Candidates(t.Context(), "a") {
		if err != nil {
			t.Fatal(err)
		}
		c.Repository = ""
		got = append(got, c)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-one by one +together:\n%s", diff)
	}
	if last := got[len(got)-1]; len(got) != candidatesAtOnce+12 || last.Tag != "" {
		t.Errorf("%d candidates, the last is %+v", len(got), last)
	}
}
