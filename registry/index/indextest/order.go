package indextest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"berth/registry"
	"berth/registry/index"
)

// orders plays the changes that put an index of two platforms with a signature
// in many orders, each in a repository of its own: reconciliation may meet them
// in any, and a sparse index has children that come later or never.
func orders(t *testing.T, x index.Index) {
	n := 0
	for order := range permutations(6) {
		if n++; n%29 != 0 { // two dozen of the 720, spread evenly
			continue
		}
		name := fmt.Sprintf("r%d", n)
		changes := platforms(name)
		for _, i := range order {
			apply(t, x, changes[i])
		}
		rows := must(x.Tags(t.Context(), name, index.Query{}))(t)
		const size = 400 + 2*(500+1000) + 500 + 20 // the index, two manifests with a layer each, the signature
		const disk = size - 1000 - 20              // the second layer is not on disk, and the signature's neither
		if len(rows) != 1 || rows[0].Size != size || rows[0].Frees != disk || rows[0].Shared != 0 || rows[0].Referrers != 1 {
			t.Fatalf("in order %v: %+v; want size %d", order, rows, size)
		}
		repos := must(x.Repositories(t.Context(), index.Query{Search: name, Limit: 1}))(t)
		if len(repos) != 1 || repos[0].Size != disk || repos[0].Frees != disk || repos[0].Manifests != 4 || repos[0].Shared != 0 {
			t.Fatalf("in order %v: %+v", order, repos)
		}
		if diff := cmp.Diff(index.Usage{Repositories: 1, Tags: 1, Manifests: 4, Blobs: 5, Bytes: disk, Images: disk}, must(x.Usage(t.Context()))(t)); diff != "" {
			t.Errorf("in order %v (-want +got):\n%s", order, diff)
		}
		apply(t, x, index.DropRepository{Repository: name})
		for _, s := range must(x.Stored(t.Context(), "", 0))(t) {
			apply(t, x, index.DropStored{Digest: s.Digest})
		}
	}
	if diff := cmp.Diff(index.Usage{}, must(x.Usage(t.Context()))(t)); diff != "" {
		t.Errorf("after everything is dropped (-want +got):\n%s", diff)
	}
}

// platforms gives the six changes that orders permutes.
func platforms(name string) []index.Change {
	a, b := image(name+" amd64", 1000), image(name+" arm64", 1000)
	top := index.Manifest{
		Descriptor: registry.Descriptor{Digest: digestOf("%s index", name), Size: 400},
		Children:   []registry.Descriptor{a.Descriptor, b.Descriptor},
	}
	signature := image(name+" signature", 20)
	signature.Subject = top.Descriptor.Digest
	return []index.Change{
		index.PutBlob{Repository: name, Digest: a.Blobs[0].Digest, Size: 1000},
		index.PutManifest{Repository: name, Manifest: a, At: start},
		index.PutManifest{Repository: name, Manifest: b, At: start},
		index.PutManifest{Repository: name, Manifest: top, At: start},
		index.PutManifest{Repository: name, Manifest: signature, At: start},
		index.PutTag{Repository: name, Tag: "v1", Digest: top.Descriptor.Digest, At: start},
	}
}

// permutations yields every order of the numbers below n. The slice is reused.
func permutations(n int) func(yield func([]int) bool) {
	return func(yield func([]int) bool) {
		order := make([]int, 0, n)
		var step func() bool
		step = func() bool {
			if len(order) == n {
				return yield(order)
			}
			for i := range n {
				if slices.Contains(order, i) {
					continue
				}
				order = append(order, i)
				if !step() {
					return false
				}
				order = order[:len(order)-1]
			}
			return true
		}
		step()
	}
}

func repositories(t *testing.T, x index.Index) {
	for i, repo := range []string{"team/app10", "team/app9", "library/base", "team/tool"} {
		m := image(repo, []int64{10, 20, 40, 30}[i])
		apply(t, x, push(repo, "v1", m, start.Add(time.Duration(i)*time.Hour))...)
	}
	// A newer push, and its end, move a repository up and down again.
	newest := image("newest", 1)
	apply(t, x, push("team/app10", "v2", newest, start.Add(9*time.Hour))...)
	apply(t, x, index.PutManifest{Repository: "untagged", Manifest: newest, At: start})
	for _, c := range []struct {
		q    index.Query
		want []string
	}{
		{index.Query{}, []string{"team/app10", "team/tool", "library/base", "team/app9"}},
		{index.Query{Order: index.ByPushed, Limit: 2}, []string{"team/app9", "library/base"}},
		{index.Query{Order: index.ByName}, []string{"library/base", "team/app10", "team/app9", "team/tool"}},
		{index.Query{Order: index.BySize, Descending: true, Limit: 3}, []string{"team/app10", "library/base", "team/tool"}},
		{index.Query{Order: index.ByTags, Descending: true, Limit: 1}, []string{"team/app10"}},
		{index.Query{Search: "APP", Order: index.ByName, Offset: 1}, []string{"team/app9"}},
		{index.Query{Search: "%"}, nil},
	} {
		var got []string
		for _, row := range must(x.Repositories(t.Context(), c.q))(t) {
			got = append(got, row.Name)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.q, diff)
		}
	}
	apply(t, x, index.DropTag{Repository: "team/app10", Tag: "v2"})
	rows := must(x.Repositories(t.Context(), index.Query{Order: index.ByPushed, Limit: 1}))(t)
	if len(rows) != 1 || rows[0].Name != "team/app10" || !rows[0].Pushed.Equal(start) {
		t.Errorf("after the newest tag went: %+v", rows)
	}
}

// pruned: what is not on disk, and nothing reaches, is forgotten when the index
// is declared complete, and is learned anew when it comes back.
func pruned(t *testing.T, x index.Index) {
	kept, gone := image("kept", 10), image("gone", 20)
	top := index.Manifest{
		Descriptor: registry.Descriptor{Digest: digestOf("top"), Size: 400},
		Children:   []registry.Descriptor{gone.Descriptor}, // sparse: its child is not held
	}
	signature := image("signature of gone", 7)
	signature.Subject = gone.Descriptor.Digest // and stays when its subject goes
	apply(t, x, push("a", "v1", kept, start)...)
	apply(t, x, index.PutManifest{Repository: "a", Manifest: signature, At: start})
	apply(t, x, push("a", "v2", gone, start)...)
	apply(t, x, index.PutManifest{Repository: "a", Manifest: top, At: start})
	apply(t, x, index.DropTag{Repository: "a", Tag: "v2"}, index.DropManifest{Repository: "a", Digest: gone.Descriptor.Digest},
		index.DropBlob{Repository: "a", Digest: gone.Blobs[0].Digest})
	knows := func(when string, known, unknown []index.Manifest) {
		t.Helper()
		if err := x.SetComplete(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		for _, m := range known {
			if _, err := x.Manifest(t.Context(), m.Descriptor.Digest); err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
		for _, m := range unknown {
			if _, err := x.Manifest(t.Context(), m.Descriptor.Digest); !errors.Is(err, index.ErrUnknown) {
				t.Errorf("%s: %s is known: %v", when, m.Descriptor.Digest, err)
			}
		}
	}
	knows("what is on disk", []index.Manifest{kept, top, signature, gone}, nil)
	apply(t, x, index.DropStored{Digest: gone.Descriptor.Digest}, index.DropStored{Digest: gone.Blobs[0].Digest})
	knows("what an index reaches", []index.Manifest{kept, top, signature, gone}, nil)
	apply(t, x, index.DropManifest{Repository: "a", Digest: top.Descriptor.Digest}, index.DropStored{Digest: top.Descriptor.Digest},
		index.PutRoot{ID: "trash/1", Digest: top.Descriptor.Digest})
	knows("what a root reaches", []index.Manifest{kept, top, signature, gone}, nil)
	apply(t, x, index.DropRoot{ID: "trash/1"})
	knows("what nothing reaches", []index.Manifest{kept, signature}, []index.Manifest{top, gone})

	apply(t, x, index.PutManifest{Repository: "a", Manifest: top, At: start})
	apply(t, x, index.PutTag{Repository: "a", Tag: "v3", Digest: top.Descriptor.Digest, At: start})
	apply(t, x, index.PutManifest{Repository: "a", Manifest: gone, At: start})
	const size = 400 + 500 + 20 + 500 + 7
	rows := must(x.Tags(t.Context(), "a", index.Query{Search: "v3"}))(t)
	if len(rows) != 1 || rows[0].Size != size || rows[0].Frees != 400+500+500 {
		t.Errorf("what came back: %+v; want size %d", rows, size)
	}
}
