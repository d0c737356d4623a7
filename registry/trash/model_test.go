package trash_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/gc"
	"berth/registry/registrytest"
	"berth/registry/store"
	"berth/registry/trash"
)

// model plays random deeds against a registry, and says what must hold.
type model struct {
	t      *testing.T
	rand   *rand.Rand
	drv    *memory.Driver
	st     *store.Store
	bin    *trash.Bin
	reg    *trash.Registry
	images map[string][]registry.Manifest        // that a repository may hold
	tags   map[string]map[string]registry.Digest // that a repository has
	trash  map[string]kept                       // by id
}

// kept is an entry: its tags, or, of a repository, all of them.
type kept struct {
	repo  string
	whole bool
	tags  map[string]registry.Digest
}

var modelRepos = []string{"a", "a/b", "ab"}

func (m *model) open() {
	if m.st != nil {
		if err := m.st.Close(); err != nil {
			m.t.Fatal(err)
		}
	}
	st, err := store.Open(m.t.Context(), m.drv, nil, store.Options{Park: -1, Grace: -1})
	if err != nil {
		m.t.Fatal(err)
	}
	m.st, m.bin = st, trash.New(m.drv, time.Hour)
	m.reg = trash.Wrap(st, st, m.bin)
}

func (m *model) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// learn takes the entries of a deed that must have recorded exactly those.
func (m *model) learn(got []trash.Entry, want ...kept) {
	m.t.Helper()
	if len(got) != len(want) {
		m.t.Fatalf("recorded %+v, want %+v", got, want)
	}
	for i, e := range got {
		m.trash[e.ID] = want[i]
	}
}

func (m *model) push(repo, tag string) {
	image := m.images[repo][m.rand.IntN(len(m.images[repo]))]
	// After a clean-up the blobs may be gone: a client pushes them again.
	m.must(m.blobs(repo, image))
	ctx, rec := trash.Record(m.t.Context())
	d, err := m.reg.PutManifest(ctx, repo, image, tag)
	m.must(err)
	if was, ok := m.tags[repo][tag]; ok && was != d.Digest {
		m.learn(rec.Entries(), kept{repo, false, map[string]registry.Digest{tag: was}})
	} else {
		m.learn(rec.Entries())
	}
	if m.tags[repo] == nil {
		m.tags[repo] = map[string]registry.Digest{}
	}
	m.tags[repo][tag] = d.Digest
}

func (m *model) blobs(repo string, image registry.Manifest) error {
	for seed := range 3 {
		if again := registrytest.Image(m.t, m.reg, repo, fmt.Sprint(repo, seed)); again.Digest == image.Digest {
			return nil
		}
	}
	return errors.New("that image is not known")
}

func (m *model) deleteTag(repo, tag string) {
	was, ok := m.tags[repo][tag]
	got, err := m.reg.Delete(m.t.Context(), repo, tag)
	if !ok {
		if !unknown(err) {
			m.t.Fatalf("delete of nothing: %v", err)
		}
		return
	}
	m.must(err)
	m.learn(got, kept{repo, false, map[string]registry.Digest{tag: was}})
	delete(m.tags[repo], tag)
}

func (m *model) deleteRepository(repo string) {
	e, err := m.reg.DeleteRepository(m.t.Context(), repo, trash.Deletion{})
	if unknown(err) && len(m.tags[repo]) == 0 {
		return
	}
	m.must(err)
	if e.Tags != len(m.tags[repo]) {
		m.t.Fatalf("%s went with %d tags, not %d", repo, e.Tags, len(m.tags[repo]))
	}
	m.learn([]trash.Entry{e}, kept{repo, true, m.tags[repo]})
	delete(m.tags, repo)
}

func (m *model) restore() {
	if len(m.trash) == 0 {
		return
	}
	ids := slices.Sorted(maps.Keys(m.trash))
	id := ids[m.rand.IntN(len(ids))]
	k := m.trash[id]
	if m.tags[k.repo] == nil {
		m.tags[k.repo] = map[string]registry.Digest{}
	}
	taken := map[string]registry.Digest{}
	for tag, d := range k.tags {
		if now, ok := m.tags[k.repo][tag]; ok && now != d {
			taken[tag] = d
		} else {
			m.tags[k.repo][tag] = d
		}
	}
	if k.whole {
		back, err := m.reg.RestoreRepository(m.t.Context(), id)
		m.must(err)
		delete(m.trash, id)
		if len(back.Conflicts) != len(taken) {
			m.t.Fatalf("conflicts %+v, want %v", back.Conflicts, taken)
		}
		for _, c := range back.Conflicts {
			m.trash[c.Entry.ID] = kept{k.repo, false, map[string]registry.Digest{c.Tag: taken[c.Tag]}}
		}
		return
	}
	_, err := m.reg.Restore(m.t.Context(), id, "")
	var conflict *trash.ConflictError
	if errors.As(err, &conflict) != (len(taken) > 0) {
		m.t.Fatalf("%v, want conflicts %v", err, taken)
	}
	if len(taken) == 0 {
		m.must(err)
		delete(m.trash, id)
	}
}

func (m *model) clean() {
	plan, err := gc.NewPlan(m.t.Context(), m.st, []registry.Rooter{m.bin}, gc.Options{Grace: -1, Untagged: true})
	m.must(err)
	receipt, err := plan.Execute(m.t.Context(), nil)
	m.must(err)
	if len(receipt.Problems) > 0 {
		m.t.Fatalf("clean up: %+v", receipt.Problems)
	}
}

// check: tags and trash are what they must be, and everything can be pulled.
func (m *model) check() {
	for _, repo := range modelRepos {
		if got, want := tags(m.t, m.reg, repo), slices.Sorted(maps.Keys(m.tags[repo])); !slices.Equal(got, want) {
			m.t.Fatalf("%s has %q, want %q", repo, got, want)
		}
		for tag, d := range m.tags[repo] {
			now, err := m.reg.ResolveTag(m.t.Context(), repo, tag)
			m.must(err)
			if now.Digest != d {
				m.t.Fatalf("%s:%s names %s, want %s", repo, tag, now.Digest, d)
			}
			pulled(m.t, m.reg, repo, d)
		}
	}
	var got []string
	for _, e := range entries(m.t, m.bin) {
		got = append(got, e.ID)
	}
	if want := slices.Sorted(maps.Keys(m.trash)); !slices.Equal(got, want) {
		m.t.Fatalf("the trash has %q, want %q", got, want)
	}
}

func (m *model) step() {
	repo, tag := modelRepos[m.rand.IntN(len(modelRepos))], fmt.Sprint("v", m.rand.IntN(4))
	switch n := m.rand.IntN(20); {
	case n < 7:
		m.push(repo, tag)
	case n < 10:
		m.deleteTag(repo, tag)
	case n < 12:
		m.deleteRepository(repo)
	case n < 16:
		m.restore()
	case n < 17:
		m.clean()
	case n < 18:
		m.drv.Crash()
		m.open()
	default:
		m.check()
	}
}

// TestRandomDeedsLeaveWhatAMapOfThemHas plays pushes, overwrites, deletes,
// restores, clean-ups and power cuts.
func TestRandomDeedsLeaveWhatAMapOfThemHas(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := &model{
					t: t, rand: rand.New(rand.NewPCG(seed, 4)), drv: memory.New(), images: map[string][]registry.Manifest{},
					tags: map[string]map[string]registry.Digest{}, trash: map[string]kept{},
				}
				m.open()
				for _, repo := range modelRepos {
					for seed := range 3 {
						m.images[repo] = append(m.images[repo], registrytest.Image(t, m.reg, repo, fmt.Sprint(repo, seed)))
					}
				}
				for range 150 {
					m.step()
				}
				m.check()
				m.must(m.st.Close())
			})
		})
	}
}
