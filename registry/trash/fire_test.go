package trash_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/gc"
	"berth/registry/manifest"
	"berth/registry/registrytest"
	"berth/registry/store"
	"berth/registry/trash"

	"github.com/opencontainers/go-digest"
)

var fireRepos = []string{"a", "a/b", "c"}

// blaze is what everybody is at: few repositories and tags, of everybody.
type blaze struct {
	t   *testing.T
	st  *store.Store
	bin *trash.Bin
	reg *trash.Registry
	// pushed, back and freed count what was done.
	pushed, back, freed atomic.Int64
}

// TestFireWhatIsTaggedOrInTheTrashIsWhole pushes, mounts, deletes tags, manifests
// and whole repositories, restores them and lets go of them from all sides, while
// clean-ups without a grace run one after the other. What has a tag at the end,
// or is in the trash, is whole. BERTH_FIRE=5m makes it burn for longer than a
// second.
func TestFireWhatIsTaggedOrInTheTrashIsWhole(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	st, err := store.Open(t.Context(), drv, nil, store.Options{Park: -1, Grace: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	st.SetGrace(store.InFlight) // what a push under way has seen stays
	bin := trash.New(drv, time.Hour)
	b := &blaze{t: t, st: st, bin: bin, reg: trash.Wrap(st, st, bin)}
	burn, seed := time.Second, rand.Uint64()
	if d, err := time.ParseDuration(os.Getenv("BERTH_FIRE")); err == nil {
		burn = d
	}
	t.Logf("seed %d", seed)
	began := time.Now()
	// A loaded machine needs longer until there is something to look at.
	burns := func() bool {
		age := time.Since(began)
		return !t.Failed() && (age < burn || age < burn+time.Minute && (b.pushed.Load() == 0 || b.freed.Load() == 0))
	}
	var wg sync.WaitGroup
	for id, act := range []func(*rand.Rand){b.push, b.push, b.push, b.mount, b.remove, b.remove, b.restore, b.restore, b.letGo, b.clean} {
		r := rand.New(rand.NewPCG(seed, uint64(id))) //nolint:gosec // choices, not secrets
		wg.Go(func() {
			for burns() {
				act(r)
			}
		})
	}
	wg.Wait()
	b.check()
	t.Logf("%d pushes, %d restores, %d blobs freed", b.pushed.Load(), b.back.Load(), b.freed.Load())
	if b.pushed.Load() == 0 || b.freed.Load() == 0 {
		t.Error("nothing was tested")
	}
}

func anyRepo(r *rand.Rand) string { return fireRepos[r.IntN(len(fireRepos))] }

// push may be refused when somebody deletes what it has just pushed.
func (b *blaze) push(r *rand.Rand) {
	repo, ctx := anyRepo(r), context.Background()
	m, err := b.image(repo, r)
	if err == nil && r.IntN(2) == 0 {
		m, err = b.index(repo, m, r)
	}
	if err == nil {
		_, err = b.reg.PutManifest(ctx, repo, m, fmt.Sprint("v", r.IntN(6)))
	}
	if err == nil {
		b.pushed.Add(1)
	}
}

func (b *blaze) image(repo string, r *rand.Rand) (registry.Manifest, error) {
	ctx, n := context.Background(), r.IntN(8)
	config, layer := fmt.Appendf(nil, `{"os":"linux","n":%d}`, n), fmt.Appendf(nil, "layer %d", n)
	for _, content := range [][]byte{config, layer} {
		up, err := b.reg.StartUpload(ctx, repo)
		if err != nil {
			return registry.Manifest{}, err
		}
		if _, err := up.Write(content); err != nil {
			return registry.Manifest{}, err
		}
		if _, err := up.Commit(ctx, digest.FromBytes(content)); err != nil {
			return registry.Manifest{}, err
		}
	}
	return imageOf(config, layer), nil
}

// index pushes m and another one by digest, and gives what has both.
func (b *blaze) index(repo string, m registry.Manifest, r *rand.Rand) (registry.Manifest, error) {
	other, err := b.image(repo, r)
	if err != nil {
		return other, err
	}
	var children []registry.Descriptor
	for _, child := range []registry.Manifest{m, other} {
		d, err := b.reg.PutManifest(context.Background(), repo, child)
		if err != nil {
			return child, err
		}
		children = append(children, d)
	}
	return registrytest.Index(b.t, children...), nil
}

func (b *blaze) mount(r *rand.Rand) {
	from := anyRepo(r)
	for d, err := range b.st.Links(context.Background(), from) {
		if err == nil && r.IntN(3) == 0 {
			_, _ = b.reg.MountBlob(context.Background(), from, anyRepo(r), d) // it may be gone
			return
		}
	}
}

func (b *blaze) remove(r *rand.Rand) {
	repo, ctx := anyRepo(r), context.Background()
	var err error
	switch r.IntN(8) {
	case 0:
		_, err = b.reg.DeleteRepository(ctx, repo, trash.Deletion{})
	case 1, 2:
		for d, listErr := range b.st.Revisions(ctx, repo) {
			if listErr == nil && r.IntN(3) == 0 {
				err = b.reg.DeleteManifest(ctx, repo, d.Digest)
				break
			}
		}
	default:
		err = b.reg.DeleteTag(ctx, repo, fmt.Sprint("v", r.IntN(6)))
	}
	if err != nil && !unknown(err) {
		b.t.Errorf("delete from %s: %v", repo, err)
	}
}

// restore may find that a tag is taken, or that the entry was let go.
func (b *blaze) restore(r *rand.Rand) {
	ctx := context.Background()
	all, err := b.bin.Entries(ctx)
	if err != nil || len(all) == 0 {
		return
	}
	e := all[r.IntN(len(all))]
	if e.Whole {
		_, err = b.reg.RestoreRepository(ctx, e.ID)
	} else {
		_, err = b.reg.Restore(ctx, e.ID, "")
	}
	switch {
	case err == nil:
		b.back.Add(1)
	case unknown(err):
		b.t.Errorf("%s is in the trash, and its content is gone: %v", e.Name(), err)
	}
}

func (b *blaze) letGo(r *rand.Rand) {
	all, err := b.bin.Entries(context.Background())
	var ids []string
	for _, e := range all {
		if r.IntN(2) == 0 {
			ids = append(ids, e.ID)
		}
	}
	if err == nil {
		_, err = b.bin.Remove(context.Background(), ids...)
	}
	if err != nil {
		b.t.Errorf("let go: %v", err)
	}
}

func (b *blaze) clean(*rand.Rand) {
	ctx := context.Background()
	plan, err := gc.NewPlan(ctx, b.st, []registry.Rooter{b.bin}, gc.Options{Grace: -1, Untagged: true})
	if err != nil {
		b.t.Errorf("plan: %v", err)
		return
	}
	receipt, err := plan.Execute(ctx, nil)
	if err != nil || len(plan.Problems)+len(receipt.Problems) > 0 {
		b.t.Errorf("clean-up: %v, %v, %v", err, plan.Problems, receipt.Problems)
	}
	b.freed.Add(int64(receipt.Freed.Blobs))
}

func (b *blaze) check() {
	for _, repo := range fireRepos {
		for _, tag := range tags(b.t, b.reg, repo) {
			d, err := b.reg.ResolveTag(b.t.Context(), repo, tag)
			if err == nil {
				err = b.whole(repo, d.Digest, true)
			}
			if err != nil {
				b.t.Errorf("%s:%s: %v", repo, tag, err)
			}
		}
	}
	for _, e := range entries(b.t, b.bin) {
		held, err := b.bin.Held(b.t.Context(), e.ID)
		if err != nil {
			b.t.Error(err)
		}
		for _, d := range held {
			if err := b.whole(e.Repository, d, false); err != nil {
				b.t.Errorf("%s in the trash: %v", e.Name(), err)
			}
		}
	}
}

// whole fails unless all that a manifest needs is stored, and with linked its
// blobs are also linked in the repository. A child may have been deleted by its
// digest; its content is kept for the index.
func (b *blaze) whole(repo string, d registry.Digest, linked bool) error {
	ctx := b.t.Context()
	content, err := b.st.Content(ctx, d)
	if err != nil {
		return err
	}
	p, err := manifest.Parse("", content)
	if err != nil {
		return err
	}
	for _, blob := range p.Blobs {
		if _, err = b.st.StatStored(ctx, blob.Digest); err == nil && linked {
			_, err = b.st.StatBlob(ctx, repo, blob.Digest)
		}
		if err != nil {
			return fmt.Errorf("%s needs %s: %w", d, blob.Digest, err)
		}
	}
	for _, child := range p.Children {
		if err := b.whole(repo, child.Digest, linked); err != nil {
			return fmt.Errorf("%s has the child %s: %w", d, child.Digest, err)
		}
	}
	return nil
}
