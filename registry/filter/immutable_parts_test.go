package filter_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/filter"
	"berth/registry/index/sqlite"
	"berth/registry/manifest"
	"berth/registry/registrytest"
	"berth/registry/store"
)

func indexed(t testing.TB) *store.Store {
	t.Helper()
	ix, err := sqlite.Open(context.Background(), ":memory:", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ix.Close() })
	st, err := store.Open(t.Context(), memory.New(), ix, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	<-st.Reconciled()
	return st
}

func TestWhatAnImmutableTagNeedsCannotBeDeleted(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) *store.Store{"read from the repository": stored, "asked of the index": indexed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			on, st, ctx := true, open(t), t.Context()
			reg := filter.Immutable(st, st.TagAbove, releases(&on))
			child := registrytest.Image(t, reg, "app", "child")
			must(t, second(reg.PutManifest(ctx, "app", child)))
			inner := registrytest.Index(t, registrytest.Descriptor(child))
			must(t, second(reg.PutManifest(ctx, "app", inner)))
			outer := registrytest.Index(t, registrytest.Descriptor(inner))
			must(t, second(reg.PutManifest(ctx, "app", outer, "v1", "latest")))
			signature := registrytest.Artifact(t, reg, "app", "application/vnd.example.signature", registrytest.Descriptor(outer), nil)
			must(t, second(reg.PutManifest(ctx, "app", signature)))
			parts, err := manifest.Parse(child.MediaType, child.Content)
			must(t, err)

			refused := map[string]error{
				"the index itself": reg.DeleteManifest(ctx, "app", outer.Digest),
				"an index in it":   reg.DeleteManifest(ctx, "app", inner.Digest),
				"an image in that": reg.DeleteManifest(ctx, "app", child.Digest),
			}
			for _, b := range parts.Blobs {
				refused["a blob of the image"] = reg.DeleteBlob(ctx, "app", b.Digest)
			}
			for what, err := range refused {
				if !errors.Is(err, registry.ErrDenied) || !strings.Contains(err.Error(), "v1") || !strings.Contains(err.Error(), "releases") {
					t.Errorf("%s: %v", what, err)
				}
			}
			must(t, reg.DeleteManifest(ctx, "app", signature.Digest))
			loose := registrytest.PushBlob(t, reg, "app", []byte("loose"))
			must(t, reg.DeleteBlob(ctx, "app", loose.Digest))
			on = false
			must(t, reg.DeleteBlob(ctx, "app", parts.Blobs[0].Digest))
			must(t, reg.DeleteManifest(ctx, "app", child.Digest))
		})
	}
}

func second[T any](_ T, err error) error { return err }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
