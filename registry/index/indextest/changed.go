package indextest

import (
	"cmp"
	"slices"
	"testing"

	diff "github.com/google/go-cmp/cmp"

	"berth/registry"
	"berth/registry/index"
)

// candidates are those of a repository as they were read, or put right, last.
type candidates struct {
	version uint64
	list    []index.Candidate
}

// compareChanged puts right what was read before, by what an index says has
// changed since, and holds it against all that is there.
func compareChanged(t *testing.T, x index.Index, m *model, repo, at string) {
	t.Helper()
	ability, ok := x.(index.Changer)
	if !ok {
		return
	}
	version := x.Version(repo)
	var want []index.Candidate
	for c, err := range x.Candidates(t.Context(), repo) {
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(c.Parents)
		want = append(want, c)
	}
	was, known := m.read[repo]
	m.read[repo] = candidates{version, want}
	changed, ok := ability.Changed(repo, was.version)
	if !known || !ok || len(want) == 0 {
		return
	}
	tags, manifests, itself := setOf(changed.Tags), setOf(slices.Concat(changed.Named, changed.Manifests)), setOf(changed.Manifests)
	for _, c := range was.list {
		switch {
		case c.Tag == "" && slices.ContainsFunc(c.Parents, func(d registry.Digest) bool { return itself[d] }):
			manifests[c.Digest] = true
		case tags[c.Tag]:
			manifests[c.Digest] = true
		case c.Tag != "" && itself[c.Digest]:
			tags[c.Tag] = true
		}
	}
	got := must(ability.CandidatesOf(t.Context(), repo, slices.Collect(keys(tags)), slices.Collect(keys(manifests))))(t)
	for _, c := range was.list {
		if c.Tag != "" && !tags[c.Tag] || c.Tag == "" && !manifests[c.Digest] {
			got = append(got, c)
		}
	}
	for _, list := range [][]index.Candidate{got, want} {
		for i := range list {
			slices.Sort(list[i].Parents)
			if !m.revisions[repo][list[i].Digest] {
				list[i].Subject = "" // of a tag that dangles, which another repository may tell at any time
			}
		}
	}
	slices.SortFunc(got, func(a, b index.Candidate) int {
		return cmp.Or(-cmp.Compare(min(len(a.Tag), 1), min(len(b.Tag), 1)), cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Digest, b.Digest))
	})
	if d := diff.Diff(want, got); d != "" {
		t.Fatalf("%s: candidates of %s, put right by %+v (-want +got):\n%s", at, repo, changed, d)
	}
}

func setOf[K comparable](list []K) map[K]bool {
	out := map[K]bool{}
	for _, k := range list {
		out[k] = true
	}
	return out
}
