package app

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"berth/app/config"
	"berth/registry"
	"berth/registry/gc"
	"berth/registry/verify"
)

// closing counts how often its census is closed.
type closing struct {
	heap
	closed atomic.Int32
}

type closingCensus struct {
	registry.Census
	c *closing
}

func (c *closing) Census(context.Context) (registry.Census, error) {
	return closingCensus{&heapCensus{h: &c.heap}, c}, nil
}

func (c closingCensus) Close() error { c.c.closed.Add(1); return nil }

func TestAPlanThatNobodyCarriesOutIsLetGoAfterTenMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, disk := &Core{log: slog.New(slog.DiscardHandler)}, &closing{heap: heap{blobs: heapRepo}}
		show := func(id string) {
			t.Helper()
			plan, err := gc.NewPlan(t.Context(), disk, nil, gc.Options{})
			if err == nil {
				err = c.show(&heldPlan{shown: CleanupPlan{ID: id}, plan: plan})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		show("first")
		time.Sleep(9 * time.Minute)
		show("second") // which lets go of the first
		time.Sleep(9 * time.Minute)
		if disk.closed.Load() != 1 {
			t.Errorf("%d plans were let go, want the first alone", disk.closed.Load())
		}
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		if _, err := c.cleaner.take("second"); disk.closed.Load() != 2 || AsProblem(err) == nil || AsProblem(err).Code != "plan_gone" {
			t.Errorf("%d plans were let go; %v", disk.closed.Load(), err)
		}
		show("third")
		if p, err := c.cleaner.take("third"); err != nil || p.shown.ID != "third" {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // one that was taken is not let go beneath who has it
		if disk.closed.Load() != 2 {
			t.Error("a plan was let go while it is carried out")
		}
	})
}

// schedulerOf is the scheduler of a Core, without its clock.
func schedulerOf(c *Core) *scheduler {
	return &scheduler{
		conf: func() config.Cleanup { return c.conf().Berth.Cleanup }, clean: c.cleanNow, empty: c.emptyOldest, failed: c.cleanupFailed, log: c.log,
		freeable: func(ctx context.Context) (int64, error) {
			u, err := c.usage(ctx)
			return u.Freeable, err
		},
	}
}

func TestWhatLeftTheTrashSinceTheDiskIsLowIsInTheReceipt(t *testing.T) {
	t.Parallel()
	c, ctx := openLoose(t, 3), t.Context()
	content := []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`)
	if _, err := c.reg.PutManifest(ctx, "team/app", registry.Manifest{MediaType: "application/vnd.oci.image.index.v1+json", Content: content}, "v1"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Delete(ctx, DeleteRequest{Repository: "team/app", Tags: []string{"v1"}}); err != nil {
		t.Fatal(err)
	}
	s := schedulerOf(c)
	s.conf = func() config.Cleanup { return config.Cleanup{Low: "50%"} }
	s.space = func(context.Context) (int64, int64, error) { return 100, 1000, nil } // whatever is freed, it stays low
	freed, err := s.freeLow(ctx)
	if want := int64(3*8 + len(content)); err != nil || freed != want {
		t.Errorf("freed %d, want %d; %v", freed, want, err)
	}
	past, err := c.Cleanups(ctx, CleanupsRequest{})
	if err != nil || len(past.Receipts) != 2 {
		t.Fatalf("history %+v, %v", past, err)
	}
	if last, first := past.Receipts[0], past.Receipts[1]; last.Emptied != 1 || last.By != byLow || last.Blobs != 1 || first.Emptied != 0 || first.Blobs != 3 {
		t.Errorf("first %+v, then %+v", first, last)
	}
}

// brokenDisk cannot be looked at.
type brokenDisk struct{ verify.Store }

func (brokenDisk) Census(context.Context) (registry.Census, error) {
	return nil, &fs.PathError{Op: "open", Path: "repositories", Err: errors.New("input/output error")}
}

func TestACleanUpThatFailedByItselfIsInHealthAndInTheHistory(t *testing.T) {
	t.Parallel()
	c, ctx := openLoose(t, 3), t.Context()
	sound, s := c.disk, schedulerOf(c)
	c.disk = brokenDisk{sound}
	s.told(s.clean(ctx, ask{by: bySchedule}))
	failed := func(p Problem) bool {
		return p.Code == "cleanup_failed" && p.Severity == severityWarning && p.Command == "berth cleanup"
	}
	if reply, err := c.Health(ctx, HealthRequest{}); err != nil || !slices.ContainsFunc(reply.Problems, failed) {
		t.Errorf("health %+v, %v", reply, err)
	}
	past, err := c.Cleanups(ctx, CleanupsRequest{})
	if err != nil || len(past.Receipts) != 1 || len(past.Receipts[0].Problems) != 1 || past.Receipts[0].Cancelled {
		t.Errorf("history %+v, %v", past, err)
	}
	c.disk = sound
	s.told(s.clean(ctx, ask{by: bySchedule}))
	if reply, err := c.Health(ctx, HealthRequest{}); err != nil || slices.ContainsFunc(reply.Problems, failed) {
		t.Errorf("health after one that did not fail: %+v, %v", reply, err)
	}
}

func TestGarbageCollectWorksOnARegistryThatWasMadeReadOnly(t *testing.T) {
	t.Parallel()
	c, ctx := openLoose(t, 3), t.Context()
	c.readOnly.Store(true)
	plan, err := c.PlanCleanup(ctx, PlanCleanupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.RunCleanup(ctx, RunCleanupRequest{Plan: plan.ID})
	if p := AsProblem(err); p == nil || p.Code != "read_only" {
		t.Errorf("a clean-up: %v", err)
	}
	started, err := c.RunCleanup(ctx, RunCleanupRequest{Plan: plan.ID, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	for {
		reply, err := c.Jobs(ctx, JobsRequest(started))
		if err != nil || len(reply.Jobs) != 1 {
			t.Fatal(reply, err)
		}
		if j := reply.Jobs[0]; j.State == JobDone {
			if j.Receipt.Blobs != 3 {
				t.Errorf("receipt %+v", j.Receipt)
			}
			return
		}
	}
}

func TestGarbageCollectOfAFolderAlonePrintsAndFrees(t *testing.T) {
	t.Parallel()
	c := openLoose(t, 3)
	if err := c.Collect(t.Context(), CollectOptions{Out: io.Discard, DryRun: true}); err != nil {
		t.Fatal(err)
	}
	if u, err := c.usage(t.Context()); err != nil || u.Loose != 24 {
		t.Errorf("a dry run left %+v, %v", u, err)
	}
	if err := c.Collect(t.Context(), CollectOptions{Out: io.Discard}); err != nil {
		t.Fatal(err)
	}
	if u, err := c.usage(t.Context()); err != nil || u.Loose != 0 {
		t.Errorf("it left %+v, %v", u, err)
	}
}
