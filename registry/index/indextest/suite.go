package indextest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/registry"
	"berth/registry/index"
)

// Run runs the suite. open gives a new, empty index each time, and closes it
// when the test ends.
func Run(t *testing.T, open func(t *testing.T) index.Index) {
	t.Helper()
	for seed := range uint64(5) {
		t.Run(fmt.Sprintf("changes in any order give the lists and figures of the model/%d", seed), func(t *testing.T) {
			t.Parallel()
			againstModel(t, open(t), seed)
		})
	}
	t.Run("pages follow each other without gap or overlap", func(t *testing.T) { t.Parallel(); pages(t, open(t)) })
	t.Run("an unknown repository is unknown", func(t *testing.T) { t.Parallel(); unknown(t, open(t)) })
	t.Run("tags sort by version, date, size and what they free", func(t *testing.T) { t.Parallel(); sorts(t, open(t)) })
	t.Run("tags of one digest know of each other and free nothing", func(t *testing.T) { t.Parallel(); siblings(t, open(t)) })
	t.Run("a pull counts for its tag until that is pushed anew", func(t *testing.T) { t.Parallel(); pulls(t, open(t)) })
	t.Run("referrers are listed by digest and filtered by type", func(t *testing.T) { t.Parallel(); referrers(t, open(t)) })
	t.Run("the changes of a push count the same in any order", func(t *testing.T) { t.Parallel(); orders(t, open(t)) })
	t.Run("repositories sort, are searched and paged", func(t *testing.T) { t.Parallel(); repositories(t, open(t)) })
	t.Run("what is complete loses what nothing holds", func(t *testing.T) { t.Parallel(); pruned(t, open(t)) })
	t.Run("a repository is unknown when its last thing went", func(t *testing.T) { t.Parallel(); emptied(t, open(t)) })
	t.Run("complete is remembered", func(t *testing.T) { t.Parallel(); complete(t, open(t)) })
}

func apply(t *testing.T, x index.Index, changes ...index.Change) {
	t.Helper()
	if err := x.Apply(t.Context(), changes...); err != nil {
		t.Fatalf("apply: %v", err)
	}
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func againstModel(t *testing.T, x index.Index, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	w := newWorld(r)
	m := newModel(w)
	// Sizes of everything are told once, so that the model need not know
	// which change would have told them.
	for d, size := range w.sizes {
		m.stored[d] = true
		apply(t, x, index.PutBlob{Repository: "sizes", Digest: d, Size: size}, index.DropRepository{Repository: "sizes"})
	}
	for step := range 120 {
		c := w.random(r)
		m.apply(c)
		apply(t, x, c)
		if step%2 == 0 {
			compareNames(t, x, m, r, fmt.Sprintf("seed %d, step %d, after %T", seed, step, c))
		}
		if step%10 == 9 {
			compare(t, x, m, r, fmt.Sprintf("seed %d, step %d, after %T", seed, step, c))
		}
	}
}

// image makes a manifest with one blob of its own.
func image(name string, size int64) index.Manifest {
	return index.Manifest{
		Descriptor: registry.Descriptor{MediaType: "application/vnd.oci.image.manifest.v1+json", Digest: digestOf("%s", name), Size: 500},
		Blobs:      []registry.Descriptor{{Digest: digestOf("layer of %s", name), Size: size}},
		Platforms:  []string{"linux/amd64"},
	}
}

// push is what a store tells of a push.
func push(repo, tag string, m index.Manifest, at time.Time) []index.Change {
	out := []index.Change{}
	for _, b := range m.Blobs {
		out = append(out, index.PutBlob{Repository: repo, Digest: b.Digest, Size: b.Size})
	}
	return append(out, index.PutManifest{Repository: repo, Manifest: m, At: at},
		index.PutTag{Repository: repo, Tag: tag, Digest: m.Descriptor.Digest, At: at, By: "ann"})
}

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func pages(t *testing.T, x index.Index) {
	var repos, tags []string
	for i := range 25 {
		repo, tag := fmt.Sprintf("r%02d", i), fmt.Sprintf("t%02d", i)
		repos, tags = append(repos, repo), append(tags, tag)
		apply(t, x, push(repo, "v1", image(repo, 10), start)...)
		apply(t, x, push("many", tag, image(tag, 10), start)...)
	}
	repos = slices.Insert(repos, 0, "many")
	walk(t, repos, func(after string) ([]string, error) { return x.RepositoryNames(t.Context(), after, 7) })
	walk(t, tags, func(after string) ([]string, error) { return x.TagNames(t.Context(), "many", after, 7) })
	if got := must(x.TagNames(t.Context(), "many", "t2", 0))(t); len(got) != 5 {
		t.Errorf("after a name that is not there: %v", got)
	}
}

func walk(t *testing.T, want []string, next func(after string) ([]string, error)) {
	t.Helper()
	var got []string
	for after := ""; ; {
		page := must(next(after))(t)
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

func unknown(t *testing.T, x index.Index) {
	if _, err := x.TagNames(t.Context(), "nobody", "", 0); !errors.Is(err, index.ErrUnknown) {
		t.Errorf("tag names: %v", err)
	}
	if _, err := x.Tags(t.Context(), "nobody", index.Query{}); !errors.Is(err, index.ErrUnknown) {
		t.Errorf("tags: %v", err)
	}
	if _, err := x.Manifest(t.Context(), digestOf("nothing")); !errors.Is(err, index.ErrUnknown) {
		t.Errorf("manifest: %v", err)
	}
	apply(t, x, index.DropTag{Repository: "nobody", Tag: "v1"}, index.DropManifest{Repository: "nobody", Digest: digestOf("nothing")})
	if got := must(x.Usage(t.Context()))(t); got != (index.Usage{}) {
		t.Errorf("usage of nothing: %+v", got)
	}
}

func sorts(t *testing.T, x index.Index) {
	for i, tag := range []string{"v1.10.0", "v1.9.0", "v1.9.0-rc1", "latest"} {
		apply(t, x, push("a", tag, image(tag, []int64{700, 600, 300, 400}[i]), start.Add(time.Duration(i)*time.Hour))...)
	}
	for _, c := range []struct {
		q    index.Query
		want []string
	}{
		{index.Query{}, []string{"latest", "v1.9.0-rc1", "v1.9.0", "v1.10.0"}},
		{index.Query{Order: index.ByPushed}, []string{"v1.10.0", "v1.9.0", "v1.9.0-rc1", "latest"}},
		{index.Query{Order: index.ByName}, []string{"latest", "v1.9.0-rc1", "v1.9.0", "v1.10.0"}},
		{index.Query{Order: index.ByName, Descending: true, Limit: 2}, []string{"v1.10.0", "v1.9.0"}},
		{index.Query{Order: index.BySize, Descending: true}, []string{"v1.10.0", "v1.9.0", "latest", "v1.9.0-rc1"}},
		{index.Query{Order: index.ByFrees, Offset: 1, Limit: 2}, []string{"latest", "v1.9.0"}},
		{index.Query{Search: "RC"}, []string{"v1.9.0-rc1"}},
	} {
		var got []string
		for _, row := range must(x.Tags(t.Context(), "a", c.q))(t) {
			got = append(got, row.Name)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.q, diff)
		}
	}
}

func siblings(t *testing.T, x index.Index) {
	m := image("one", 1000)
	apply(t, x, push("a", "v1", m, start)...)
	apply(t, x, push("a", "latest", m, start)...)
	rows := must(x.Tags(t.Context(), "a", index.Query{Order: index.ByName}))(t)
	if len(rows) != 2 || rows[0].Frees != 0 || !slices.Equal(rows[0].Same, []string{"v1"}) || rows[0].Size != 1500 {
		t.Fatalf("with a sibling: %+v", rows)
	}
	apply(t, x, index.DropTag{Repository: "a", Tag: "v1"})
	rows = must(x.Tags(t.Context(), "a", index.Query{}))(t)
	if len(rows) != 1 || rows[0].Frees != 1500 || len(rows[0].Same) != 0 {
		t.Fatalf("alone: %+v", rows)
	}
	if got := must(x.Sharing(t.Context(), []registry.Digest{m.Blobs[0].Digest, digestOf("nothing")}))(t); got[m.Blobs[0].Digest] != 1 || got[digestOf("nothing")] != 0 {
		t.Errorf("sharing: %v", got)
	}
}

func pulls(t *testing.T, x index.Index) {
	m := image("one", 10)
	apply(t, x, push("a", "v1", m, start)...)
	apply(t, x, push("a", "v2", m, start)...)
	later := start.Add(time.Hour)
	apply(t, x, index.Pulled{Repository: "a", Tag: "v1", Digest: m.Descriptor.Digest, At: later})
	rows := must(x.Tags(t.Context(), "a", index.Query{Order: index.ByName}))(t)
	if rows[0].Pulls != 1 || !rows[0].LastPull.Equal(later) || rows[1].Pulls != 0 || !rows[1].LastPull.IsZero() {
		t.Fatalf("after a pull by tag: %+v", rows)
	}
	apply(t, x, push("a", "v1", image("two", 10), later)...)
	rows = must(x.Tags(t.Context(), "a", index.Query{Order: index.ByName}))(t)
	if rows[0].Pulls != 0 || rows[0].By != "ann" {
		t.Fatalf("after a push: %+v", rows[0])
	}
}

func referrers(t *testing.T, x index.Index) {
	subject := image("one", 10)
	apply(t, x, push("a", "v1", subject, start)...)
	for i := range 3 {
		m := image(fmt.Sprintf("signature %d", i), 5)
		m.Subject = subject.Descriptor.Digest
		m.Descriptor.ArtifactType = []string{"sig", "sbom", "sig"}[i]
		apply(t, x, index.PutManifest{Repository: "a", Manifest: m, At: start})
	}
	list := func(repo, artifactType string, after registry.Digest, limit int) []registry.Descriptor {
		return must(x.Referrers(t.Context(), repo, subject.Descriptor.Digest, artifactType, after, limit))(t)
	}
	every := list("a", "", "", 0)
	if len(every) != 3 || len(list("a", "sig", "", 0)) != 2 || len(list("b", "", "", 0)) != 0 {
		t.Fatalf("referrers: %v", every)
	}
	if page := list("a", "", every[0].Digest, 1); len(page) != 1 || page[0].Digest != every[1].Digest {
		t.Errorf("second page: %v", page)
	}
	if rows := must(x.Tags(t.Context(), "a", index.Query{}))(t); rows[0].Referrers != 3 {
		t.Errorf("attached: %+v", rows[0])
	}
}

func complete(t *testing.T, x index.Index) {
	if must(x.Complete(t.Context()))(t) {
		t.Error("a new index is complete")
	}
	if err := x.SetComplete(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if !must(x.Complete(t.Context()))(t) {
		t.Error("complete was forgotten")
	}
}
