package app

import (
	"testing"
	"time"

	"berth/registry/verify"
)

func TestAVerificationThatBreaksDoesNotBlockTheNext(t *testing.T) {
	t.Parallel()
	c, ctx := opened(t), t.Context()
	disk := c.disk
	c.disk = struct{ verify.Store }{} // whatever is asked of it panics
	started, err := c.Verify(ctx, VerifyRequest{})
	if err != nil {
		t.Fatal(err)
	}
	c.jobs.Drain(ctx)
	if j, err := c.jobs.Get(started.ID); err != nil || j.Err == nil {
		t.Fatalf("it ended as %+v, %v", j, err)
	}
	c.disk = disk
	got, err := c.Verification(ctx, VerificationRequest{})
	if err != nil || got.State != VerifyPaused || got.Job != "" {
		t.Errorf("afterwards: %+v, %v", got, err)
	}
}

func TestNothingLeavesTheTrashWhileTheRegistryIsReadOnly(t *testing.T) {
	t.Parallel()
	c, ctx := opened(t), t.Context()
	c.bin.KeepFor(time.Nanosecond)
	if _, err := c.Delete(ctx, DeleteRequest{Repository: "app", Tags: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	c.readOnly.Store(true)
	if n, err := c.purgeTrash(ctx); n != 0 || err != nil {
		t.Errorf("read-only: %d entries went, %v", n, err)
	}
	c.readOnly.Store(false)
	if n, err := c.purgeTrash(ctx); n != 1 || err != nil {
		t.Errorf("%d entries went, %v", n, err)
	}
}
