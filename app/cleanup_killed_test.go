package app

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"berth/app/config"
)

func atFolder(t *testing.T, data string) *Core {
	t.Helper()
	cfg, err := config.Load("", nil, config.Flags{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(t.Context(), Options{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestACleanUpThatWasKilledIsInTheHistory looks at the file as it is in the
// midst of one, as if nobody had written to it since.
func TestACleanUpThatWasKilledIsInTheHistory(t *testing.T) {
	t.Parallel()
	c, ctx := openLoose(t, 150), t.Context()
	s := &stuckDisk{Store: c.disk, freed: make(chan struct{})}
	c.disk = s
	started, err := c.RunCleanup(ctx, RunCleanupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	<-s.freed
	if past, err := c.Cleanups(ctx, CleanupsRequest{}); err != nil || len(past.Receipts) != 0 {
		t.Errorf("while it runs, the history is %+v, %v", past, err)
	}
	r, err := c.cleaner.past.drv.Open(ctx, historyKey)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Cancel(ctx, CancelRequest(started)); err != nil {
		t.Fatal(err)
	}
	c.jobs.Drain(ctx)
	c.disk = s.Store
	if past, err := c.Cleanups(ctx, CleanupsRequest{}); err != nil || len(past.Receipts) != 1 || past.Receipts[0].Interrupted || !past.Receipts[0].Cancelled {
		t.Errorf("when it ended, the history is %+v, %v", past, err)
	}
	data := t.TempDir()
	file := filepath.Join(data, filepath.FromSlash(historyKey))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for n := range 3 { // it is told once, however often Berth starts
		next := atFolder(t, data)
		past, err := next.Cleanups(ctx, CleanupsRequest{})
		if err != nil || len(past.Receipts) != n+1 {
			t.Fatalf("after start %d the history is %+v, %v", n, past, err)
		}
		if r := past.Receipts[n]; !r.Interrupted || r.Cancelled || r.Job != started.ID || r.By == "" || r.Began.IsZero() || !r.Ended.Equal(r.Began) {
			t.Errorf("receipt %+v", r)
		}
		if u, err := next.Usage(ctx, UsageRequest{}); err != nil || (u.Last == nil) != (n == 0) || n > 0 && u.Last.Interrupted {
			t.Errorf("the last one that told what it freed is %+v, %v", u.Last, err)
		}
		if _, err := next.cleanNow(ctx, ask{by: bySchedule}); err != nil {
			t.Fatal(err)
		}
		if err := next.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestACleanUpThatBreaksIsInTheHistory has one that panics on its way.
func TestACleanUpThatBreaksIsInTheHistory(t *testing.T) {
	t.Parallel()
	c, ctx := openLoose(t, 3), t.Context()
	plan, err := c.planCleanup(ctx, PlanCleanupRequest{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.close(); err != nil {
		t.Fatal(err)
	}
	plan.plan = nil // so that it cannot be carried out
	w := &cleanup{c: c, by: "ada", plan: plan}
	if _, err := w.start(c.as(ctx, "")); err != nil {
		t.Fatal(err)
	}
	c.jobs.Drain(ctx)
	past, err := c.Cleanups(ctx, CleanupsRequest{})
	if err != nil || len(past.Receipts) != 1 || !past.Receipts[0].Interrupted || past.Receipts[0].By != "ada" || len(past.Receipts[0].Problems) != 1 {
		t.Errorf("history %+v, %v", past, err)
	}
}
