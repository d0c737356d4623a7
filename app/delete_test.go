package app

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"berth/registry"
)

// stuck is a registry where one tag cannot be deleted.
type stuck struct {
	registry.Registry
	tag    string
	before func()
}

func (s stuck) DeleteTag(ctx context.Context, repo, tag string) error {
	if tag == s.tag {
		s.before()
		return errors.New("the disk is out of order")
	}
	return s.Registry.DeleteTag(ctx, repo, tag)
}

// opened gives a Core with three tags of an empty index in "app".
func opened(t *testing.T) *Core {
	t.Helper()
	return openedAt(t, t.TempDir())
}

func openedAt(t *testing.T, data string) *Core {
	t.Helper()
	c := atFolder(t, data)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	m := registry.Manifest{
		MediaType: "application/vnd.oci.image.index.v1+json",
		Content:   []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`),
	}
	if _, err := c.reg.PutManifest(t.Context(), "app", m, "a", "b", "c"); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestADeleteThatFailsHalfWayBringsBackWhatWent(t *testing.T) {
	t.Parallel()
	c := opened(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// The caller has left as well, as when the command line is interrupted.
	c.reg = stuck{c.reg, "b", cancel}
	if _, err := c.Delete(ctx, DeleteRequest{Repository: "app", Tags: []string{"a", "b", "c"}}); err == nil {
		t.Fatal("the delete succeeded")
	}
	for _, tag := range []string{"a", "b", "c"} {
		if _, err := c.reg.ResolveTag(t.Context(), "app", tag); err != nil {
			t.Errorf("%s: %v", tag, err)
		}
	}
	if trash, err := c.Trash(t.Context(), TrashRequest{}); err != nil || len(trash.Entries) != 0 {
		t.Errorf("%v, trash %+v, want none", err, trash.Entries)
	}
}

func TestARestoreThatNamesAnEntryTwiceRestoresItOnce(t *testing.T) {
	t.Parallel()
	c, ctx := opened(t), t.Context()
	gone, err := c.Delete(ctx, DeleteRequest{Repository: "app", Tags: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	back, err := c.Restore(ctx, RestoreRequest{Entries: []string{gone.Deleted[0].ID, "app:a"}})
	if err != nil || len(back.Restored) != 1 {
		t.Errorf("%v %+v", err, back)
	}
}

func TestNothingIsChangedWhileTheStorageIsReadOnly(t *testing.T) {
	t.Parallel()
	c, ctx := opened(t), t.Context()
	c.readOnly.Store(true)
	_, deleted := c.Delete(ctx, DeleteRequest{Repository: "app", Tags: []string{"a"}})
	_, retagged := c.Retag(ctx, RetagRequest{Repository: "app", From: "a", To: "d"})
	_, pushed := c.Push(ctx, PushRequest{Image: "x", As: "x:y"})
	_, imported := c.Import(ctx, ImportRequest{Path: t.TempDir()})
	_, restored := c.Restore(ctx, RestoreRequest{Entries: []string{"x"}})
	for what, err := range map[string]error{"delete": deleted, "retag": retagged, "push": pushed, "import": imported, "restore": restored} {
		var p *Problem
		if !errors.As(err, &p) || p.Code != "read_only" || p.Fix == "" || p.Exit != exitConflict {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestManyTagsAreDeletedAtOnceAndComeInTheirOrder(t *testing.T) {
	t.Parallel()
	c, ctx := opened(t), t.Context()
	m := registry.Manifest{MediaType: "application/vnd.oci.image.index.v1+json", Content: []byte(`{"schemaVersion":2,"manifests":[]}`)}
	var tags []string
	for i := range 300 {
		tags = append(tags, fmt.Sprintf("many%03d", i))
	}
	if _, err := c.reg.PutManifest(ctx, "app", m, tags...); err != nil {
		t.Fatal(err)
	}
	reply, err := c.Delete(ctx, DeleteRequest{Repository: "app", Tags: tags})
	if err != nil || len(reply.Deleted) != len(tags) || reply.Gone {
		t.Fatalf("%d deleted, the repository is gone: %v, %v", len(reply.Deleted), reply.Gone, err)
	}
	for i, e := range reply.Deleted {
		if e.Tag != tags[i] || e.By != c.user {
			t.Errorf("%d: %+v", i, e)
		}
	}
	if back, err := c.Restore(ctx, RestoreRequest{All: true}); err != nil || len(back.Restored) != len(tags) {
		t.Fatalf("%d came back, %v", len(back.Restored), err)
	}
}
