package indextest

import (
	"fmt"
	"slices"
	"testing"

	"berth/registry"
	"berth/registry/index"
)

// compareReaching looks from below at a manifest, and at each of its blobs.
func compareReaching(t *testing.T, x index.Index, m *model, repo string, d registry.Digest, at string) {
	t.Helper()
	ability, ok := x.(index.Reacher)
	if !ok {
		return
	}
	below := []registry.Digest{d}
	for _, known := range m.w.manifests {
		if known.Descriptor.Digest == d {
			for _, b := range known.Blobs {
				below = append(below, b.Digest)
			}
		}
	}
	for _, d := range below {
		var tags []string
		for tag, of := range m.tags[repo] {
			if m.partOf(of, d) {
				tags = append(tags, tag)
			}
		}
		slices.Sort(tags)
		same(t, fmt.Sprintf("%s: tags of %s that reach %s", at, repo, d), tags, must(ability.TagsReaching(t.Context(), repo, d))(t))
	}
}

// partOf reports whether a manifest needs d to be pulled.
func (m *model) partOf(whole, d registry.Digest) bool {
	known := m.known[whole]
	return whole == d || slices.ContainsFunc(slices.Concat(known.Blobs, known.Children), func(next registry.Descriptor) bool {
		return m.partOf(next.Digest, d)
	})
}
