package gc_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/gc"
	"berth/registry/manifest"
	"berth/registry/registrytest"
	"berth/registry/store"
	"berth/registry/trash"

	"github.com/opencontainers/go-digest"
)

const (
	repo = "team/app"
	v2   = "docker/registry/v2/"
)

// all takes whatever nothing needs, at once.
var all = gc.Options{Grace: -1, Untagged: true}

// world is a store with a trash.
type world struct {
	t   testing.TB
	drv driver.Driver
	st  *store.Store
	bin *trash.Bin
	reg *trash.Registry
}

func newWorld(t testing.TB, drv driver.Driver, o store.Options) *world {
	t.Helper()
	o.Park = -1
	st, err := store.Open(context.Background(), drv, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	bin := trash.New(drv, time.Hour)
	return &world{t, drv, st, bin, trash.Wrap(st, st, bin)}
}

// rash is a store that promises nothing.
func rash(t testing.TB) *world { return newWorld(t, memory.New(), store.Options{Grace: -1}) }

func (w *world) plan(o gc.Options) *gc.Plan {
	w.t.Helper()
	p, err := gc.NewPlan(context.Background(), w.st, []registry.Rooter{w.bin}, o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = p.Close() })
	if sum := p.InUse.Bytes + p.Garbage.Bytes + p.Young.Bytes + p.Untagged.Bytes + p.Promised.Bytes + p.Doubtful.Bytes; sum != p.Total.Bytes {
		w.t.Errorf("%d bytes in use, garbage, young, untagged, promised and doubtful; %d stored", sum, p.Total.Bytes)
	}
	return p
}

func (w *world) execute(p *gc.Plan) gc.Receipt {
	w.t.Helper()
	r, err := p.Execute(context.Background(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, problem := range r.Problems {
		w.t.Error(problem)
	}
	return r
}

func (w *world) clean(o gc.Options) gc.Receipt {
	w.t.Helper()
	p := w.plan(o)
	for _, problem := range p.Problems {
		w.t.Error(problem)
	}
	return w.execute(p)
}

// whole reads a manifest and all that it needs.
func (w *world) whole(d registry.Digest) {
	w.t.Helper()
	if err := whole(w.st, repo, d); err != nil {
		w.t.Error(err)
	}
}

func whole(reg registry.Reader, repo string, d registry.Digest) error {
	m, err := reg.Manifest(context.Background(), repo, d)
	if err != nil {
		return err
	}
	p, err := manifest.Parse(m.MediaType, m.Content)
	if err != nil {
		return err
	}
	for _, b := range p.Blobs {
		if err := hashes(reg, repo, b.Digest); err != nil {
			return err
		}
	}
	for _, c := range p.Children {
		if err := whole(reg, repo, c.Digest); err != nil {
			return err
		}
	}
	return nil
}

func hashes(reg registry.Reader, repo string, d registry.Digest) error {
	f, err := reg.OpenBlob(context.Background(), repo, d)
	if err != nil {
		return err
	}
	defer f.Close()
	v := d.Verifier()
	if _, err := io.Copy(v, f); err != nil {
		return err
	}
	if !v.Verified() {
		return errors.New(d.String() + " is damaged")
	}
	return nil
}

// gone fails if anything but what is listed is stored.
func (w *world) stored(want int) {
	w.t.Helper()
	n := 0
	for _, err := range w.st.Stored(context.Background()) {
		if err != nil {
			w.t.Fatal(err)
		}
		n++
	}
	if n != want {
		w.t.Errorf("%d blobs are stored, want %d", n, want)
	}
}

func (w *world) put(m registry.Manifest, tags ...string) registry.Descriptor {
	w.t.Helper()
	d, err := w.st.PutManifest(context.Background(), repo, m, tags...)
	if err != nil {
		w.t.Fatal(err)
	}
	d.ArtifactType, d.Annotations = "", nil
	return d
}

func (w *world) image(seed string) registry.Manifest {
	return registrytest.Image(w.t, w.st, repo, seed)
}

func (w *world) untag(tag string) {
	w.t.Helper()
	if err := w.st.DeleteTag(context.Background(), repo, tag); err != nil {
		w.t.Fatal(err)
	}
}

func TestATagKeepsWhatItReachesAndAllElseGoes(t *testing.T) {
	t.Parallel()
	w := rash(t)
	kept := w.put(w.image("kept"), "v1")
	w.put(w.image("gone"), "v2")
	w.untag("v2")
	loose := registrytest.PushBlob(t, w.st, repo, []byte("loose"))
	p := w.plan(all)
	if p.Manifests != 1 || p.Links != 3 || p.Garbage.Blobs != 4 || p.Total.Blobs != 7 {
		t.Errorf("plan: %d manifests, %d links, %+v garbage of %+v", p.Manifests, p.Links, p.Garbage, p.Total)
	}
	w.stored(7) // a plan changes nothing
	r := w.execute(p)
	if r.Freed != p.Garbage || r.Manifests != 1 || r.Links != 3 || len(r.Kept) != 0 {
		t.Errorf("receipt %+v, planned %+v", r, p.Garbage)
	}
	w.whole(kept.Digest)
	w.stored(3)
	if _, err := w.st.StatBlob(t.Context(), repo, loose.Digest); !errors.Is(err, registry.ErrBlobUnknown) {
		t.Errorf("a loose blob: %v", err)
	}
	if _, err := p.Execute(t.Context(), nil); !errors.Is(err, gc.ErrExecuted) {
		t.Errorf("twice: %v", err)
	}
}

func TestUntaggedManifestsAreKeptUnlessTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	w := rash(t)
	m := w.put(w.image("a"))
	if r := w.clean(gc.Options{Grace: -1}); r.Freed.Bytes != 0 {
		t.Errorf("freed %+v", r.Freed)
	}
	w.whole(m.Digest)
	w.clean(all)
	w.stored(0)
}

func TestUntaggedManifestsAreKeptUntilTheyAreOldEnough(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.New(), store.Options{Grace: -1})
		m := w.put(w.image("a"))
		o := gc.Options{Grace: -1, Untagged: true, UntaggedAfter: 24 * time.Hour}
		time.Sleep(23 * time.Hour)
		w.clean(o)
		w.whole(m.Digest)
		time.Sleep(2 * time.Hour)
		w.clean(o)
		w.stored(0)
	})
}

func TestTheChildOfAnIndexLivesWithTheIndex(t *testing.T) {
	t.Parallel()
	w := rash(t)
	inner := w.put(registrytest.Index(t, w.put(w.image("arm"))))
	index := w.put(registrytest.Index(t, w.put(w.image("amd")), inner), "multi")
	w.clean(all)
	w.whole(index.Digest)
	w.untag("multi")
	if r := w.clean(all); r.Manifests != 4 {
		t.Errorf("%d manifests went, want the index, the inner one and two images", r.Manifests)
	}
	w.stored(0)
}

func TestWhatRefersToWhatRefersToAnImageLivesWithTheImage(t *testing.T) {
	t.Parallel()
	w := rash(t)
	image := w.put(w.image("a"), "v1")
	signature := w.put(registrytest.Artifact(t, w.st, repo, "application/signature", image, nil))
	stamp := w.put(registrytest.Artifact(t, w.st, repo, "application/timestamp", signature, nil))
	index := w.put(registrytest.Index(t, w.put(w.image("b"))), "v2")
	of := w.put(registrytest.Artifact(t, w.st, repo, "application/sbom", index, nil))
	w.clean(all)
	for _, d := range []registry.Digest{image.Digest, signature.Digest, stamp.Digest, index.Digest, of.Digest} {
		w.whole(d)
	}
	w.untag("v1")
	w.clean(all)
	if _, err := w.st.Manifest(t.Context(), repo, stamp.Digest); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("the stamp outlives the image: %v", err)
	}
	w.whole(of.Digest)
}

func TestATaggedReferrerLivesWithoutItsSubject(t *testing.T) {
	t.Parallel()
	w := rash(t)
	image := w.put(w.image("a"))
	signature := w.put(registrytest.Artifact(t, w.st, repo, "application/signature", image, nil), "sig")
	w.clean(all)
	w.whole(signature.Digest)
	w.stored(2)
}

func TestWhatAFallbackTagListsLives(t *testing.T) {
	t.Parallel()
	w := rash(t)
	image := w.put(w.image("a"), "v1")
	sbom := w.put(w.image("an old sbom"))
	w.put(registrytest.Index(t, sbom), "sha256-"+image.Digest.Encoded())
	w.clean(all)
	w.whole(sbom.Digest)
}

func TestWhatIsInTheTrashLivesUntilItIsEmptied(t *testing.T) {
	t.Parallel()
	w := rash(t)
	child := w.put(w.image("a"))
	index := w.put(registrytest.Index(t, child), "v1")
	signature := w.put(registrytest.Artifact(t, w.st, repo, "application/signature", index, nil))
	if err := w.reg.DeleteManifest(t.Context(), repo, index.Digest); err != nil {
		t.Fatal(err)
	}
	w.clean(all)
	entries, err := w.bin.Entries(t.Context())
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		if _, err := w.reg.Restore(t.Context(), e.ID, ""); err != nil {
			t.Fatal(err)
		}
	}
	w.whole(index.Digest)
	w.whole(signature.Digest)
	if err := w.reg.DeleteManifest(t.Context(), repo, index.Digest); err != nil {
		t.Fatal(err)
	}
	if _, err := w.bin.Purge(t.Context(), time.Now().Add(48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	w.clean(all)
	w.stored(0)
}

func TestAnEmptyRepositoryGoesAndTheOneWithinItStays(t *testing.T) {
	t.Parallel()
	w := rash(t)
	registrytest.PushBlob(t, w.st, repo, []byte("loose"))
	inner := registrytest.PushImage(t, w.st, repo+"/inner", "v1")
	registrytest.PushBlob(t, w.st, "alone/in/here", []byte("loose"))
	w.clean(all)
	var names []string
	for name, err := range w.st.AllRepositories(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if !slices.Equal(names, []string{repo + "/inner"}) {
		t.Errorf("repositories %v", names)
	}
	if _, err := w.drv.Stat(t.Context(), v2+"repositories/alone"); err == nil {
		t.Error("an empty folder stayed")
	}
	if err := whole(w.st, repo+"/inner", inner.Digest); err != nil {
		t.Error(err)
	}
}

func TestABlobThatAnotherRepositoryUsesLosesOnlyItsLink(t *testing.T) {
	t.Parallel()
	w := rash(t)
	m := w.put(w.image("a"), "v1")
	p, _ := manifest.Parse("", mustContent(t, w, m.Digest))
	b := p.Blobs[1].Digest
	if _, err := w.st.MountBlob(t.Context(), repo, "other", b); err != nil {
		t.Fatal(err)
	}
	if r := w.clean(all); r.Links != 1 || r.Freed.Blobs != 0 {
		t.Errorf("receipt %+v", r)
	}
	w.whole(m.Digest)
}

func mustContent(t *testing.T, w *world, d registry.Digest) []byte {
	t.Helper()
	content, err := w.st.Content(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestACancelledCleanUpSaysWhatItDid(t *testing.T) {
	t.Parallel()
	w := rash(t)
	kept := w.put(w.image("kept"), "v1")
	for i := range 200 {
		registrytest.PushBlob(t, w.st, repo, registrytest.Bytes(uint64(i), 100))
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := w.plan(all).Execute(ctx, func(p gc.Progress) {
		if p.Freed > 0 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || r.Links != 200 || r.Freed.Blobs == 0 || r.Freed.Blobs == 200 {
		t.Errorf("%+v, %v", r, err)
	}
	w.clean(all)
	w.stored(3)
	w.whole(kept.Digest)
}

func TestADigestOfAnotherAlgorithmIsCleanedLikeAnyOther(t *testing.T) {
	t.Parallel()
	w := rash(t)
	m := w.image("a")
	m.Digest = digestSHA512(m.Content)
	kept := w.put(m, "v1")
	other := w.image("b")
	other.Digest = digestSHA512(other.Content)
	w.put(other)
	if r := w.clean(all); r.Manifests != 1 || r.Freed.Blobs != 3 {
		t.Errorf("receipt %+v", r)
	}
	w.whole(kept.Digest)
}

func digestSHA512(content []byte) registry.Digest { return digest.SHA512.FromBytes(content) }
