package app

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"

	"berth/registry/verify"
)

// slowDisk tells when somebody looks at it, who goes on when go has a value.
type slowDisk struct {
	verify.Store
	looks       chan struct{}
	on          chan struct{}
	looking, at atomic.Int32 // now, and at most
}

func (s *slowDisk) AllRepositories(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		n := s.looking.Add(1)
		defer s.looking.Add(-1)
		for most := s.at.Load(); n > most && !s.at.CompareAndSwap(most, n); most = s.at.Load() {
		}
		s.looks <- struct{}{}
		<-s.on
		for name, err := range s.Store.AllRepositories(ctx) {
			if !yield(name, err) {
				return
			}
		}
	}
}

// TestOneLooksForGarbageAtATime has three windows that ask for a plan, and a
// clean-up that makes its own.
func TestOneLooksForGarbageAtATime(t *testing.T) {
	t.Parallel()
	c := openLoose(t, 3)
	s := &slowDisk{Store: c.disk, looks: make(chan struct{}, 9), on: make(chan struct{})}
	c.disk = s
	t.Cleanup(func() { c.disk = s.Store })
	ended := make(chan error, 3)
	ask := func(ctx context.Context) {
		_, err := c.PlanCleanup(ctx, PlanCleanupRequest{})
		ended <- err
	}
	for range 3 {
		go ask(t.Context())
	}
	job, err := c.RunCleanup(t.Context(), RunCleanupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	<-s.looks
	leaves, leave := context.WithCancel(t.Context())
	leave()
	if _, err := c.PlanCleanup(leaves, PlanCleanupRequest{}); AsProblem(err) == nil {
		t.Errorf("who left while he waited got %v", err)
	}
	for range 4 {
		s.on <- struct{}{}
	}
	for range 3 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	c.jobs.Drain(t.Context())
	reply, err := c.Jobs(t.Context(), JobsRequest(job))
	if err != nil || len(reply.Jobs) != 1 || reply.Jobs[0].State != JobDone || reply.Jobs[0].Receipt.Blobs != 3 {
		t.Errorf("the clean-up: %+v, %v", reply.Jobs, err)
	}
	if s.at.Load() != 1 {
		t.Errorf("%d looked at the same time", s.at.Load())
	}
}
