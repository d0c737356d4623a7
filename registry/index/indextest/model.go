package indextest

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/index"
)

// world is a made-up store: manifests over blobs, indexes over manifests,
// referrers over both.
type world struct {
	manifests []index.Manifest
	sizes     map[registry.Digest]int64
}

func digestOf(format string, args ...any) registry.Digest {
	return digest.NewDigestFromBytes(digest.SHA256, sum(fmt.Sprintf(format, args...)))
}

func sum(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

func newWorld(r *rand.Rand) *world {
	w := &world{sizes: map[registry.Digest]int64{}}
	blobs := make([]registry.Descriptor, 12)
	for i := range blobs {
		blobs[i] = w.thing(fmt.Sprintf("blob %d", i), int64(1000+r.IntN(9000)))
	}
	for i := range 10 {
		m := index.Manifest{Descriptor: w.thing(fmt.Sprintf("manifest %d", i), int64(300+i)), Platforms: []string{"linux/amd64"}}
		for _, j := range r.Perm(len(blobs))[:1+r.IntN(4)] {
			m.Blobs = append(m.Blobs, blobs[j])
		}
		if i >= 7 {
			m.Subject = w.manifests[r.IntN(i)].Descriptor.Digest
			m.Descriptor.ArtifactType = "application/vnd.example.signature"
		}
		w.manifests = append(w.manifests, m)
	}
	for i := range 3 {
		m := index.Manifest{Descriptor: w.thing(fmt.Sprintf("index %d", i), int64(500+i))}
		for _, j := range r.Perm(len(w.manifests))[:1+r.IntN(3)] {
			m.Children = append(m.Children, w.manifests[j].Descriptor)
		}
		w.manifests = append(w.manifests, m)
	}
	return w
}

func (w *world) thing(name string, size int64) registry.Descriptor {
	d := digestOf("%s", name)
	w.sizes[d] = size
	return registry.Descriptor{MediaType: "application/vnd.oci.image.manifest.v1+json", Digest: d, Size: size}
}

// model holds what is there, and computes what an index must say.
type model struct {
	w         *world
	known     map[registry.Digest]index.Manifest
	revisions map[string]map[registry.Digest]bool
	links     map[string]map[registry.Digest]bool
	tags      map[string]map[string]registry.Digest
	stored    map[registry.Digest]bool
	roots     map[string]index.Root
	read      map[string]candidates
}

func newModel(w *world) *model {
	return &model{
		w: w, known: map[registry.Digest]index.Manifest{},
		revisions: map[string]map[registry.Digest]bool{},
		links:     map[string]map[registry.Digest]bool{},
		tags:      map[string]map[string]registry.Digest{},
		stored:    map[registry.Digest]bool{},
		roots:     map[string]index.Root{},
		read:      map[string]candidates{},
	}
}

func set[K, V comparable](m map[string]map[K]V, repo string, k K, v V) {
	if m[repo] == nil {
		m[repo] = map[K]V{}
	}
	m[repo][k] = v
}

func (m *model) apply(c index.Change) {
	switch c := c.(type) {
	case index.PutManifest:
		m.known[c.Manifest.Descriptor.Digest] = c.Manifest
		set(m.revisions, c.Repository, c.Manifest.Descriptor.Digest, true)
		m.stored[c.Manifest.Descriptor.Digest] = true
	case index.DropManifest:
		delete(m.revisions[c.Repository], c.Digest)
	case index.PutBlob:
		set(m.links, c.Repository, c.Digest, true)
		m.stored[c.Digest] = true
	case index.PutContent:
		m.known[c.Manifest.Descriptor.Digest] = c.Manifest
	case index.PutStored:
		m.stored[c.Digest] = true
	case index.DropStored:
		delete(m.stored, c.Digest)
	case index.PutRoot:
		m.roots[c.ID] = index.Root(c)
	case index.DropRoot:
		maps.DeleteFunc(m.roots, func(id string, _ index.Root) bool { return id == c.ID || strings.HasPrefix(id, c.ID+"/") })
	case index.DropBlob:
		delete(m.links[c.Repository], c.Digest)
	case index.PutTag:
		set(m.tags, c.Repository, c.Tag, c.Digest)
	case index.DropTag:
		delete(m.tags[c.Repository], c.Tag)
	case index.DropRepository:
		delete(m.revisions, c.Repository)
		delete(m.links, c.Repository)
		delete(m.tags, c.Repository)
	}
}

// held says whether any repository has the manifest.
func (m *model) held(d registry.Digest) bool {
	for _, revisions := range m.revisions {
		if revisions[d] {
			return true
		}
	}
	return false
}

// attached says whether a manifest refers to its subject in a repository, or,
// without a name, in any.
func (m *model) attached(repo string, referrer registry.Digest) bool {
	return m.revisions[repo][referrer] || repo == "" && m.held(referrer)
}

// reach gives everything that lives through a manifest.
func (m *model) reach(from index.In, into map[registry.Digest]bool) {
	d := from.Digest
	if into[d] {
		return
	}
	into[d] = true
	known := m.known[d]
	for _, next := range slices.Concat(known.Blobs, known.Children) {
		m.reach(index.In{Repository: from.Repository, Digest: next.Digest}, into)
	}
	for referrer, info := range m.known {
		if info.Subject == d && m.attached(from.Repository, referrer) {
			m.reach(index.In{Repository: from.Repository, Digest: referrer}, into)
		}
	}
}

// reachAll gives what lives through any of some manifests, each by itself: what
// one repository attaches to what another reaches is not reached.
func (m *model) reachAll(from ...index.In) map[registry.Digest]bool {
	out := map[registry.Digest]bool{}
	for _, in := range from {
		one := map[registry.Digest]bool{}
		m.reach(in, one)
		maps.Copy(out, one)
	}
	return out
}

// named gives what tags name, each time.
func (m *model) named() (out []index.In) {
	for repo, tags := range m.tags {
		for _, d := range tags {
			out = append(out, index.In{Repository: repo, Digest: d})
		}
	}
	return out
}

// images counts for every object the tagged manifests that reach it.
func (m *model) images() map[registry.Digest]int {
	named, out := map[registry.Digest]bool{}, map[registry.Digest]int{}
	for _, tags := range m.tags {
		for _, d := range tags {
			named[d] = true
		}
	}
	for d := range named {
		for o := range m.reachAll(index.In{Digest: d}) {
			out[o]++
		}
	}
	return out
}

// kept is what roots reach, or only those that last.
func (m *model) kept(lasting bool) map[registry.Digest]bool {
	out := map[registry.Digest]bool{}
	for _, root := range m.roots {
		if root.Lasting || !lasting {
			m.reach(index.In{Digest: root.Digest}, out)
		}
	}
	return out
}

// revised is what the manifests reach that some repository links.
func (m *model) revised() map[registry.Digest]bool {
	out := map[registry.Digest]bool{}
	for _, revisions := range m.revisions {
		for d := range revisions {
			m.reach(index.In{Digest: d}, out)
		}
	}
	return out
}

// disk is what an object takes on disk.
func (m *model) disk(d registry.Digest) int64 {
	if !m.stored[d] {
		return 0
	}
	return m.size(d)
}

// usage computes the totals, object by object.
func (m *model) usage() (u index.Usage) {
	images, tagged, kept, pinned, revised := m.images(), m.reachAll(m.named()...), m.kept(false), m.kept(true), m.revised()
	for d := range m.stored {
		n := m.disk(d)
		u.Blobs++
		u.Bytes += n
		switch {
		case tagged[d] && images[d] > 1:
			u.Shared += n
		case tagged[d]:
			u.Images += n
		case kept[d]:
			u.Held += n
			if pinned[d] {
				u.Pinned += n
			}
		default:
			u.Loose += n
			if revised[d] {
				u.Untagged += n
			}
		}
	}
	for _, repo := range repos {
		u.Manifests += trues(m.revisions[repo])
		u.Tags += len(m.tags[repo])
		if len(m.tags[repo]) > 0 {
			u.Repositories++
		}
	}
	return u
}

// frees computes what is on disk and only reached by what goes: one tag for each
// time that a manifest comes.
func (m *model) frees(going []index.In) (sum int64) {
	left := map[index.In]int{}
	for _, in := range m.named() {
		left[in]++
	}
	reached := map[registry.Digest]bool{}
	for _, in := range going {
		if !in.Untagged {
			left[in]--
		}
		maps.Copy(reached, m.reachAll(in))
	}
	stays := m.kept(true)
	for in, n := range left {
		if n > 0 {
			maps.Copy(stays, m.reachAll(in))
		}
	}
	for d := range reached {
		if !stays[d] {
			sum += m.disk(d)
		}
	}
	return sum
}

// tagSizes gives the figures of one tag.
func (m *model) tagSizes(in index.In, images map[registry.Digest]int) (size, shared, frees int64) {
	tagged := m.reachAll(m.named()...)
	for o := range m.reachAll(in) {
		size += m.size(o)
		if tagged[o] && images[o] > 1 {
			shared += m.size(o)
		}
	}
	return size, shared, m.frees([]index.In{in})
}

// size is what an index can know: the size of what some change has told of.
func (m *model) size(d registry.Digest) int64 { return m.w.sizes[d] }

func (m *model) holdings(repo string) map[registry.Digest]bool {
	out := maps.Clone(m.links[repo])
	if out == nil {
		out = map[registry.Digest]bool{}
	}
	maps.Copy(out, m.revisions[repo])
	return out
}

func trues(m map[registry.Digest]bool) int {
	n := 0
	for _, ok := range m {
		if ok {
			n++
		}
	}
	return n
}

// random gives a change that fits the world.
func (w *world) random(r *rand.Rand) index.Change {
	repo := fmt.Sprintf("team/app%d", r.IntN(3))
	m := w.manifests[r.IntN(len(w.manifests))]
	tag := fmt.Sprintf("v%d", r.IntN(5))
	at := time.Unix(1_700_000_000+int64(r.IntN(1000)), 0).UTC()
	root := []string{"trash/1", "trash/2", "trash/2/a", "trash/2/b", "trash/20", "pin/app:v1"}[r.IntN(6)]
	switch r.IntN(17) {
	case 0:
		return index.DropManifest{Repository: repo, Digest: m.Descriptor.Digest}
	case 1:
		return index.DropTag{Repository: repo, Tag: tag}
	case 2:
		return index.DropBlob{Repository: repo, Digest: digestOf("blob %d", r.IntN(12))}
	case 3, 4, 5:
		d := digestOf("blob %d", r.IntN(12))
		return index.PutBlob{Repository: repo, Digest: d, Size: w.sizes[d]}
	case 6, 7, 8:
		return index.PutTag{Repository: repo, Tag: tag, Digest: m.Descriptor.Digest, At: at}
	case 12:
		return index.DropStored{Digest: slices.Sorted(maps.Keys(w.sizes))[r.IntN(len(w.sizes))]}
	case 13:
		d := slices.Sorted(maps.Keys(w.sizes))[r.IntN(len(w.sizes))]
		return index.PutStored{Digest: d, Size: w.sizes[d], At: at}
	case 16:
		return index.PutContent{Manifest: m}
	case 14:
		return index.PutRoot{ID: root, Digest: m.Descriptor.Digest, Lasting: root[0] == 'p'}
	case 15:
		return index.DropRoot{ID: root}
	case 9:
		if r.IntN(6) == 0 {
			return index.DropRepository{Repository: repo}
		}
		fallthrough
	default:
		return index.PutManifest{Repository: repo, Manifest: m, At: at}
	}
}
