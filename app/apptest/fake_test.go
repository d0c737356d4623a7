package apptest_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"testing"

	"berth/app"
	"berth/app/apptest"
)

func TestADeletedTagComesBackFromTheFakesTrash(t *testing.T) {
	t.Parallel()
	f, ctx := apptest.New(), t.Context()
	before, err := f.Tags(ctx, app.TagsRequest{Repository: "acme/checkout"})
	if err != nil || before.Repository.Tags != 14 || len(before.Tags) != 14 {
		t.Fatalf("tags: %v, %d rows of %d", err, len(before.Tags), before.Repository.Tags)
	}
	gone, err := f.Delete(ctx, app.DeleteRequest{Repository: "acme/checkout", Tags: []string{"latest"}})
	if err != nil || len(gone.Deleted) != 1 || len(gone.Stay) != 1 || gone.Stay[0] != "v2.4.1" {
		t.Fatalf("delete: %v %+v", err, gone)
	}
	if _, err := f.Inspect(ctx, app.InspectRequest{Repository: "acme/checkout", Reference: "latest"}); err == nil {
		t.Fatal("the deleted tag still answers")
	}
	if _, err := f.Restore(ctx, app.RestoreRequest{Entries: []string{gone.Deleted[0].ID}}); err != nil {
		t.Fatal(err)
	}
	got, err := f.Inspect(ctx, app.InspectRequest{Repository: "acme/checkout", Reference: "latest"})
	if err != nil || got.Digest != gone.Deleted[0].Digest {
		t.Fatalf("after restore: %v, digest %s", err, got.Digest)
	}
}

func TestAFinishedPushShowsInListAndNotices(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	next, stop := iter.Pull2(f.Watch(t.Context(), app.WatchRequest{Window: true}))
	defer stop()
	if n, err, ok := next(); !ok || err != nil || n.Kind != app.NoticeHello {
		t.Fatalf("first notice: %+v %v", n, err)
	}
	j, err := f.Push(t.Context(), app.PushRequest{Image: "redis:7"})
	if err != nil {
		t.Fatal(err)
	}
	f.Finish(j.ID)
	var kinds []app.NoticeKind
	for range 3 {
		n, _, _ := next()
		kinds = append(kinds, n.Kind)
	}
	if kinds[0] != app.NoticeJobs || kinds[1] != app.NoticeImages || kinds[2] != app.NoticeJobEnd {
		t.Errorf("notices %v", kinds)
	}
	if _, err := f.Inspect(t.Context(), app.InspectRequest{Repository: "library/redis", Reference: "7"}); err != nil {
		t.Errorf("the pushed tag is not there: %v", err)
	}
	if s, _ := f.Status(t.Context(), app.StatusRequest{}); !s.Window {
		t.Error("a watching window does not show in the status")
	}
}

func TestFailAndHoldReachTheCaller(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	boom := errors.New("boom")
	f.Fail("Snapshot", boom)
	if _, err := f.Snapshot(t.Context(), app.SnapshotRequest{}); !errors.Is(err, boom) {
		t.Fatalf("got %v", err)
	}
	f.Fail("Snapshot", nil)
	release := f.Hold("Snapshot")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Snapshot(ctx, app.SnapshotRequest{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("a held call gave %v", err)
	}
	release()
	if _, err := f.Snapshot(t.Context(), app.SnapshotRequest{}); err != nil {
		t.Fatal(err)
	}
	if n := len(f.Calls("Snapshot")); n != 3 {
		t.Errorf("%d calls recorded, want 3", n)
	}
}

func TestTwoFakesHoldTheSameSample(t *testing.T) {
	t.Parallel()
	var bodies [2]string
	for i := range bodies {
		s, err := apptest.New().Snapshot(t.Context(), app.SnapshotRequest{Sort: "name"})
		if err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(s)
		bodies[i] = string(b)
	}
	if bodies[0] != bodies[1] {
		t.Error("the sample differs from one fake to the next")
	}
}
