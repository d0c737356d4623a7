package app

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/registrytest"
)

// TestWhatLeftTheTrashMeanwhileIsTold empties the trash after it was found out
// what is to come back.
func TestWhatLeftTheTrashMeanwhileIsTold(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]RestoreRequest{
		"all": {All: true}, "named": {Entries: []string{"whole", "app:v1", "app:v2"}}, "one": {Entries: []string{"app:v1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, ctx := alone(t), t.Context()
			for _, at := range [][2]string{{"app", "v1"}, {"app", "v2"}, {"whole", "v1"}} {
				if _, err := c.reg.PutManifest(ctx, at[0], registrytest.Image(t, c.reg, at[0], at[1]), at[1]); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := c.Delete(ctx, DeleteRequest{Repository: "app", Tags: []string{"v1", "v2"}}); err != nil {
				t.Fatal(err)
			}
			if _, err := c.DeleteRepository(ctx, DeleteRepositoryRequest{Repository: "whole"}); err != nil {
				t.Fatal(err)
			}
			entries, err := c.chosen(ctx, r)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if e.Whole || e.Tag == "v1" {
					if _, err := c.bin.Remove(ctx, e.ID); err != nil {
						t.Fatal(err)
					}
				}
			}
			reply, err := c.restoreEach(ctx, r, entries)
			if len(entries) == 1 {
				if p := AsProblem(err); p == nil || p.Code != "not_found" {
					t.Errorf("%+v, %v", reply, err)
				}
				return
			}
			var gone []string
			for _, e := range reply.Gone {
				gone = append(gone, e.Repository)
			}
			slices.Sort(gone)
			if err != nil || len(reply.Restored) != 1 || reply.Restored[0].Tag != "v2" || !slices.Equal(gone, []string{"app", "whole"}) {
				t.Errorf("%+v, %v", reply, err)
			}
		})
	}
}

// TestOfARepositoryThoseTagsAreCountedThatCameBack has one tag that is taken.
func TestOfARepositoryThoseTagsAreCountedThatCameBack(t *testing.T) {
	t.Parallel()
	c, ctx := alone(t), t.Context()
	put := func(m registry.Manifest, tag string) {
		if _, err := c.reg.PutManifest(ctx, "a", m, tag); err != nil {
			t.Fatal(err)
		}
	}
	for _, tag := range []string{"v1", "v2", "v3"} {
		put(registrytest.Image(t, c.reg, "a", tag), tag)
	}
	if _, err := c.DeleteRepository(ctx, DeleteRepositoryRequest{Repository: "a"}); err != nil {
		t.Fatal(err)
	}
	put(registrytest.Image(t, c.reg, "a", "another"), "v2")
	reply, err := c.Restore(ctx, RestoreRequest{Entries: []string{"a"}})
	if err != nil || len(reply.Restored) != 1 || reply.Restored[0].Tags != 2 || len(reply.Conflicts) != 1 || reply.Conflicts[0].Entry.Tag != "v2" {
		t.Fatalf("%+v, %v", reply, err)
	}
	// The way that is offered for the third leads there.
	reply, err = c.Restore(ctx, RestoreRequest{Entries: []string{reply.Conflicts[0].Entry.ID}, As: reply.Conflicts[0].Suggest})
	if err != nil || len(reply.Restored) != 1 {
		t.Errorf("%+v, %v", reply, err)
	}
}

func TestWhatCannotComeBackLeavesTheOthersTo(t *testing.T) {
	t.Parallel()
	c, ctx := alone(t), t.Context()
	for _, tag := range []string{"v1", "v2", "v3"} {
		m := registrytest.Image(t, c.reg, "a", tag)
		if _, err := c.reg.PutManifest(ctx, "a", m, tag); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Delete(ctx, DeleteRequest{Repository: "a", Tags: []string{tag}}); err != nil {
			t.Fatal(err)
		}
		if hex := digest.FromBytes(m.Content).Encoded(); tag == "v2" {
			file := filepath.Join(c.conf().Data(), "docker/registry/v2/blobs/sha256", hex[:2], hex, "data")
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	reply, err := c.Restore(ctx, RestoreRequest{All: true})
	if err != nil || len(reply.Restored) != 2 || len(reply.Failed) != 1 || reply.Failed[0].Entry.Tag != "v2" || reply.Failed[0].Problem == nil {
		t.Fatalf("%+v, %v", reply, err)
	}
	if reply, err = c.Restore(ctx, RestoreRequest{Entries: []string{"a:v2"}}); err == nil || len(reply.Failed) != 0 {
		t.Errorf("alone: %+v, %v", reply, err)
	}
}
