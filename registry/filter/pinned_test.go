package filter_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"berth/registry"
	"berth/registry/filter"
	"berth/registry/registrytest"
)

func pinnedBy(tag string, err error, released *int) func(context.Context, string, registry.Digest) (string, func(), error) {
	return func(context.Context, string, registry.Digest) (string, func(), error) {
		return tag, func() { *released++ }, err
	}
}

func TestARegistryWithPinsKeepsTheContract(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		return filter.Pinned(stored(t), pinnedBy("", nil, new(int)))
	})
}

func TestAPinnedManifestIsNotDeletedAndItsTagIs(t *testing.T) {
	t.Parallel()
	st, ctx, released := stored(t), t.Context(), 0
	m := registrytest.PushImage(t, st, "app", "v1")
	reg := filter.Pinned(st, pinnedBy("v1", nil, &released))
	err := reg.DeleteManifest(ctx, "app", m.Digest)
	if !errors.Is(err, registry.ErrDenied) || !strings.Contains(registry.AsErrors(err)[0].Message, "pinned as app:v1") || released != 1 {
		t.Errorf("%v, released %d times", err, released)
	}
	if err := reg.DeleteTag(ctx, "app", "v1"); err != nil {
		t.Errorf("the tag: %v", err)
	}
	broken := errors.New("pins cannot be read")
	if err := filter.Pinned(st, pinnedBy("", broken, &released)).DeleteManifest(ctx, "app", m.Digest); !errors.Is(err, broken) || released != 1 {
		t.Errorf("pins that cannot be read: %v", err)
	}
	if err := filter.Pinned(st, pinnedBy("", nil, &released)).DeleteManifest(ctx, "app", m.Digest); err != nil || released != 2 {
		t.Errorf("without a pin: %v, released %d times", err, released)
	}
}
