package indextest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/registry"
	"berth/registry/index"
)

// repos are those of the world.
var repos = []string{"team/app0", "team/app1", "team/app2"}

// compare holds every figure against the model's.
func compare(t *testing.T, x index.Index, m *model, r *rand.Rand, at string) {
	t.Helper()
	images := m.images()
	for _, repo := range repos {
		compareTags(t, x, m, repo, images, at)
		compareCandidates(t, x, m, repo, at)
	}
	u := must(x.Usage(t.Context()))(t)
	if diff := cmp.Diff(m.usage(), u); diff != "" {
		t.Fatalf("%s: usage (-want +got):\n%s", at, diff)
	}
	if u.Images+u.Shared+u.Held+u.Loose != u.Bytes {
		t.Fatalf("%s: the parts are not the whole: %+v", at, u)
	}
	for _, row := range must(x.Repositories(t.Context(), index.Query{}))(t) {
		compareRepository(t, m, row, at)
		if diff := cmp.Diff(row, must(x.Repository(t.Context(), row.Name))(t)); diff != "" {
			t.Fatalf("%s: one repository (-list +alone):\n%s", at, diff)
		}
	}
	for _, d := range m.w.manifests {
		compareSizes(t, x, m, d.Descriptor.Digest, at)
	}
	compareFrees(t, x, m, r, at)
	var ids []string
	for _, root := range must(x.Roots(t.Context(), "", 0))(t) {
		ids = append(ids, root.ID)
		if m.roots[root.ID] != root {
			t.Fatalf("%s: root %+v, want %+v", at, root, m.roots[root.ID])
		}
	}
	if len(ids) != len(m.roots) || !slices.IsSorted(ids) {
		t.Fatalf("%s: roots %q, want those of %v", at, ids, m.roots)
	}
	stored := must(x.Stored(t.Context(), "", 0))(t)
	for _, s := range stored {
		if !m.stored[s.Digest] || s.Size != m.size(s.Digest) {
			t.Fatalf("%s: %+v is said to be stored", at, s)
		}
	}
	if len(stored) != len(m.stored) {
		t.Fatalf("%s: %d are stored, want %d", at, len(stored), len(m.stored))
	}
}

// compareSizes asks how much a manifest reaches in each repository, and in all,
// alone and among many.
func compareSizes(t *testing.T, x index.Index, m *model, d registry.Digest, at string) {
	t.Helper()
	var asked []index.In
	for _, repo := range append([]string{""}, repos...) {
		in, want := index.In{Repository: repo, Digest: d}, int64(0)
		for o := range m.reachAll(in) {
			want += m.size(o)
		}
		if got := must(x.Sizes(t.Context(), in))(t)[in]; got != want {
			t.Fatalf("%s: %v reaches %d bytes, want %d", at, in, got, want)
		}
		asked = append(asked, in)
	}
	many := slices.Clone(asked)
	for n := range 300 {
		many = append(many, index.In{Digest: digestOf("unknown %d", n)})
	}
	few, sizes := must(x.Sizes(t.Context(), asked...))(t), must(x.Sizes(t.Context(), many...))(t)
	for _, in := range asked {
		if few[in] != sizes[in] {
			t.Fatalf("%s: %v among many reaches %d bytes, alone %d", at, in, sizes[in], few[in])
		}
	}
}

// compareFrees asks what some tags, and some manifests without one, would free.
func compareFrees(t *testing.T, x index.Index, m *model, r *rand.Rand, at string) {
	t.Helper()
	var all, going []index.In
	for _, repo := range repos {
		for _, tag := range slices.Sorted(keys(m.tags[repo])) {
			all = append(all, index.In{Repository: repo, Digest: m.tags[repo][tag]})
		}
	}
	for _, known := range m.w.manifests {
		in := index.In{Repository: repos[r.IntN(len(repos))], Digest: known.Descriptor.Digest}
		if r.IntN(5) == 0 && !slices.Contains(all, in) {
			in.Untagged = true
			going = append(going, in)
		}
	}
	for _, share := range []int{4, 2, 1} {
		some := slices.Clone(going)
		for _, d := range all {
			if r.IntN(share) == 0 {
				some = append(some, d)
			}
		}
		want := m.frees(some)
		// Unknown digests free nothing, and make it many.
		for n := range 300 {
			some = append(some, index.In{Repository: repos[0], Digest: digestOf("unknown %d", n)})
		}
		if got := must(x.Frees(t.Context(), some...))(t); got != want {
			t.Fatalf("%s: %d of %d tags among many free %d, want %d", at, len(some)-300, len(all), got, want)
		}
		some = some[:len(some)-300]
		if got := must(x.Frees(t.Context(), some...))(t); got != want {
			t.Fatalf("%s: %d of %d tags free %d, want %d", at, len(some), len(all), got, want)
		}
	}
}

func keys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func compareTags(t *testing.T, x index.Index, m *model, repo string, images map[registry.Digest]int, at string) {
	t.Helper()
	if len(m.tags[repo]) == 0 {
		return
	}
	rows := must(x.Tags(t.Context(), repo, index.Query{}))(t)
	if len(rows) != len(m.tags[repo]) {
		t.Fatalf("%s: %s has %d tags, want %d", at, repo, len(rows), len(m.tags[repo]))
	}
	for _, row := range rows {
		d := m.tags[repo][row.Name]
		size, shared, frees := m.tagSizes(index.In{Repository: repo, Digest: d}, images)
		if row.Descriptor.Digest != d || row.Size != size || row.Shared != shared || row.Frees != frees {
			t.Fatalf("%s: %s:%s is %s, size %d, shared %d, frees %d; want %s, %d, %d, %d",
				at, repo, row.Name, row.Descriptor.Digest, row.Size, row.Shared, row.Frees, d, size, shared, frees)
		}
	}
}

func compareRepository(t *testing.T, m *model, row index.Repository, at string) {
	t.Helper()
	var size, shared, frees int64
	kept := m.kept(true)
	for d, ok := range m.holdings(row.Name) {
		if !ok {
			continue
		}
		size += m.disk(d)
		others := false
		for _, other := range repos {
			others = others || other != row.Name && m.holdings(other)[d]
		}
		switch {
		case others:
			shared += m.disk(d)
		case !kept[d]:
			frees += m.disk(d)
		}
	}
	if row.Size != size || row.Shared != shared || row.Frees != frees || row.Tags != len(m.tags[row.Name]) {
		t.Fatalf("%s: %s: size %d, shared %d, frees %d, tags %d; want %d, %d, %d, %d",
			at, row.Name, row.Size, row.Shared, row.Frees, row.Tags, size, shared, frees, len(m.tags[row.Name]))
	}
}

// compareCandidates holds what rules judge against the model.
func compareCandidates(t *testing.T, x index.Index, m *model, repo, at string) {
	t.Helper()
	named := map[registry.Digest]bool{}
	for _, d := range m.tags[repo] {
		named[d] = true
	}
	tags, untagged := 0, 0
	compareChanged(t, x, m, repo, at)
	for c, err := range x.Candidates(t.Context(), repo) {
		if err != nil {
			t.Fatal(err)
		}
		known := m.known[c.Digest]
		if c.Repository != repo || c.Subject != known.Subject {
			t.Fatalf("%s: candidate %+v; want subject %q", at, c, known.Subject)
		}
		if c.Tag != "" {
			if tags++; m.tags[repo][c.Tag] != c.Digest {
				t.Fatalf("%s: candidate %+v; the tag names %s", at, c, m.tags[repo][c.Tag])
			}
			continue
		}
		if untagged++; !m.revisions[repo][c.Digest] || named[c.Digest] {
			t.Fatalf("%s: candidate %+v is no manifest without a tag", at, c)
		}
		var parents []registry.Digest
		for d := range m.revisions[repo] {
			for _, child := range m.known[d].Children {
				if child.Digest == c.Digest {
					parents = append(parents, d)
				}
			}
		}
		slices.Sort(parents)
		slices.Sort(c.Parents)
		if !slices.Equal(parents, c.Parents) {
			t.Fatalf("%s: candidate %+v; want parents %v", at, c, parents)
		}
	}
	want := 0
	for d, ok := range m.revisions[repo] {
		if ok && !named[d] {
			want++
		}
	}
	if tags != len(m.tags[repo]) || untagged != want {
		t.Fatalf("%s: %s has candidates with %d tags and %d without; want %d and %d", at, repo, tags, untagged, len(m.tags[repo]), want)
	}
}
