//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"berth/app"
	"berth/app/control"
)

// fire is a registry that is cleaned up all the time while clients work on it,
// and killed now and then.
type fire struct {
	t       testing.TB
	data    string
	env     []string
	grace   time.Duration
	r       *rand.Rand
	clients []*arsonist

	cleanups, kills int
	freed           int64
	blobs           int
	stays           []app.CleanupReason // of the last plan, beside what is needed
}

// TestFireOnTheRealThing pushes, mounts, overwrites, signs, deletes and pulls
// from all sides while clean-ups run one after the other and the trash is
// emptied, kills the registry at random moments, and goes on with the same
// folder. In the end everything that was acknowledged and not deleted is whole,
// verify finds nothing, and the disk holds what is needed and not a byte more.
// BERTH_FIRE=5m makes it burn for longer than ten seconds.
func TestFireOnTheRealThing(t *testing.T) {
	t.Parallel()
	burn := 10 * time.Second
	if d, err := time.ParseDuration(os.Getenv("BERTH_FIRE")); err == nil {
		burn = d
	}
	for _, grace := range []time.Duration{0, time.Second} {
		t.Run("grace "+grace.String(), func(t *testing.T) {
			t.Parallel()
			f := newFire(t, grace)
			for end := time.Now().Add(burn); time.Now().Before(end) && !t.Failed(); {
				f.live(true)
			}
			if !t.Failed() {
				f.live(false)
			}
			if !t.Failed() {
				f.end()
			}
		})
	}
}

func newFire(t *testing.T, grace time.Duration) *fire {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	f := &fire{
		t: t, data: t.TempDir(), grace: grace, r: rand.New(rand.NewPCG(seed, 99)),
		env: []string{"REGISTRY_BERTH_CLEANUP_GRACE=" + grace.String()},
	}
	for id := range 6 {
		f.clients = append(f.clients, &arsonist{
			t: t, id: id, r: rand.New(rand.NewPCG(seed, uint64(id))), grace: grace,
			may: map[place][]string{}, signs: map[place][]string{},
		})
	}
	return f
}

// live starts the registry, looks at what is there, and lets the clients work
// until it is killed, or told to stop.
func (f *fire) live(kill bool) {
	b, err := startBerthWith(f.data, f.env)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, a := range f.clients {
		a.b = b
		a.look(nil)
	}
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for _, a := range f.clients {
		wg.Go(func() { a.work(stop) })
	}
	ctx, cancel := context.WithCancel(f.t.Context())
	wg.Go(func() { f.cleanUp(ctx) })
	// Within the grace after its start a registry frees nothing.
	<-time.After(f.grace + 300*time.Millisecond + time.Duration(f.r.IntN(3000))*time.Millisecond)
	if kill {
		b.kill(f.t)
		f.kills++
	}
	close(stop)
	cancel()
	wg.Wait()
	if !kill {
		b.proc.end()
	}
}

// cleanUp frees what it can, again and again, until ctx ends or the registry is
// gone.
func (f *fire) cleanUp(ctx context.Context) {
	s, err := dial(ctx, f.data)
	if err != nil {
		if ctx.Err() == nil {
			f.t.Error(err)
		}
		return
	}
	defer s.Close()
	for n := 0; ctx.Err() == nil; n++ {
		if n%2 == 0 {
			_, err = s.EmptyTrash(ctx, app.EmptyTrashRequest{})
		}
		if err == nil {
			err = f.run(ctx, s)
		}
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, control.ErrNotRunning) {
				f.t.Errorf("clean-up: %v", err)
			}
			return
		}
	}
}

// run runs one clean-up to its end.
func (f *fire) run(ctx context.Context, s app.Service) error {
	started, err := s.RunCleanup(ctx, app.RunCleanupRequest{})
	if err != nil {
		return err
	}
	if err := waitForJob(ctx, s, started.ID); err != nil {
		return err
	}
	past, err := s.Cleanups(ctx, app.CleanupsRequest{})
	if err != nil {
		return err
	}
	if len(past.Receipts) == 0 || past.Receipts[0].Job != started.ID {
		return fmt.Errorf("no receipt of %s", started.ID)
	}
	last := past.Receipts[0]
	for _, problem := range last.Problems {
		f.t.Errorf("receipt: %s", problem)
	}
	f.cleanups, f.freed, f.blobs = f.cleanups+1, f.freed+last.Freed, f.blobs+last.Blobs
	return nil
}

// dial waits for the control socket, which comes after the registry.
func dial(ctx context.Context, data string) (c *control.Client, err error) {
	failed := until(10*time.Second, "the control socket answers", func() bool {
		c, err = control.Dial(ctx, data)
		return err == nil || ctx.Err() != nil
	})
	return c, errors.Join(err, failed)
}

func waitForJob(ctx context.Context, s app.Service, id string) error {
	for {
		jobs, err := s.Jobs(ctx, app.JobsRequest{ID: id})
		if err != nil {
			return err
		}
		if len(jobs.Jobs) != 1 {
			return fmt.Errorf("%d jobs of id %s", len(jobs.Jobs), id)
		}
		switch j := jobs.Jobs[0]; j.State {
		case app.JobRunning:
			time.Sleep(5 * time.Millisecond)
		case app.JobDone:
			return nil
		case app.JobFailed, app.JobCancelled:
			return fmt.Errorf("job %s: %s: %+v", id, j.State, j.Problem)
		}
	}
}

// end looks at everything, and frees all that can be freed.
func (f *fire) end() {
	b, err := startBerthWith(f.data, f.env)
	if err != nil {
		f.t.Fatal(err)
	}
	defer b.proc.end()
	s, err := dial(f.t.Context(), f.data)
	if err != nil {
		f.t.Fatal(err)
	}
	defer s.Close()
	<-time.After(f.grace + f.grace/5)
	needed := map[string]bool{}
	for _, a := range f.clients {
		a.b = b
		a.look(nil)
	}
	had := f.stored()
	f.empty(s)
	for _, a := range f.clients {
		a.look(needed)
	}
	left := f.stored()
	for d := range needed {
		if _, ok := left[d]; !ok {
			f.t.Errorf("%s is needed, and not on disk", d)
		}
	}
	for d, size := range left {
		if !needed[d] {
			f.t.Errorf("%s, %d bytes, is on disk, and nothing needs it; what stays, and why: %+v", d, size, f.stays)
		}
	}
	f.verified(s)
	f.report(sum(had), sum(left))
	// And what is deleted, and let go by the trash, is freed to the last byte.
	for _, repo := range burning {
		if _, err := s.DeleteRepository(f.t.Context(), app.DeleteRepositoryRequest{Repository: repo}); err != nil {
			f.t.Errorf("delete %s: %v", repo, err)
		}
	}
	f.empty(s)
	if left := f.stored(); len(left) != 0 {
		f.t.Errorf("%d blobs of %d bytes are left of nothing", len(left), sum(left))
	}
}

// empty empties the trash and frees what that gives, as the plan says.
func (f *fire) empty(s app.Service) {
	f.t.Helper()
	ctx := f.t.Context()
	if _, err := s.EmptyTrash(ctx, app.EmptyTrashRequest{}); err != nil {
		f.t.Fatal(err)
	}
	<-time.After(f.grace + f.grace/5) // what was seen or written last
	plan, err := s.PlanCleanup(ctx, app.PlanCleanupRequest{})
	if err != nil {
		f.t.Fatal(err)
	}
	f.stays = plan.Stays
	before, freed := sum(f.stored()), f.freed
	if err := f.run(ctx, s); err != nil {
		f.t.Fatal(err)
	}
	if gone := before - sum(f.stored()); gone != f.freed-freed || gone != plan.Frees {
		f.t.Errorf("planned to free %d bytes, said to have freed %d, and freed %d", plan.Frees, f.freed-freed, gone)
	}
}

func (f *fire) verified(s app.Service) {
	ctx := f.t.Context()
	started, err := s.Verify(ctx, app.VerifyRequest{Restart: true, Rate: -1})
	if err == nil {
		err = waitForJob(ctx, s, started.ID)
	}
	if err != nil {
		f.t.Fatalf("verify: %v", err)
	}
	v, err := s.Verification(ctx, app.VerificationRequest{})
	if err != nil || !v.Complete || v.State != app.VerifyDone {
		f.t.Errorf("verify: %s, complete %t, %v", v.State, v.Complete, err)
	}
	for _, finding := range v.Findings {
		f.t.Errorf("verify: %s: %s", finding.Kind, finding.Text)
	}
}

// stored gives the blobs on disk and their sizes.
func (f *fire) stored() map[string]int64 {
	f.t.Helper()
	return storedBlobs(f.t, f.data)
}

func storedBlobs(t testing.TB, data string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	in := filepath.Join(data, "docker/registry/v2/blobs")
	err := filepath.WalkDir(in, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "data" {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			all["sha256:"+filepath.Base(filepath.Dir(path))] = info.Size()
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return all
}

func sum(all map[string]int64) (n int64) {
	for _, size := range all {
		n += size
	}
	return n
}

func (f *fire) report(had, left int64) {
	pushes, pulls, slow := 0, 0, 0
	for _, a := range f.clients {
		pushes, pulls, slow = pushes+a.pushes, pulls+a.pulls, slow+a.slow
	}
	f.t.Logf("%d clean-ups freed %d blobs, %d bytes, during %d pushes (%d done again) and %d pulls, with %d kills; in the end %d bytes became %d",
		f.cleanups, f.blobs, f.freed, pushes, slow, pulls, f.kills, had, left)
	if f.blobs == 0 || pushes == 0 || f.kills == 0 {
		f.t.Error("nothing was tested")
	}
}
