package app_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"berth/app"
)

func TestPushesDeletesAndCleanUpsBesideAVerificationAreNoDamage(t *testing.T) {
	t.Parallel()
	for name, pushing := range map[string]bool{"pushes": true, "without grace": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := fresh(t)
			if !pushing {
				i = withoutGrace(t) // where a push may lose its layers to a clean-up
			}
			i.push("app", "base", "base")
			var work sync.WaitGroup
			for n := range 3 {
				churn(i, n, pushing, &work)
			}
			freed := 0
			work.Go(func() {
				for range 5 {
					freed += i.emptied()
				}
			})
			for range 3 {
				if v := i.verified(app.VerifyRequest{Restart: true}); len(v.Findings) > 0 {
					t.Errorf("found %+v", v.Findings)
				}
			}
			work.Wait()
			freed += i.emptied()
			if v := i.verified(app.VerifyRequest{Restart: true}); len(v.Findings) > 0 || v.Blobs < 18 || freed == 0 {
				t.Errorf("%d blobs were freed, and at the end %+v", freed, v)
			}
		})
	}
}

// churn deletes every other of twelve images, and pushes them meanwhile or
// before.
func churn(i *instance, n int, meanwhile bool, work *sync.WaitGroup) {
	tags := []string{}
	for k := range 12 {
		tags = append(tags, fmt.Sprintf("t%d-%d", n, k))
	}
	push := func(tag string) { i.push("app", tag, "base", "layer "+tag) }
	if !meanwhile {
		for _, tag := range tags {
			push(tag)
		}
	}
	work.Go(func() {
		for k, tag := range tags {
			if meanwhile {
				push(tag)
			}
			if k%2 == 1 {
				continue
			}
			if _, err := i.Delete(i.t.Context(), app.DeleteRequest{Repository: "app", Tags: []string{tag}}); err != nil {
				i.t.Error(err)
			}
		}
	})
}

// emptied empties the trash and cleans up, and says how many blobs that freed.
func (i *instance) emptied() int {
	ctx, grace := i.t.Context(), time.Duration(0)
	if _, err := i.EmptyTrash(ctx, app.EmptyTrashRequest{}); err != nil {
		i.t.Error(err)
	}
	reply, err := i.RunCleanup(ctx, app.RunCleanupRequest{Grace: &grace})
	if err != nil {
		i.t.Error(err)
		return 0
	}
	j := i.finished(reply.ID)
	if j.State != app.JobDone || j.Receipt == nil {
		i.t.Errorf("the clean-up ended as %+v, %v", j, j.Problem)
		return 0
	}
	return j.Receipt.Blobs
}

func TestAVerificationThatWouldNeverEndIsNotBegun(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	_, err := i.Verify(t.Context(), app.VerifyRequest{Rate: 12})
	if p, ok := errors.AsType[*app.Problem](err); !ok || p.Exit != 2 || i.verification().Job != "" {
		t.Errorf("12 bytes a second: %v", err)
	}
}
