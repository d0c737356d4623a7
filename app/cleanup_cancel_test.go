package app

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"

	"berth/app/config"
	"berth/registry"
	"berth/registry/httpd"
	"berth/registry/store"
	"berth/registry/verify"
)

// stuckDisk frees one batch, and then nothing until it is cancelled.
type stuckDisk struct {
	verify.Store
	freed chan struct{}
}

func (s *stuckDisk) Census(ctx context.Context) (registry.Census, error) {
	census, err := s.Store.Census(ctx)
	return &stuckCensus{Census: census, freed: s.freed}, err
}

type stuckCensus struct {
	registry.Census
	freed chan struct{}
	once  sync.Once
	again bool
}

func (c *stuckCensus) Sweep(ctx context.Context, notAfter time.Time, blobs ...registry.Digest) ([]registry.Swept, error) {
	if c.again {
		c.once.Do(func() { close(c.freed) })
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c.again = true
	return c.Census.Sweep(ctx, notAfter, blobs...)
}

func openLoose(t testing.TB, blobs int) *Core {
	t.Helper()
	cfg, err := config.Load("", nil, config.Flags{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Berth.Cleanup.Grace = time.Nanosecond // none: an upload keeps its blob for a moment
	c, err := Open(t.Context(), Options{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := range blobs {
		content := fmt.Appendf(nil, "blob %03d", i)
		u, err := c.reg.StartUpload(t.Context(), "team/app")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write(content); err != nil {
			t.Fatal(err)
		}
		if _, err := u.Commit(t.Context(), digest.FromBytes(content)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestACleanUpEndsWhenTheRegistryBecomesReadOnly(t *testing.T) {
	t.Parallel()
	c := openLoose(t, 150)
	s := &stuckDisk{Store: c.disk, freed: make(chan struct{})}
	c.disk = s
	started, err := c.RunCleanup(t.Context(), RunCleanupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	<-s.freed
	if _, err := c.Apply(t.Context(), ApplyRequest{Values: map[string]string{"storage.maintenance.readonly.enabled": "true"}}); err != nil {
		t.Fatal(err)
	}
	c.jobs.Drain(t.Context())
	reply, err := c.Jobs(t.Context(), JobsRequest(started))
	if err != nil || len(reply.Jobs) != 1 || reply.Jobs[0].State != JobFailed || reply.Jobs[0].Problem == nil || reply.Jobs[0].Problem.Code != "read_only" {
		t.Fatalf("job %+v, %v", reply.Jobs, err)
	}
	if r := reply.Jobs[0].Receipt; r == nil || !r.Cancelled || r.Blobs == 0 || r.Blobs >= 150 || len(r.Problems) != 1 || len(r.Kept) != 1 {
		t.Errorf("receipt %+v", r)
	}
	c.disk = s.Store
}

// TestTheEndOfTheProgramDoesNotWaitForACleanUp has one that would never end.
func TestTheEndOfTheProgramDoesNotWaitForACleanUp(t *testing.T) {
	t.Parallel()
	c := openLoose(t, 150)
	s := &stuckDisk{Store: c.disk, freed: make(chan struct{})}
	c.disk = s
	started, err := c.RunCleanup(t.Context(), RunCleanupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	<-s.freed
	began := time.Now()
	c.drain(t.Context(), httpd.New(http.NotFoundHandler(), httpd.Options{}))
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the end waited for %v", took)
	}
	reply, err := c.Jobs(t.Context(), JobsRequest(started))
	if err != nil || len(reply.Jobs) != 1 || reply.Jobs[0].State != JobFailed || reply.Jobs[0].Problem == nil || reply.Jobs[0].Problem.Code != "cut_off" {
		t.Fatalf("job %+v, %v", reply.Jobs, err)
	}
	past, err := c.Cleanups(t.Context(), CleanupsRequest{})
	if err != nil || len(past.Receipts) != 1 {
		t.Fatalf("history %+v, %v", past, err)
	}
	if r := past.Receipts[0]; !r.Cancelled || r.Blobs == 0 || r.Blobs >= 150 || len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "Berth ended meanwhile") {
		t.Errorf("receipt %+v", r)
	}
	c.disk = s.Store
}

func TestACancelledCleanUpSaysWhatItDidAndThereIsOneAtATime(t *testing.T) {
	t.Parallel()
	const size = 8
	c := openLoose(t, 150)
	s := &stuckDisk{Store: c.disk, freed: make(chan struct{})}
	c.disk = s
	started, err := c.RunCleanup(t.Context(), RunCleanupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	<-s.freed
	_, err = c.RunCleanup(t.Context(), RunCleanupRequest{})
	if p := AsProblem(err); p == nil || p.Code != "cleanup_running" || p.Text != "It is job "+started.ID+"; there is one at a time." {
		t.Errorf("a second one: %v", err)
	}
	reply, err := c.Cancel(t.Context(), CancelRequest(started))
	if err != nil || reply.Job.State != JobCancelled || reply.Job.Receipt == nil {
		t.Fatalf("job %+v, %v", reply.Job, err)
	}
	r := *reply.Job.Receipt
	if !r.Cancelled || r.Blobs == 0 || r.Blobs >= 150 || r.Freed != int64(r.Blobs*size) || len(r.Problems) > 0 {
		t.Errorf("receipt %+v", r)
	}
	if len(r.Kept) != 1 || r.Kept[0] != (CleanupReason{whyNotCleaned, 150 - r.Blobs, int64(150-r.Blobs) * size}) {
		t.Errorf("kept %+v", r.Kept)
	}
	if past, err := c.Cleanups(t.Context(), CleanupsRequest{}); err != nil || len(past.Receipts) != 1 || past.Receipts[0].Job != started.ID {
		t.Errorf("history %+v, %v", past, err)
	}
	c.disk = s.Store
	if rest, err := c.cleanNow(t.Context(), ask{by: bySchedule}); err != nil || rest.Blobs != 150-r.Blobs || rest.By != bySchedule {
		t.Errorf("the rest: %+v, %v", rest, err)
	}
}

func TestAPlanNamesTheLargestAndCountsTheRest(t *testing.T) {
	t.Parallel()
	l := &lister{}
	for i := range 9000 {
		l.item(CleanupItem{Size: int64(i * 7919 % 9000)})
	}
	l.shrink()
	if len(l.items) != maxItems || l.cut != 9000-maxItems || l.items[0].Size != 8999 || l.items[maxItems-1].Size != 8000 {
		t.Errorf("%d items, %d cut, from %d to %d", len(l.items), l.cut, l.items[0].Size, l.items[len(l.items)-1].Size)
	}
}

// litter counts how often it is purged, and looked at.
type litter struct {
	purged, looked []time.Duration // after the start
	ages           []time.Duration
	start          time.Time
}

func (l *litter) StaleUploads(_ context.Context, olderThan time.Time) iter.Seq2[store.Stale, error] {
	return func(yield func(store.Stale, error) bool) {
		l.looked = append(l.looked, time.Since(l.start))
		yield(store.Stale{Repository: "team/app", ID: "x", Last: olderThan}, nil)
	}
}

func (l *litter) PurgeUploads(_ context.Context, olderThan time.Time) (int, error) {
	l.purged, l.ages = append(l.purged, time.Since(l.start)), append(l.ages, time.Since(olderThan))
	return 1, nil
}

func TestUploadPurgingFollowsTheConfigurationWhileItRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &Core{log: slog.New(slog.DiscardHandler), hub: newHub()}
		set := func(how config.UploadPurging) {
			cfg := &config.Config{}
			cfg.Storage.Maintenance.UploadPurging = how
			c.live.Store(cfg)
		}
		how := config.UploadPurging{Enabled: true, Age: 168 * time.Hour, Interval: 24 * time.Hour}
		set(how)
		l := &litter{start: time.Now()}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { (&purger{c: c, uploads: l}).run(ctx); close(done) }()
		for _, step := range []struct {
			do             func()
			purged, looked int
		}{
			{func() { time.Sleep(25 * time.Hour) }, 2, 0},
			{func() { how.Enabled = false; set(how); time.Sleep(48 * time.Hour) }, 2, 0},
			{func() { how.Enabled, how.Age = true, time.Hour; set(how); time.Sleep(12 * time.Minute) }, 3, 0},
			{func() { how.Interval = 5 * time.Minute; set(how); time.Sleep(11*time.Minute + time.Second) }, 5, 0},
			{func() { how.DryRun = true; set(how); time.Sleep(10 * time.Minute) }, 5, 2},
		} {
			step.do()
			synctest.Wait()
			if len(l.purged) != step.purged || len(l.looked) != step.looked {
				t.Errorf("purged at %v, looked at %v, want %d and %d", l.purged, l.looked, step.purged, step.looked)
			}
		}
		cancel()
		<-done
		if l.purged[0] != firstUpkeep || l.purged[1] != firstUpkeep+24*time.Hour || l.ages[1] != 168*time.Hour || l.ages[2] != time.Hour {
			t.Errorf("purged at %v, older than %v", l.purged, l.ages)
		}
	})
}
