package store_test

import (
	"fmt"
	"slices"
	"testing"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// TestClearingTakesWhatIsNamedAndNothingElse has fewer tags than go one by one,
// more, and one that is not named.
func TestClearingTakesWhatIsNamedAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 600} {
		for _, extra := range []bool{false, true} {
			t.Run(fmt.Sprint(n, " extra ", extra), func(t *testing.T) {
				t.Parallel()
				s, err := store.Open(t.Context(), memory.New(), nil, store.Options{Park: -1})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = s.Close() })
				var names []string
				for i := range n {
					names = append(names, fmt.Sprintf("v%03d", i))
				}
				m, below := registrytest.Image(t, s, "a", "one"), registrytest.Image(t, s, "a/b", "two")
				other := registrytest.Image(t, s, "a", "three")
				put := func(repo string, m registry.Manifest, tags ...string) {
					if _, err := s.PutManifest(t.Context(), repo, m, tags...); err != nil {
						t.Fatal(err)
					}
				}
				put("a", m, names...)
				put("a/b", below, "v1")
				var want []string
				if extra {
					put("a", other, "extra")
					want = []string{"extra"}
				}
				if err := s.Clear(t.Context(), "a", append(names, "never"), []registry.Digest{m.Digest}); err != nil {
					t.Fatal(err)
				}
				var left []string
				for tag, err := range s.Tags(t.Context(), "a", "") {
					if err != nil {
						break
					}
					left = append(left, tag)
				}
				if !slices.Equal(left, want) {
					t.Errorf("left %q, want %q", left, want)
				}
				if _, err := s.Manifest(t.Context(), "a", m.Digest); err == nil {
					t.Error("the manifest is still there")
				}
				if _, err := s.ResolveTag(t.Context(), "a/b", "v1"); err != nil {
					t.Errorf("a/b: %v", err)
				}
				put("a", m, "again")
				if d, err := s.ResolveTag(t.Context(), "a", "again"); err != nil || d.Digest != m.Digest {
					t.Errorf("pushed again: %v", err)
				}
			})
		}
	}
}

func TestClearingTagsAloneLeavesTheManifest(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), memory.New(), nil, store.Options{Park: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprintf("v%03d", i))
	}
	m := registrytest.Image(t, s, "a", "one")
	if _, err := s.PutManifest(t.Context(), "a", m, append([]string{"stays"}, names...)...); err != nil {
		t.Fatal(err)
	}
	if err := s.Clear(t.Context(), "a", append(names, "never", names[0]), nil); err != nil {
		t.Fatal(err)
	}
	var left []string
	for tag, err := range s.Tags(t.Context(), "a", "") {
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, tag)
	}
	if !slices.Equal(left, []string{"stays"}) {
		t.Errorf("left %q", left)
	}
	if _, err := s.Manifest(t.Context(), "a", m.Digest); err != nil {
		t.Error(err)
	}
}
