package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/index"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

// model is what a store should be, as maps.
type model struct {
	blobs map[string]bool              // repo@content
	tags  map[string]registry.Digest   // repo:tag
	revs  map[string]registry.Manifest // repo@digest
	ups   map[string]string            // id → content so far, in repo "a"
}

var (
	modelRepos = []string{"a", "a/b", "c"}
	modelTags  = []string{"v1", "v2", "V1"}
	modelBlobs = []string{"one", "two", "three"}
)

// FuzzStore does what the bytes say, to a store and to a model, and compares
// them; also after the store was closed and opened on the same disk.
func FuzzStore(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 0, 0, 1, 5, 0, 0, 0, 2, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 3, 0, 0, 0, 6, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0})
	f.Add([]byte{8, 0, 0, 0, 8, 0, 1, 0, 7, 0, 0, 0, 8, 0, 2, 0, 9, 0, 0, 0})
	f.Fuzz(func(t *testing.T, steps []byte) {
		if len(steps) <= 400 {
			play(t, steps, nil)
		}
	})
}

// TestARandomLifeWithAnIndexIsThatOfTheModel is the same with an index, which
// is too slow to be fuzzed.
func TestARandomLifeWithAnIndexIsThatOfTheModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			play(t, registrytest.Bytes(seed, 800), openIndex(t))
		})
	}
}

func play(t *testing.T, steps []byte, ix index.Index) {
	t.Helper()
	playOn(t, memory.New(), steps, ix)
}

func playOn(t *testing.T, drv driver.Driver, steps []byte, ix index.Index) {
	t.Helper()
	st := open(t, drv, ix, store.Options{})
	m := &model{map[string]bool{}, map[string]registry.Digest{}, map[string]registry.Manifest{}, map[string]string{}}
	for ; len(steps) >= 4; steps = steps[4:] {
		repo := modelRepos[int(steps[1])%3]
		if steps[0]%10 == 7 {
			st = m.restart(t, st, drv, ix)
			continue
		}
		m.step(t, st, steps[0]%10, repo, int(steps[2]), int(steps[3]))
	}
	m.compare(t, st)
	m.compare(t, m.restart(t, st, drv, nil))
}

func (m *model) restart(t *testing.T, st *store.Store, drv driver.Driver, ix index.Index) *store.Store {
	t.Helper()
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	st = open(t, drv, ix, store.Options{})
	<-st.Reconciled()
	return st
}

func (m *model) step(t *testing.T, st *store.Store, op byte, repo string, x, y int) {
	t.Helper()
	ctx := t.Context()
	blob, tag := modelBlobs[x%3], modelTags[y%3]
	manifest := image(blob, y)
	d := digest.FromBytes(manifest.Content)
	var err error
	switch op {
	case 0:
		registrytest.PushBlob(t, st, repo, []byte(blob))
		m.blobs[repo+"@"+blob] = true
	case 1, 2:
		_, err = st.PutManifest(ctx, repo, manifest, tag)
		if m.expect(t, err, m.blobs[repo+"@"+blob], registry.ErrManifestBlobUnknown) {
			m.revs[repo+"@"+d.String()], m.tags[repo+":"+tag] = manifest, d
		}
	case 3:
		err = st.DeleteTag(ctx, repo, tag)
		if m.expect(t, err, m.tags[repo+":"+tag] != "", registry.ErrManifestUnknown) {
			delete(m.tags, repo+":"+tag)
		}
	case 4:
		err = st.DeleteManifest(ctx, repo, d)
		if m.expect(t, err, m.revs[repo+"@"+d.String()].Content != nil, registry.ErrManifestUnknown) {
			delete(m.revs, repo+"@"+d.String())
			maps.DeleteFunc(m.tags, func(name string, at registry.Digest) bool {
				return at == d && name[:len(name)-3] == repo
			})
		}
	case 5:
		from := modelRepos[y%3]
		_, err = st.MountBlob(ctx, from, repo, digest.FromString(blob))
		if m.expect(t, err, m.blobs[from+"@"+blob], registry.ErrBlobUnknown) {
			m.blobs[repo+"@"+blob] = true
		}
	case 6:
		err = st.DeleteBlob(ctx, repo, digest.FromString(blob))
		if m.expect(t, err, m.blobs[repo+"@"+blob], registry.ErrBlobUnknown) {
			delete(m.blobs, repo+"@"+blob)
		}
	default:
		m.upload(t, st, blob)
	}
}

// upload begins an upload, or goes on with the only one; the third piece ends it.
func (m *model) upload(t *testing.T, st *store.Store, piece string) {
	t.Helper()
	id, sofar := "", ""
	for id, sofar = range m.ups {
	}
	var up registry.Upload
	var err error
	if id == "" {
		up, err = st.StartUpload(t.Context(), "a")
	} else {
		up, err = st.ResumeUpload(t.Context(), "a", id)
	}
	if err != nil || up.Size() != int64(len(sofar)) {
		t.Fatalf("upload: %v", err)
	}
	if _, err := io.WriteString(up, piece); err != nil {
		t.Fatal(err)
	}
	sofar += piece
	if len(sofar) < 10 {
		m.ups[up.ID()] = sofar
		if err := up.Close(); err != nil {
			t.Fatal(err)
		}
		return
	}
	delete(m.ups, up.ID())
	if _, err := up.Commit(t.Context(), digest.FromString(sofar)); err != nil {
		t.Fatal(err)
	}
}

func (m *model) expect(t *testing.T, err error, ok bool, otherwise error) bool {
	t.Helper()
	if ok != (err == nil) || err != nil && !errors.Is(err, otherwise) {
		t.Fatalf("got %v; want success: %v", err, ok)
	}
	return ok
}

func (m *model) compare(t *testing.T, st *store.Store) {
	t.Helper()
	var repos []string
	for _, repo := range modelRepos {
		var tags []string
		held := false
		for key := range m.revs {
			held = held || key[:len(key)-72] == repo
		}
		for _, tag := range modelTags {
			want := m.tags[repo+":"+tag]
			got, err := st.ResolveTag(t.Context(), repo, tag)
			if m.expect(t, err, want != "", registry.ErrManifestUnknown) {
				tags = append(tags, tag)
			}
			if got.Digest != want {
				t.Fatalf("%s:%s names %q, want %q", repo, tag, got.Digest, want)
			}
		}
		if held {
			repos = append(repos, repo)
			slices.Sort(tags)
			if got := list(t, st.Tags(t.Context(), repo, "")); !slices.Equal(got, tags) {
				t.Fatalf("tags of %s: %v, want %v", repo, got, tags)
			}
		}
		for _, blob := range modelBlobs {
			_, err := st.StatBlob(t.Context(), repo, digest.FromString(blob))
			m.expect(t, err, m.blobs[repo+"@"+blob], registry.ErrBlobUnknown)
		}
	}
	if got := list(t, st.Repositories(t.Context(), "")); !slices.Equal(got, repos) {
		t.Fatalf("repositories %v, want %v", got, repos)
	}
	for key, want := range m.revs {
		got, err := st.Manifest(t.Context(), key[:len(key)-72], want.Digest)
		if err != nil || !bytes.Equal(got.Content, want.Content) {
			t.Fatalf("manifest %s: %v", key, err)
		}
	}
}

func image(config string, n int) registry.Manifest {
	b := fmt.Appendf(nil, `{"schemaVersion":2,"annotations":{"n":"%d"},"config":{"mediaType":"a/b","digest":%q,"size":%d}}`,
		n%2, digest.FromString(config), len(config))
	return registry.Manifest{Content: b, Digest: digest.FromBytes(b)}
}
