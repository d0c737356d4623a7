package app

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLastNoticeArrivesBeforeTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		heard := make(chan NoticeKind, 8)
		go func() {
			defer close(heard)
			for n := range h.watch(context.Background(), WatchRequest{}) {
				heard <- n.Kind
			}
		}()
		if got := <-heard; got != NoticeHello {
			t.Errorf("first notice %s", got)
		}
		h.notify(Notice{Kind: NoticeQuit}, false) // the watcher now waits for its pace
		h.close()
		start := time.Now()
		<-h.left
		if time.Since(start) > watchPace {
			t.Errorf("the watcher left after %v", time.Since(start))
		}
		if got := <-heard; got != NoticeQuit {
			t.Errorf("last notice %q", got)
		}
	})
}

func TestAHubThatNobodyWatchesEndsAtOnce(t *testing.T) {
	t.Parallel()
	h := newHub()
	h.close()
	h.close()
	<-h.left
}
