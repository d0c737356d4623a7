package verify_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/trash"
	"berth/registry/verify"
)

func TestWhatIsLostComesBackFromAnotherStore(t *testing.T) {
	t.Parallel()
	g, other, ctx := onFiles(t), openOn(t, memory.New()), t.Context()
	var children []registry.Descriptor
	for _, tag := range []string{"a", "b", "c"} {
		m := registrytest.PushImage(t, other, "app", tag)
		registrytest.PushImage(t, g, "app", tag)
		children = append(children, registrytest.Descriptor(m))
	}
	index := registrytest.Index(t, children...)
	for _, reg := range []registry.Registry{g, other} {
		if _, err := reg.PutManifest(ctx, "app", index, "all"); err != nil {
			t.Fatal(err)
		}
	}
	write(t, g.blob(layerOf("a")), "rotten")
	write(t, g.blob(children[0].Digest), "rotten")
	write(t, g.blob(index.Digest), "rotten")
	remove(t, g.app("_manifests/revisions", link(children[1].Digest)))
	remove(t, g.blob(children[1].Digest))
	own := registrytest.PushImage(t, g, "app", "own")
	write(t, g.blob(layerOf("own")), "rotten, and nobody has it")
	found, _ := run(t, g, quick)
	for _, r := range verify.Repair(ctx, g, other, found) {
		if (r.Err != nil) != (r.Finding.Digest == layerOf("own")) {
			t.Errorf("%s: %v", r.Finding.Text, r.Err)
		}
	}
	found, _ = run(t, g, quick)
	if len(found) != 1 || found[0].Manifest != own.Digest {
		t.Errorf("at the end %+v", found)
	}
	for _, tag := range []string{"a", "c", "all"} {
		if _, err := g.ResolveTag(ctx, "app", tag); err != nil {
			t.Errorf("%s: %v", tag, err)
		}
	}
	if b, err := g.OpenBlob(ctx, "app", layerOf("a")); err != nil {
		t.Error(err)
	} else if got, err := io.ReadAll(b); string(got) != "layer of app:a" || errors.Join(err, b.Close()) != nil {
		t.Errorf("the layer is %q, %v", got, err)
	}
}

// liar gives other bytes than it is asked for.
type liar struct{ registry.Registry }

func (l liar) OpenBlob(ctx context.Context, repo string, _ registry.Digest) (registry.Blob, error) {
	return l.Registry.OpenBlob(ctx, repo, layerOf("b"))
}

func TestARepairIsCheckedAgainstTheDigest(t *testing.T) {
	t.Parallel()
	g, ctx := onFiles(t), t.Context()
	registrytest.PushImage(t, g, "app", "a")
	registrytest.PushImage(t, g, "app", "b")
	write(t, g.blob(layerOf("a")), "rotten")
	found, _ := run(t, g, quick)
	for _, r := range verify.Repair(ctx, g, liar{g}, found) {
		if !errors.Is(r.Err, registry.ErrDigestInvalid) {
			t.Errorf("got %v", r.Err)
		}
	}
	if _, err := g.StatBlob(ctx, "app", layerOf("a")); !errors.Is(err, registry.ErrBlobUnknown) {
		t.Errorf("wrong bytes are there: %v", err)
	}
}

func TestADanglingTagIsRemovedThroughTheRegistry(t *testing.T) {
	t.Parallel()
	g, ctx := onFiles(t), t.Context()
	reg := trash.Wrap(g, g, trash.New(memory.New(), time.Hour))
	m := registrytest.PushImage(t, reg, "app", "v1", "v2")
	remove(t, g.app("_manifests/revisions", link(m.Digest)))
	found, _ := run(t, g, quick)
	if len(found) != 2 || found[0].Kind != verify.TagDangling || !slices.Contains(found[0].Fixes, verify.RemoveTag) {
		t.Fatalf("found %+v", found)
	}
	if removed, err := verify.RemoveDangling(ctx, g, reg, found[0]); !removed || err != nil {
		t.Errorf("remove: %v, %v", removed, err)
	}
	if err := verify.Mend(ctx, g, reg, found[1]); err != nil {
		t.Errorf("mend: %v", err)
	}
	if removed, err := verify.RemoveDangling(ctx, g, reg, found[1]); removed || err != nil {
		t.Errorf("a tag that was mended: %v, %v", removed, err)
	}
	if now, err := reg.ResolveTag(ctx, "app", "v2"); err != nil || now.Digest != m.Digest {
		t.Errorf("v2 names %s, %v", now.Digest, err)
	}
	if found, _ := run(t, g, quick); len(found) > 0 {
		t.Errorf("at the end %+v", found)
	}
}

func TestLinksAreWrittenAgain(t *testing.T) {
	t.Parallel()
	g, ctx := onFiles(t), t.Context()
	m := registrytest.PushImage(t, g, "app", "bad")
	registrytest.PushImage(t, g, "app", "b")
	write(t, g.app("_layers", link(layerOf("bad"))), "junk")
	remove(t, g.app("_layers", link(layerOf("b"))))
	write(t, g.app("_manifests/revisions", link(m.Digest)), "")
	found, _ := run(t, g, quick)
	if len(found) != 3 {
		t.Fatalf("found %+v", found)
	}
	for _, f := range found {
		if err := verify.Mend(ctx, g, g, f); err != nil {
			t.Error(err)
		}
	}
	if found, _ := run(t, g, quick); len(found) > 0 {
		t.Errorf("at the end %+v", found)
	}
}
