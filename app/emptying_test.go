package app

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"berth/registry/retention"
)

func TestTheTrashIsEmptiedOldestFirstAndNoMoreThanNeeded(t *testing.T) {
	t.Parallel()
	c, ctx := opened(t), t.Context()
	if _, err := c.Apply(ctx, ApplyRequest{Values: map[string]string{"berth.cleanup.grace": "0s"}}); err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"b", "a", "c"} {
		if _, err := c.Delete(ctx, DeleteRequest{Repository: "app", Tags: []string{tag}}); err != nil {
			t.Fatal(err)
		}
	}
	asked := 0
	n, err := c.emptyOldest(ctx, func() bool { asked++; return asked > 2 })
	left, lerr := c.bin.Entries(ctx)
	if n != 2 || errors.Join(err, lerr) != nil || len(left) != 1 || left[0].Tag != "c" {
		t.Fatalf("emptied %d, %v, left %+v", n, errors.Join(err, lerr), left)
	}
	if n, err := c.emptyOldest(ctx, func() bool { return false }); n != 1 || err != nil {
		t.Errorf("the rest: %d, %v", n, err)
	}
}

func TestALowDiskTakesNothingFromTheTrashThatNoCleanUpCouldFree(t *testing.T) {
	t.Parallel()
	c, ctx := opened(t), t.Context()
	empty := func(want int, values map[string]string) {
		t.Helper()
		if _, err := c.Apply(ctx, ApplyRequest{Values: values}); err != nil {
			t.Fatal(err)
		}
		if n, err := c.emptyOldest(ctx, func() bool { return false }); n != want || err != nil {
			t.Errorf("%v: %d entries went, want %d; %v", values, n, want, err)
		}
	}
	if _, err := c.Delete(ctx, DeleteRequest{Repository: "app", Tags: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	gone := c.putIndex(t, "app", "deleted by its digest", nil)
	if err := c.reg.DeleteManifest(ctx, "app", gone.Digest); err != nil {
		t.Fatal(err)
	}
	empty(0, map[string]string{"berth.cleanup.grace": "1h"}) // it is younger
	// The manifest of the tag stays as one without a tag; the other is gone.
	empty(1, map[string]string{"berth.cleanup.grace": "0s", "berth.cleanup.untagged": "false"})
	empty(0, map[string]string{"berth.cleanup.untagged": "true", "berth.cleanup.rules": "[{keep: {newest: 9}, untagged: 30d}]"})
	empty(1, map[string]string{"berth.cleanup.rules": "[]"})
}

func TestEmptyingTheTrashSaysWhatACleanUpFreesOfItNowAndWhatTheRestWaitsFor(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		settings map[string]string
		now      bool
		planned  string
	}{
		{map[string]string{"berth.cleanup.grace": "0s"}, true, ""},
		{map[string]string{"berth.cleanup.grace": "30m"}, false, "it must be older than the grace of 30m"},
		{map[string]string{"berth.cleanup.grace": "36h"}, false, "it must be older than the grace of 36h"},
		{map[string]string{"berth.cleanup.grace": "1ns"}, true, "it must be older than the grace of 1ns"},
		{
			map[string]string{"berth.cleanup.grace": "0s", "berth.cleanup.untagged": "false"},
			false,
			"what only lost its tag stays, since berth.cleanup.untagged is false",
		},
		{
			map[string]string{"berth.cleanup.grace": "0s", "berth.cleanup.rules": "[{keep: {newest: 9}, untagged: 30d}]"},
			false,
			"what only lost its tag must be older than the 720h of the rules",
		},
	} {
		c, ctx := opened(t), t.Context()
		if _, err := c.Apply(ctx, ApplyRequest{Values: one.settings}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Delete(ctx, DeleteRequest{Repository: "app", Tags: []string{"a", "b", "c"}}); err != nil {
			t.Fatal(err)
		}
		plan, err := c.EmptyTrash(ctx, EmptyTrashRequest{DryRun: true})
		if err != nil || plan.Why != one.planned || plan.Frees == 0 {
			t.Errorf("%v: the plan is %+v, %v; want %q", one.settings, plan, err, one.planned)
		}
		before, _ := c.usage(ctx)
		done, err := c.EmptyTrash(ctx, EmptyTrashRequest{})
		after, _ := c.usage(ctx)
		why, freed := one.planned, int64(0)
		if one.now {
			why, freed = "", plan.Frees
		}
		if err != nil || done.Why != why || done.Now != freed || done.Now != after.Freeable-before.Freeable {
			t.Errorf("%v: %+v, %v; a clean-up frees %d now", one.settings, done, err, after.Freeable)
		}
	}
}

func TestEmptyingTheTrashAfterACrashSaysUntilWhenNothingGoes(t *testing.T) {
	t.Parallel()
	data, ctx := t.TempDir(), t.Context()
	if err := os.MkdirAll(filepath.Join(data, "docker/registry/v2/repositories"), 0o777); err != nil {
		t.Fatal(err)
	}
	c := openedAt(t, data)
	if _, err := c.Apply(ctx, ApplyRequest{Values: map[string]string{"berth.cleanup.grace": "2h"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Delete(ctx, DeleteRequest{Repository: "app", Tags: []string{"a", "b", "c"}}); err != nil {
		t.Fatal(err)
	}
	if done, err := c.EmptyTrash(ctx, EmptyTrashRequest{}); err != nil || done.Now != 0 || done.Why != c.untilText(c.waitsUntil()) {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestARepositoryWithImmutableTagsIsNotDeleted(t *testing.T) {
	t.Parallel()
	c, ctx := opened(t), t.Context()
	rules, err := retention.NewProtection([]retention.Protect{{Name: "releases", Tags: []string{"a", "b"}}})
	if err != nil {
		t.Fatal(err)
	}
	c.tuning.rules.Store(rules)
	for _, dry := range []bool{true, false} {
		_, err := c.DeleteRepository(ctx, DeleteRepositoryRequest{Repository: "app", DryRun: dry})
		var p *Problem
		if !errors.As(err, &p) || p.Code != "immutable" || p.Exit != exitConflict || p.Text != "a, b: immutable by the rule “releases”." {
			t.Errorf("dry %v: %v", dry, err)
		}
	}
	var tags []string
	for tag, err := range c.reg.Tags(ctx, "app", "") {
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, tag)
	}
	if !slices.Equal(tags, []string{"a", "b", "c"}) {
		t.Errorf("tags %q", tags)
	}
	c.tuning.rules.Store(nil)
	if _, err := c.DeleteRepository(ctx, DeleteRepositoryRequest{Repository: "app"}); err != nil {
		t.Errorf("without the rule: %v", err)
	}
	c.readOnly.Store(true)
	_, deleted := c.DeleteRepository(ctx, DeleteRepositoryRequest{Repository: "app"})
	_, emptied := c.EmptyTrash(ctx, EmptyTrashRequest{})
	for what, err := range map[string]error{"delete": deleted, "empty": emptied} {
		var p *Problem
		if !errors.As(err, &p) || p.Code != "read_only" {
			t.Errorf("%s while the storage is read-only: %v", what, err)
		}
	}
}
