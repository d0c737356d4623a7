package app

import (
	"context"
	"sync"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/gc"
	"berth/registry/verify"
)

// keepingDisk keeps one batch, and then does nothing until it is cancelled.
type keepingDisk struct {
	verify.Store
	kept chan int // one value
}

func (s *keepingDisk) Census(ctx context.Context) (registry.Census, error) {
	census, err := s.Store.Census(ctx)
	return &keepingCensus{Census: census, kept: s.kept}, err
}

type keepingCensus struct {
	registry.Census
	kept  chan int
	batch int
	once  sync.Once
}

func (c *keepingCensus) Sweep(ctx context.Context, _ time.Time, blobs ...registry.Digest) ([]registry.Swept, error) {
	if c.batch > 0 {
		c.once.Do(func() { c.kept <- c.batch })
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c.batch = len(blobs)
	swept := make([]registry.Swept, len(blobs))
	for i := range swept {
		swept[i].Kept = registry.Referred
	}
	return swept, nil
}

func TestWhatACancelledCleanUpKeptIsNotSaidToBeUntouched(t *testing.T) {
	t.Parallel()
	const size = 8
	c := openLoose(t, 150)
	s := &keepingDisk{Store: c.disk, kept: make(chan int, 1)}
	c.disk = s
	started, err := c.RunCleanup(t.Context(), RunCleanupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	kept := <-s.kept
	reply, err := c.Cancel(t.Context(), CancelRequest(started))
	if err != nil || reply.Job.Receipt == nil {
		t.Fatalf("job %+v, %v", reply.Job, err)
	}
	want := map[string]CleanupReason{
		string(registry.Referred): {string(registry.Referred), kept, int64(kept * size)},
		whyNotCleaned:             {whyNotCleaned, 150 - kept, int64(150-kept) * size},
	}
	if r := reply.Job.Receipt; len(r.Kept) != 2 || r.Kept[0] != want[r.Kept[0].Text] || r.Kept[1] != want[r.Kept[1].Text] {
		t.Errorf("kept %+v", r.Kept)
	}
	c.disk = s.Store
}

func TestWhereAllThatIsLeftWasKeptNothingIsSaidToBeUntouched(t *testing.T) {
	t.Parallel()
	w := cleanup{receipt: CleanupReceipt{Freed: 10, Blobs: 1, Uploads: 1, Kept: []CleanupReason{{whyWrittenNow, 1, 5}}}}
	p := heldPlan{shown: CleanupPlan{Frees: 23, Blobs: 3, Uploads: 2}}
	did := gc.Receipt{Stayed: map[registry.Why]gc.Count{registry.Referred: {Blobs: 2, Bytes: 8}}}
	if why, count, bytes := w.notReached(&p, did); why != whyNotCleaned || count != 0 || bytes != 0 {
		t.Errorf("%s: %d, %d bytes", why, count, bytes)
	}
}
