package app

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"berth/registry/verify"

	"github.com/opencontainers/go-digest"
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

func TestARepairThatRunsChangesNothingOnceTheRegistryIsReadOnly(t *testing.T) {
	t.Parallel()
	c, ctx := opened(t), t.Context()
	damaged := digest.FromString("what it should be")
	file := filepath.Join(c.cfg.Data(), "docker/registry/v2/blobs/sha256", damaged.Encoded()[:2], damaged.Encoded(), "data")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte("rotten"), 0o600)); err != nil {
		t.Fatal(err)
	}
	found := kept{Finding: verify.Finding{Kind: verify.BlobDamaged, Repository: "app", Digest: damaged, Manifest: damaged, Fixes: []verify.Fix{verify.Refetch, verify.Relink}}}
	c.readOnly.Store(true)
	_, aside := c.mendable().Quarantine(ctx, damaged)
	_, freed := c.mendable().DropQuarantined(ctx, damaged)
	for what, err := range map[string]error{
		"move aside": aside, "drop": freed, "relink": c.mendable().Relink(ctx, "app", damaged),
		"refetch": upstream{}.problem(&mend{kept: found}, c.mendable().Relink(ctx, "app", damaged)),
	} {
		if p, ok := errors.AsType[*Problem](err); !ok || p.Code != "read_only" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	c.readOnly.Store(false)
	if moved, err := c.mendable().Quarantine(ctx, damaged); !moved || err != nil {
		t.Errorf("when it can be written: %v, %v", moved, err)
	}
}
