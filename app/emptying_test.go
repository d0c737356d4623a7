package app

import (
	"errors"
	"slices"
	"testing"

	"berth/registry/retention"
)

func TestTheTrashIsEmptiedOldestFirstAndNoMoreThanNeeded(t *testing.T) {
	t.Parallel()
	c, ctx := opened(t), t.Context()
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
