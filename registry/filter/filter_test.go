package filter_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/event"
	"berth/registry/filter"
	"berth/registry/registrytest"
)

func TestDecoratorsKeepTheContract(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(*testing.T) registry.Registry {
		reg := filter.Observe(registrytest.NewFake(), event.NewBus())
		return filter.ReadOnly(reg, func() bool { return false })
	})
}

// observed runs f over an observed registry, and gives what was published.
func observed(t *testing.T, ctx context.Context, f func(ctx context.Context, reg registry.Registry)) []event.Event {
	t.Helper()
	bus := event.NewBus()
	sub, stop := context.WithCancel(t.Context())
	defer stop()
	events := bus.Subscribe(sub, 100)
	f(ctx, filter.Observe(registrytest.NewFake(), bus))
	bus.Publish(event.Event{Kind: "end"})
	var out []event.Event
	for e := range events {
		if e.Kind == "end" {
			break
		}
		out = append(out, e)
	}
	return out
}

func TestWhatSucceededIsPublishedOnce(t *testing.T) {
	t.Parallel()
	ctx := registry.WithCaller(t.Context(), registry.Caller{User: "mo", Method: "PUT"})
	var m registry.Manifest
	events := observed(t, ctx, func(ctx context.Context, reg registry.Registry) {
		m = registrytest.Image(t, reg, "a", "x")
		_, _ = reg.PutManifest(ctx, "a", m, "v1", "v2")
		_, _ = reg.PutManifest(ctx, "a", m)
		_, _ = reg.ResolveTag(ctx, "a", "v1")
		_, _ = reg.Manifest(registry.WithTag(ctx, "v1"), "a", m.Digest)
		_, _ = reg.MountBlob(ctx, "a", "b", digest.FromString("layer of x"))
		_ = reg.DeleteTag(ctx, "a", "v1")
		_ = reg.DeleteManifest(ctx, "a", m.Digest)
		_ = reg.DeleteBlob(ctx, "b", digest.FromString("layer of x"))
		_ = reg.DeleteBlob(ctx, "b", digest.FromString("nothing"))
		_, _ = reg.Manifest(ctx, "a", m.Digest)
	})
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s %s:%s %v", e.Kind, e.Repository, e.Tag, e.Manifest))
	}
	want := []string{
		"push a: false", "push a: false", "push a:v1 true", "push a:v2 true", "push a: true", "pull a:v1 true",
		"mount b: false", "delete a:v1 true", "delete a: true", "delete b: false",
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q\nwant %q", got, want)
	}
	if e := events[2]; e.Caller.User != "mo" || e.Target.Digest != m.Digest || e.Time.IsZero() {
		t.Errorf("got %+v", e)
	}
	if events[6].From != "a" {
		t.Errorf("the mount came from %q", events[6].From)
	}
}

func TestAskingIsAPullOnlyForAClientsHead(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]int{"HEAD": 2, "": 0, "GET": 0} {
		ctx := registry.WithCaller(t.Context(), registry.Caller{Method: method})
		events := observed(t, ctx, func(ctx context.Context, reg registry.Registry) {
			m := registrytest.PushImage(t, reg, "a", "v1")
			_, _ = reg.StatManifest(ctx, "a", m.Digest)
			_, _ = reg.StatBlob(ctx, "a", digest.FromString("layer of a:v1"))
		})
		pulls := 0
		for _, e := range events {
			if e.Kind == event.Pull {
				pulls++
			}
		}
		if pulls != want {
			t.Errorf("%q: %d pulls, want %d", method, pulls, want)
		}
	}
}

func TestAReadOnlyRegistryRefusesToWriteWhileTheSwitchIsOn(t *testing.T) {
	t.Parallel()
	on := false
	reg := filter.ReadOnly(registrytest.NewFake(), func() bool { return on })
	m := registrytest.PushImage(t, reg, "a", "v1")
	ctx := t.Context()
	begun, err := reg.StartUpload(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = begun.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	if err := begun.Close(); err != nil {
		t.Fatal(err)
	}
	on = true
	_, start := reg.StartUpload(ctx, "a")
	if _, err := reg.ResumeUpload(ctx, "a", "x"); !errors.Is(err, registry.ErrBlobUploadUnknown) {
		t.Errorf("an upload that is none: %v", err)
	}
	up, err := reg.ResumeUpload(ctx, "a", begun.ID())
	if err != nil || up.Size() != 4 {
		t.Fatalf("how far an upload is: %v", err)
	}
	_, write := up.Write([]byte("more"))
	_, commit := up.Commit(ctx, digest.FromString("half"))
	cancel := up.Cancel(ctx)
	if err := up.Close(); err != nil {
		t.Error(err)
	}
	_, mount := reg.MountBlob(ctx, "", "a", m.Digest)
	_, put := reg.PutManifest(ctx, "a", m)
	for i, err := range []error{start, write, commit, cancel, mount, put, reg.DeleteTag(ctx, "a", "v1"), reg.DeleteManifest(ctx, "a", m.Digest), reg.DeleteBlob(ctx, "a", m.Digest)} {
		if !errors.Is(err, registry.ErrUnsupported) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if _, err := reg.Manifest(ctx, "a", m.Digest); err != nil {
		t.Errorf("reading: %v", err)
	}
	on = false
	if err := reg.DeleteTag(ctx, "a", "v1"); err != nil {
		t.Errorf("after the switch: %v", err)
	}
}
