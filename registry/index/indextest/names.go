package indextest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"berth/registry"
	"berth/registry/index"
)

// compareNames compares the lists of names with the model, right after a
// change, while it may still be on its way; pages are of random length.
func compareNames(t *testing.T, x index.Index, m *model, r *rand.Rand, at string) {
	t.Helper()
	limit := r.IntN(4)
	var repos []string
	for repo := range m.revisions {
		if trues(m.revisions[repo]) > 0 {
			repos = append(repos, repo)
		}
	}
	slices.Sort(repos)
	same(t, at+": repositories", repos, every(t, limit, itself, func(after string) ([]string, error) {
		return x.RepositoryNames(t.Context(), after, limit)
	}))
	repo := fmt.Sprintf("team/app%d", r.IntN(3))
	tags := slices.Sorted(maps.Keys(m.tags[repo]))
	known := len(tags) > 0 || trues(m.revisions[repo]) > 0
	if _, err := x.TagNames(t.Context(), repo, "", limit); known != (err == nil) || !known && !errors.Is(err, index.ErrUnknown) {
		t.Fatalf("%s: tags of %s, known %v: %v", at, repo, known, err)
	}
	if known {
		same(t, at+": tags of "+repo, tags, every(t, limit, itself, func(after string) ([]string, error) {
			return x.TagNames(t.Context(), repo, after, limit)
		}))
	}
	revisions := held(m.revisions[repo])
	same(t, at+": manifests of "+repo, revisions, every(t, limit, func(d registry.Digest) registry.Digest { return d },
		func(after registry.Digest) ([]registry.Digest, error) {
			return x.Manifests(t.Context(), repo, after, limit)
		}))
	compareDigest(t, x, m, repo, m.w.manifests[r.IntN(len(m.w.manifests))].Descriptor.Digest, limit, at)
}

// compareDigest compares what is listed of one manifest.
func compareDigest(t *testing.T, x index.Index, m *model, repo string, d registry.Digest, limit int, at string) {
	t.Helper()
	var tags []string
	for tag, of := range m.tags[repo] {
		if of == d {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	same(t, fmt.Sprintf("%s: tags of %s in %s", at, d, repo), tags, must(x.TagsOf(t.Context(), repo, d))(t))
	compareReaching(t, x, m, repo, d, at)
	var referrers []registry.Digest
	for _, referrer := range held(m.revisions[repo]) {
		if m.known[referrer].Subject == d {
			referrers = append(referrers, referrer)
		}
	}
	got := every(t, limit, func(d registry.Descriptor) registry.Digest { return d.Digest },
		func(after registry.Digest) ([]registry.Descriptor, error) {
			return x.Referrers(t.Context(), repo, d, "", after, limit)
		})
	var digests []registry.Digest
	for _, r := range got {
		digests = append(digests, r.Digest)
	}
	same(t, fmt.Sprintf("%s: referrers of %s in %s", at, d, repo), referrers, digests)
}

func held(m map[registry.Digest]bool) []registry.Digest {
	var out []registry.Digest
	for d, ok := range m {
		if ok {
			out = append(out, d)
		}
	}
	slices.Sort(out)
	return out
}

func itself(s string) string { return s }

// every walks a list to its end; limit 0 gets it in one.
func every[T any, K cmp.Ordered](t *testing.T, limit int, key func(T) K, next func(after K) ([]T, error)) []T {
	t.Helper()
	var out []T
	var after K
	for {
		page := must(next(after))(t)
		out = append(out, page...)
		if limit == 0 || len(page) < limit {
			return out
		}
		after = key(page[len(page)-1])
	}
}

func same[T any](t *testing.T, what string, want, got []T) {
	t.Helper()
	if len(want) == 0 && len(got) == 0 {
		return
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// emptied: what counts is what is there, also while the drops are on their way.
func emptied(t *testing.T, x index.Index) {
	m := image("one", 10)
	for _, wait := range []bool{false, true} {
		apply(t, x, push("a", "v1", m, start)...)
		if wait {
			must(x.Usage(t.Context()))(t)
		}
		apply(t, x, index.DropTag{Repository: "a", Tag: "v1"})
		if names, err := x.TagNames(t.Context(), "a", "", 0); len(names) > 0 || err != nil {
			t.Errorf("with a manifest and no tag: %v, %v", names, err)
		}
		if names := must(x.RepositoryNames(t.Context(), "", 0))(t); !slices.Equal(names, []string{"a"}) {
			t.Errorf("with a manifest: %v", names)
		}
		apply(t, x, index.DropManifest{Repository: "a", Digest: m.Descriptor.Digest})
		if names, err := x.TagNames(t.Context(), "a", "", 0); !errors.Is(err, index.ErrUnknown) {
			t.Errorf("with nothing: %v, %v", names, err)
		}
		if names := must(x.RepositoryNames(t.Context(), "", 0))(t); len(names) > 0 {
			t.Errorf("with nothing: %v", names)
		}
		must(x.Usage(t.Context()))(t)
	}
	apply(t, x, push("a", "v1", m, start)...)
	must(x.Usage(t.Context()))(t)
	apply(t, x, index.DropRepository{Repository: "a"})
	if names := must(x.RepositoryNames(t.Context(), "", 0))(t); len(names) > 0 {
		t.Errorf("dropped: %v", names)
	}
	apply(t, x, index.PutTag{Repository: "a", Tag: "v9", Digest: m.Descriptor.Digest, At: start})
	if names := must(x.TagNames(t.Context(), "a", "", 0))(t); !slices.Equal(names, []string{"v9"}) {
		t.Errorf("after it was dropped and came back: %v", names)
	}
}
