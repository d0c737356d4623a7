package store_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/index"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

func rows(t testing.TB, ix index.Index, repo string) map[string]index.Tag {
	t.Helper()
	tags, err := ix.Tags(t.Context(), repo, index.Query{})
	if err != nil && !errors.Is(err, index.ErrUnknown) {
		t.Fatal(err)
	}
	out := map[string]index.Tag{}
	for _, tag := range tags {
		out[tag.Name] = tag
	}
	return out
}

func TestTheIndexIsRebuiltFromTheDisk(t *testing.T) {
	t.Parallel()
	drv, d, _ := foreign(t)
	ix := openIndex(t)
	st := open(t, drv, ix, store.Options{})
	<-st.Reconciled()
	if complete, err := ix.Complete(t.Context()); !complete || err != nil {
		t.Fatalf("complete %v, %v", complete, err)
	}
	tag := rows(t, ix, "old/app")["latest"]
	if tag.Descriptor.Digest != d || !slices.Equal(tag.Platforms, []string{"linux/arm64"}) || tag.Size == 0 {
		t.Errorf("row %+v", tag)
	}
	info, err := drv.Stat(t.Context(), v2+"repositories/old/app/_manifests/tags/latest/current/link")
	if err != nil || tag.Pushed.Unix() != info.Modified.Unix() {
		t.Errorf("pushed %v, link of %v, %v", tag.Pushed, info.Modified, err)
	}
	if got := list(t, st.Repositories(t.Context(), "")); !slices.Equal(got, []string{"old/app"}) {
		t.Errorf("repositories %v", got)
	}
}

func TestReconciliationFindsWhatAnotherProgramDid(t *testing.T) {
	t.Parallel()
	drv, ix := memory.New(), openIndex(t)
	st := open(t, drv, ix, store.Options{})
	ctx := registry.WithCaller(t.Context(), registry.Caller{User: "anna"})
	a := registrytest.Image(t, st, "app", "a")
	if _, err := st.PutManifest(ctx, "app", a, "kept", "moved", "gone"); err != nil {
		t.Fatal(err)
	}
	b := registrytest.PushImage(t, st, "app", "b")
	lost := registrytest.PushImage(t, st, "app", "lost")
	registrytest.PushImage(t, st, "dropped", "v1")
	<-st.Reconciled()
	was := rows(t, ix, "app")["kept"]
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	base := v2 + "repositories/app/_manifests/"
	remove(t, drv, base+"tags/gone")
	remove(t, drv, base+"tags/lost")
	remove(t, drv, base+"revisions/sha256/"+lost.Digest.Encoded())
	remove(t, drv, v2+"repositories/dropped")
	put(t, drv, map[string]string{base + "tags/moved/current/link": b.Digest.String(), base + "tags/new/current/link": a.Digest.String()})
	again := open(t, drv, ix, store.Options{})
	<-again.Reconciled()
	got := rows(t, ix, "app")
	if len(got) != 4 || got["moved"].Descriptor.Digest != b.Digest || got["new"].Descriptor.Digest != a.Digest {
		t.Errorf("rows %+v", got)
	}
	if kept := got["kept"]; !kept.Pushed.Equal(was.Pushed) || kept.By != "anna" {
		t.Errorf("kept was %+v, is %+v", was, kept)
	}
	if repos := list(t, again.Repositories(t.Context(), "")); !slices.Equal(repos, []string{"app"}) {
		t.Errorf("repositories %v", repos)
	}
	usage, err := ix.Usage(t.Context())
	if err != nil || usage.Manifests != 2 {
		t.Errorf("usage %+v, %v", usage, err)
	}
}

func TestTheIndexForgetsTheLastManifestOfARepository(t *testing.T) {
	t.Parallel()
	drv, ix := memory.New(), openIndex(t)
	st := open(t, drv, ix, store.Options{})
	for _, repo := range []string{"app", "untagged"} {
		m := registrytest.Image(t, st, repo, "x")
		if _, err := st.PutManifest(t.Context(), repo, m); err != nil {
			t.Fatal(err)
		}
	}
	<-st.Reconciled()
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	remove(t, drv, v2+"repositories/app/_manifests") // its blobs stay
	again := open(t, drv, ix, store.Options{})
	<-again.Reconciled()
	if got := list(t, again.Repositories(t.Context(), "")); !slices.Equal(got, []string{"untagged"}) {
		t.Errorf("repositories %v", got)
	}
}

func TestARepositoryOfAnotherProgramIsServedBeforeTheIndexKnowsIt(t *testing.T) {
	t.Parallel()
	drv, ix := memory.New(), openIndex(t)
	st := open(t, drv, ix, store.Options{})
	<-st.Reconciled()
	m := registrytest.PushImage(t, open(t, drv, nil, store.Options{}), "other", "v1")
	if got := list(t, st.Tags(t.Context(), "other", "")); !slices.Equal(got, []string{"v1"}) {
		t.Errorf("tags %v", got)
	}
	if _, err := st.Manifest(t.Context(), "other", m.Digest); err != nil {
		t.Error(err)
	}
}

// moody is an index that can refuse changes.
type moody struct {
	index.Index
	refuse atomic.Bool
}

func (m *moody) Apply(ctx context.Context, changes ...index.Change) error {
	if m.refuse.Load() {
		return errors.New("database is locked")
	}
	return m.Index.Apply(ctx, changes...)
}

func TestAnIndexThatFailsCostsNoPushAndNoList(t *testing.T) {
	t.Parallel()
	ix := &moody{Index: openIndex(t)}
	st := open(t, memory.New(), ix, store.Options{})
	<-st.Reconciled()
	ix.refuse.Store(true)
	registrytest.PushImage(t, st, "app", "v1")
	if got := list(t, st.Tags(t.Context(), "app", "")); !slices.Equal(got, []string{"v1"}) {
		t.Errorf("tags %v", got)
	}
	if got := list(t, st.Repositories(t.Context(), "")); !slices.Equal(got, []string{"app"}) {
		t.Errorf("repositories %v", got)
	}
}

func TestListsAreTheSameFromDiskAndFromTheIndex(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	disk := open(t, drv, nil, store.Options{})
	// In byte order, which is not the order of the tree.
	repos := []string{"a", "a-b", "a.b", "a/b", "a/b-c", "a/b/c", "a0", "b/c"}
	for _, repo := range repos {
		for _, tag := range []string{"1", "A", "_x", "a", "v1", "v1-x", "v10"} {
			registrytest.PushImage(t, disk, repo, tag)
		}
	}
	registrytest.PushBlob(t, disk, "empty", []byte("x"))
	indexed := open(t, drv, openIndex(t), store.Options{})
	<-indexed.Reconciled()
	for name, st := range map[string]*store.Store{"disk": disk, "index": indexed} {
		for _, after := range append([]string{"", "0", "a!", "a/", "a/b/", "zz"}, repos...) {
			want := slices.DeleteFunc(slices.Clone(repos), func(r string) bool { return r <= after })
			if got := list(t, st.Repositories(t.Context(), after)); !slices.Equal(got, want) {
				t.Errorf("%s after %q: got %v, want %v", name, after, got, want)
			}
		}
		for after, n := range map[string]int{"": 7, "A": 5, "v1": 2, "v10": 0, "zz": 0} {
			if got := list(t, st.Tags(t.Context(), "a/b", after)); len(got) != n || !slices.IsSorted(got) {
				t.Errorf("%s: tags after %q: %v", name, after, got)
			}
		}
		for _, err := range st.Tags(t.Context(), "empty", "") {
			if !errors.Is(err, registry.ErrNameUnknown) {
				t.Errorf("%s: tags of a repository without manifests: %v", name, err)
			}
		}
	}
}

func TestReferrersAreTheSameFromDiskAndFromTheIndex(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	disk := open(t, drv, nil, store.Options{})
	subject := registrytest.Descriptor(registrytest.PushImage(t, disk, "app", "v1"))
	var want []registry.Digest
	for _, kind := range []string{"a/sbom", "a/signature"} {
		m := registrytest.Artifact(t, disk, "app", kind, subject, map[string]string{"k": kind})
		if _, err := disk.PutManifest(t.Context(), "app", m); err != nil {
			t.Fatal(err)
		}
		want = append(want, m.Digest)
	}
	// What a client that does not know the API keeps itself.
	old := registrytest.Descriptor(registrytest.PushImage(t, disk, "app", "old"))
	missing := registry.Descriptor{MediaType: old.MediaType, Digest: digest.FromString("missing"), Size: 1}
	fallback := registrytest.Index(t, old, missing)
	content := slices.Clone(fallback.Content)
	d := digest.FromBytes(content)
	put(t, drv, map[string]string{
		blobPath(d): string(content),
		v2 + "repositories/app/_manifests/revisions/" + linkPath(d):                                  d.String(),
		v2 + "repositories/app/_manifests/tags/sha256-" + subject.Digest.Encoded() + "/current/link": d.String(),
	})
	want = append(want, old.Digest)
	slices.Sort(want)
	indexed := open(t, drv, openIndex(t), store.Options{})
	<-indexed.Reconciled()
	for name, st := range map[string]*store.Store{"disk": disk, "index": indexed} {
		var got []registry.Digest
		for r, err := range st.Referrers(t.Context(), "app", subject.Digest, "") {
			if err != nil {
				t.Fatal(err)
			}
			if r.Digest != old.Digest && r.Annotations["k"] != r.ArtifactType {
				t.Errorf("%s: %+v", name, r)
			}
			got = append(got, r.Digest)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
		n := 0
		for r, err := range st.Referrers(t.Context(), "app", subject.Digest, "a/sbom") {
			if n++; err != nil || r.ArtifactType != "a/sbom" {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d of one type", name, n)
		}
	}
}

func TestPushesGoOnWhileTheIndexIsReconciled(t *testing.T) {
	t.Parallel()
	drv, ix := memory.New(), openIndex(t)
	seed := open(t, drv, nil, store.Options{})
	for i := range 20 {
		registrytest.PushImage(t, seed, "app", "seed"+string(rune('a'+i)))
	}
	st := open(t, drv, ix, store.Options{})
	for i := range 20 {
		registrytest.PushImage(t, st, "app", "live"+string(rune('a'+i)))
		if err := st.DeleteTag(t.Context(), "app", "seed"+string(rune('a'+i))); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-st.Reconciled():
	case <-time.After(10 * time.Second):
		t.Fatal("never reconciled")
	}
	got := rows(t, ix, "app")
	for name := range got {
		if name[:4] != "live" {
			t.Errorf("the index still has %s", name)
		}
	}
	if len(got) != 20 {
		t.Errorf("%d tags", len(got))
	}
}
