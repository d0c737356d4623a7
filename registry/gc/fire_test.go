package gc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver/filesystem"
	"berth/registry/gc"
	"berth/registry/index/sqlite"
	"berth/registry/registrytest"
	"berth/registry/store"
	"berth/registry/trash"

	"github.com/opencontainers/go-digest"
)

const (
	// promise is for how long the store of the fire keeps what clients saw.
	promise = 400 * time.Millisecond
	// hurry is how quick a push must be for the promise to cover it surely.
	hurry = promise / 2
)

var fireRepos = []string{"fire/a", "fire/b", "fire"}

// burner is a client. Its tags are its own; layers, manifests' blobs and
// repositories are everybody's.
type burner struct {
	id    int
	w     *world
	r     *rand.Rand
	live  map[[2]string][]registry.Digest // repo, tag → what must be whole
	n     int
	slow  int // pushes that took longer than they were promised
	pulls *atomic.Int64
}

// TestFireNothingThatWasAcknowledgedIsSwept pushes, mounts, overwrites, signs,
// deletes and pulls from all sides while clean-ups run one after the other.
// BERTH_FIRE=5m makes it burn for longer than three seconds.
func TestFireNothingThatWasAcknowledgedIsSwept(t *testing.T) {
	t.Parallel()
	w := fireWorld(t)
	burn := 3 * time.Second
	if d, err := time.ParseDuration(os.Getenv("BERTH_FIRE")); err == nil {
		burn = d
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	ctx, cancel := context.WithTimeout(t.Context(), burn)
	defer cancel()
	var wg sync.WaitGroup
	var pulls atomic.Int64
	burners := make([]*burner, 8)
	for id := range burners {
		b := &burner{
			id: id, w: w, live: map[[2]string][]registry.Digest{}, pulls: &pulls,
			r: rand.New(rand.NewPCG(seed, uint64(id))), //nolint:gosec // choices, not secrets
		}
		burners[id] = b
		wg.Go(func() {
			for ctx.Err() == nil && !t.Failed() {
				b.act()
			}
		})
	}
	var freed gc.Count
	runs, spared := 0, map[registry.Why]int{}
	for ctx.Err() == nil {
		r := w.fireClean(ctx)
		freed.Blobs, freed.Bytes = freed.Blobs+r.Freed.Blobs, freed.Bytes+r.Freed.Bytes
		for why, n := range r.Spared {
			spared[why] += n
		}
		runs++
		if _, err := w.bin.Purge(t.Context(), time.Now().Add(2*time.Hour)); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	pushes, slow := 0, 0
	for _, b := range burners {
		b.checkAll()
		pushes, slow = pushes+b.n, slow+b.slow
	}
	t.Logf("%d clean-ups freed %d blobs (%d bytes) during %d pushes (%d too slow for the promise) and %d pulls; spared %v",
		runs, freed.Blobs, freed.Bytes, pushes, slow, pulls.Load(), spared)
	if freed.Blobs == 0 || pushes == 0 {
		t.Error("nothing was tested")
	}
}

func fireWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: dir})
	if err != nil {
		t.Fatal(err)
	}
	ix, err := sqlite.Open(t.Context(), filepath.Join(dir, "berth", "index.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(context.Background(), drv, ix, store.Options{Grace: promise})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(st.Close(), ix.Close(), drv.Close()); err != nil {
			t.Error(err)
		}
	})
	bin := trash.New(drv, time.Hour)
	return &world{t, drv, st, bin, trash.Wrap(st, st, bin)}
}

func (w *world) fireClean(ctx context.Context) gc.Receipt {
	p, err := gc.NewPlan(ctx, w.st, []registry.Rooter{w.bin}, all)
	if err != nil {
		if ctx.Err() == nil {
			w.t.Error(err)
		}
		return gc.Receipt{}
	}
	for _, problem := range p.Problems {
		w.t.Error("plan: ", problem)
	}
	r, err := p.Execute(ctx, nil)
	if err != nil && ctx.Err() == nil {
		w.t.Error(err)
	}
	for _, problem := range r.Problems {
		w.t.Error("receipt: ", problem)
	}
	return r
}

func (b *burner) act() {
	repo := fireRepos[b.r.IntN(len(fireRepos))]
	tag := fmt.Sprintf("c%d-%d", b.id, b.r.IntN(4))
	at := [2]string{repo, tag}
	switch b.r.IntN(8) {
	case 0, 1, 2:
		b.push(at, b.single)
	case 3, 4:
		b.push(at, b.multi)
	case 5:
		if live := b.live[at]; live != nil {
			b.push(at, func(string) (registry.Manifest, error) { return b.sign(repo, live) })
		}
	case 6:
		b.remove(at)
	case 7:
		for _, d := range b.live[at] {
			b.check(at, d)
		}
	}
}

// push makes something and, unless it is a signature, points the tag at it. What
// takes longer than was promised may fail, and is done again.
func (b *burner) push(at [2]string, build func(repo string) (registry.Manifest, error)) {
	b.n++
	for {
		began := time.Now()
		m, err := build(at[0])
		signs := err == nil && bytes.Contains(m.Content, []byte(`"subject"`))
		if err == nil && signs {
			_, err = b.w.reg.PutManifest(context.Background(), at[0], m)
		} else if err == nil {
			_, err = b.w.reg.PutManifest(context.Background(), at[0], m, at[1])
		}
		switch {
		case err == nil && signs:
			b.live[at] = append(b.live[at], m.Digest)
			return
		case err == nil:
			b.live[at] = []registry.Digest{m.Digest}
			return
		case time.Since(began) > hurry && errors.Is(err, registry.ErrManifestBlobUnknown):
			b.slow++
		default:
			b.w.t.Errorf("push after %v: %v", time.Since(began), err)
			return
		}
	}
}

// blob pushes as docker does: only what is not there, and mounted when it is
// elsewhere.
func (b *burner) blob(repo string, content []byte) (registry.Descriptor, error) {
	ctx, d := context.Background(), digest.FromBytes(content)
	if desc, err := b.w.reg.StatBlob(ctx, repo, d); err == nil {
		return desc, nil
	}
	if b.r.IntN(2) == 0 {
		if desc, err := b.w.reg.MountBlob(ctx, fireRepos[b.r.IntN(len(fireRepos))], repo, d); err == nil {
			return desc, nil
		}
	}
	up, err := b.w.reg.StartUpload(ctx, repo)
	if err != nil {
		return registry.Descriptor{}, err
	}
	if _, err := io.Copy(up, bytes.NewReader(content)); err != nil {
		return registry.Descriptor{}, err
	}
	return up.Commit(ctx, d)
}

// single is an image of layers that everybody uses now and then.
func (b *burner) single(repo string) (registry.Manifest, error) {
	config, err := b.blob(repo, fmt.Appendf(nil, `{"os":"linux","author":"%d"}`, b.r.IntN(12)))
	if err != nil {
		return registry.Manifest{}, err
	}
	n := uint64(b.r.IntN(24))
	layer, err := b.blob(repo, registrytest.Bytes(n, 1000+int(n%3)*60_000)) //nolint:gosec // small
	if err != nil {
		return registry.Manifest{}, err
	}
	content := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",`+
		`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},`+
		`"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":%q,"size":%d}],"annotations":{"by":"%d"}}`,
		config.Digest, config.Size, layer.Digest, layer.Size, b.id)
	return registry.Manifest{Digest: digest.FromBytes(content), Content: content}, nil
}

// multi pushes children by digest, those that are not there, and gives the index.
func (b *burner) multi(repo string) (registry.Manifest, error) {
	var children []registry.Descriptor
	for range 2 {
		m, err := b.single(repo)
		if err != nil {
			return registry.Manifest{}, err
		}
		d, err := b.w.reg.StatManifest(context.Background(), repo, m.Digest)
		if err != nil {
			d, err = b.w.reg.PutManifest(context.Background(), repo, m)
		}
		if err != nil {
			return registry.Manifest{}, err
		}
		children = append(children, d)
	}
	return registrytest.Index(b.w.t, children...), nil
}

// sign gives a manifest that refers to the last of what is alive.
func (b *burner) sign(repo string, live []registry.Digest) (registry.Manifest, error) {
	config, err := b.blob(repo, []byte("{}"))
	if err != nil {
		return registry.Manifest{}, err
	}
	subject := live[len(live)-1]
	content := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",`+
		`"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":%q,"size":2},"layers":[],`+
		`"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":%q,"size":1},"annotations":{"by":"%d-%d"}}`,
		config.Digest, subject, b.id, b.r.IntN(3))
	return registry.Manifest{Digest: digest.FromBytes(content), Content: content}, nil
}

// remove deletes a tag, by the trash or past it, or brings one back.
func (b *burner) remove(at [2]string) {
	if b.live[at] == nil {
		return
	}
	ctx := context.Background()
	if b.r.IntN(2) == 0 {
		if err := b.w.st.DeleteTag(ctx, at[0], at[1]); err != nil {
			b.w.t.Error(err)
		}
		delete(b.live, at)
		return
	}
	gone, err := b.w.reg.Delete(ctx, at[0], at[1])
	if err != nil || len(gone) != 1 {
		b.w.t.Errorf("delete: %v, %v", gone, err)
		return
	}
	if _, err := b.w.reg.Restore(ctx, gone[0].ID, ""); errors.Is(err, trash.ErrUnknown) || errors.Is(err, registry.ErrManifestUnknown) {
		delete(b.live, at) // the trash was emptied
	} else if err != nil {
		b.w.t.Errorf("restore: %v", err)
	}
}

func (b *burner) checkAll() {
	for at, live := range b.live {
		if d, err := b.w.reg.ResolveTag(context.Background(), at[0], at[1]); err != nil || d.Digest != live[0] {
			b.w.t.Errorf("%s:%s names %s, want %s, %v", at[0], at[1], d.Digest, live[0], err)
		}
		for _, d := range live {
			b.check(at, d)
		}
	}
}

func (b *burner) check(at [2]string, d registry.Digest) {
	b.pulls.Add(1)
	if err := whole(b.w.reg, at[0], d); err != nil {
		b.w.t.Errorf("%s:%s, %s: %v", at[0], at[1], d, err)
	}
}
