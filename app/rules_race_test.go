package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"berth/registry"
	"berth/registry/event"
	"berth/registry/registrytest"
	"berth/registry/retention"
)

// meddled has things happen right before what rules do.
type meddled struct {
	registry.Registry
	resolve, remove func(tag string)
}

func (m meddled) ResolveTag(ctx context.Context, repo, tag string) (registry.Descriptor, error) {
	m.resolve(tag)
	return m.Registry.ResolveTag(ctx, repo, tag)
}

func (m meddled) DeleteTag(ctx context.Context, repo, tag string) error {
	m.remove(tag)
	return m.Registry.DeleteTag(ctx, repo, tag)
}

// TestWhatIsPushedOrPulledWhileRulesApplyStays has a tag pushed before rules look
// at it for the last time, one between that look and the delete, and one pulled.
func TestWhatIsPushedOrPulledWhileRulesApplyStays(t *testing.T) {
	t.Parallel()
	c := alone(t)
	ctx, reg := t.Context(), c.reg
	push := func(tag, text string) registry.Digest {
		d, err := reg.PutManifest(ctx, "app", registrytest.Image(t, reg, "app", text), tag)
		if err != nil {
			t.Error(err)
		}
		return d.Digest
	}
	want := map[string]registry.Digest{}
	for _, tag := range []string{"old", "pushed", "late", "pulled", "new"} {
		want[tag] = push(tag, tag)
	}
	delete(want, "old")
	rules, err := retention.Compile([]retention.Policy{{Keep: retention.Keep{Newest: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	meddle := func(with string) func(tag string) {
		return func(tag string) {
			mu.Lock()
			defer mu.Unlock()
			if text := tag + " again"; tag == with {
				want[tag] = push(tag, text)
			}
		}
	}
	c.reg = meddled{reg, meddle("pushed"), meddle("late")}
	d := &dropper{c: c, rules: rules}
	d.saw(event.Event{Kind: event.Pull, Repository: "app", Tag: "pulled", Target: registry.Descriptor{Digest: want["pulled"]}, Manifest: true})
	if err := d.repository(ctx, "app", func() {}); err != nil || len(d.problems) > 0 {
		t.Fatal(err, d.problems)
	}
	if d.dropped != 1 {
		t.Errorf("%d were dropped, not the one that nobody touched", d.dropped)
	}
	for tag, digest := range want {
		if now, err := reg.ResolveTag(ctx, "app", tag); err != nil || now.Digest != digest {
			t.Errorf("%s names %s, %v; want %s", tag, now.Digest, err, digest)
		}
	}
	if now, err := reg.ResolveTag(ctx, "app", "old"); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("old names %s, %v", now.Digest, err)
	}
}

func TestRulesThatAreSetWhileTheFolderIsReadWaitForIt(t *testing.T) {
	t.Parallel()
	c := alone(t)
	ctx := t.Context()
	for n := range 3 {
		if _, err := c.reg.PutManifest(ctx, "app", registrytest.Image(t, c.reg, "app", fmt.Sprint(n)), fmt.Sprint("v", n)); err != nil {
			t.Fatal(err)
		}
	}
	c.indexing.Store(true)
	rules := []Rule{{Newest: 1}}
	if reply, err := c.SetRules(ctx, SetRulesRequest{Rules: &rules}); err != nil || len(reply.Rules) != 1 {
		t.Fatalf("they became %+v, %v", reply, err)
	}
	preview, err := c.PreviewRules(ctx, PreviewRulesRequest{Verdicts: true})
	if err != nil || !preview.Indexing || preview.All.Tags != 0 || len(preview.Verdicts) > 0 {
		t.Errorf("the preview is %+v, %v", preview, err)
	}
	_, err = c.ApplyRules(ctx, ApplyRulesRequest{})
	if p, ok := errors.AsType[*Problem](err); !ok || p.Exit != exitConflict {
		t.Errorf("they were applied: %v", err)
	}
	if n := c.pendingDrops(ctx); n != 0 {
		t.Errorf("%d are to be dropped", n)
	}
	c.indexing.Store(false)
	if preview, err = c.PreviewRules(ctx, PreviewRulesRequest{}); err != nil || preview.Indexing || preview.All.Tags != 2 {
		t.Errorf("then the preview is %+v, %v", preview, err)
	}
}
