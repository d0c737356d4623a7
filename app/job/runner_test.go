package job_test

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"berth/app/job"
)

func TestAJobReportsProgressAndRateAndEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var moved, ended atomic.Int32
		r := job.NewRunner(job.Options{Changed: func(_ string, end bool) {
			if end {
				ended.Add(1)
			} else {
				moved.Add(1)
			}
		}})
		defer r.Close()
		id, err := r.Start(t.Context(), job.Spec{Kind: "push", Title: "a:b"}, func(_ context.Context, report func(job.Progress)) (job.Result, error) {
			for i := range 1000 {
				report(job.Progress{Done: int64(i+1) * 1000, Total: 1e6, Layers: []job.Layer{{ID: "x"}}})
				time.Sleep(10 * time.Millisecond)
			}
			return job.Result{Digest: "d"}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		j, err := r.Get(id)
		if err != nil || j.State != job.Running || j.Rate < 90_000 || j.Rate > 110_000 || len(j.Layers) != 1 {
			t.Fatalf("half way: %v %+v", err, j)
		}
		time.Sleep(6 * time.Second)
		j, _ = r.Get(id)
		if j.State != job.Done || j.Done != 1e6 || j.Result.Digest != "d" || j.Rate != 0 || j.Ended.IsZero() {
			t.Errorf("at the end: %+v", j)
		}
		if n := moved.Load(); n < 90 || n > 102 || ended.Load() != 1 {
			t.Errorf("%d notifications in ten seconds, %d ends", n, ended.Load())
		}
	})
}

func TestTheLastReportBeforeAPauseIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told atomic.Int32
		r := job.NewRunner(job.Options{Changed: func(string, bool) { told.Add(1) }})
		defer r.Close()
		_, _ = r.Start(t.Context(), job.Spec{}, func(ctx context.Context, report func(job.Progress)) (job.Result, error) {
			report(job.Progress{Note: "preparing"})
			<-ctx.Done()
			return job.Result{}, ctx.Err()
		})
		time.Sleep(time.Second)
		if n := told.Load(); n != 2 {
			t.Errorf("told %d times, want the start and the report", n)
		}
	})
}

func TestCancelReturnsWhenTheJobHasStopped(t *testing.T) {
	t.Parallel()
	r := job.NewRunner(job.Options{})
	defer r.Close()
	var stopped atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	id, err := r.Start(ctx, job.Spec{}, func(ctx context.Context, _ func(job.Progress)) (job.Result, error) {
		<-ctx.Done()
		stopped.Store(true)
		return job.Result{}, ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if j, _ := r.Get(id); j.State != job.Running {
		t.Fatal("the job ended with the request that started it")
	}
	j, err := r.Cancel(t.Context(), id)
	if err != nil || j.State != job.Cancelled || j.Err != nil || !stopped.Load() {
		t.Errorf("%v %+v", err, j)
	}
	if _, err := r.Cancel(t.Context(), "nobody"); !errors.Is(err, job.ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

func TestAFailureAndAPanicFailTheJobOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := job.NewRunner(job.Options{History: 3})
		boom := errors.New("boom")
		works := []job.Work{
			func(context.Context, func(job.Progress)) (job.Result, error) { return job.Result{}, nil },
			func(context.Context, func(job.Progress)) (job.Result, error) { return job.Result{}, nil },
			func(context.Context, func(job.Progress)) (job.Result, error) { return job.Result{}, boom },
			func(context.Context, func(job.Progress)) (job.Result, error) { panic("ouch") },
		}
		for _, w := range works {
			if _, err := r.Start(t.Context(), job.Spec{}, w); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		list := r.List()
		if len(list) != 3 || list[0].State != job.Failed || !errors.Is(list[1].Err, boom) || list[2].State != job.Done {
			t.Errorf("history %+v", list)
		}
		var broke *job.PanicError
		if !errors.As(list[0].Err, &broke) || broke.Value != "ouch" || !bytes.Contains(broke.Stack, []byte("runner_test.go")) {
			t.Errorf("the panic is %v", list[0].Err)
		}
		r.Close()
		if _, err := r.Start(t.Context(), job.Spec{}, works[0]); !errors.Is(err, job.ErrClosed) {
			t.Errorf("after close: %v", err)
		}
	})
}

func TestDrainWaitsAndCloseCancels(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := job.NewRunner(job.Options{})
		short, _ := r.Start(t.Context(), job.Spec{}, func(context.Context, func(job.Progress)) (job.Result, error) {
			time.Sleep(2 * time.Second)
			return job.Result{}, nil
		})
		long, _ := r.Start(t.Context(), job.Spec{}, func(ctx context.Context, _ func(job.Progress)) (job.Result, error) {
			<-ctx.Done()
			return job.Result{}, ctx.Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		r.Drain(ctx)
		if !r.Busy() {
			t.Error("nothing runs after drain, but one job never ends")
		}
		r.Close()
		a, _ := r.Get(short)
		b, _ := r.Get(long)
		if a.State != job.Done || b.State != job.Cancelled {
			t.Errorf("%s and %s", a.State, b.State)
		}
	})
}
