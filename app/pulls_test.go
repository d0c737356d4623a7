package app

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/event"
)

func TestAPullByTagAndThenByDigestIsOne(t *testing.T) {
	t.Parallel()
	p, start := pulls{}, time.Now()
	get := func(after time.Duration, repo, tag, host string, d registry.Digest) event.Event {
		return event.Event{
			Kind: event.Pull, Manifest: true, Time: start.Add(after), Repository: repo, Tag: tag,
			Target: registry.Descriptor{Digest: d}, Caller: registry.Caller{Method: "GET", RemoteAddr: host + ":1234"},
		}
	}
	for n, tc := range []struct {
		e    event.Event
		want bool
	}{
		{get(0, "app", "", "::1", "sha256:a"), true},
		{get(1, "app", "v1", "127.0.0.1", "sha256:a"), true},
		{get(2, "app", "", "127.0.0.1", "sha256:a"), false},
		{get(3, "app", "", "127.0.0.1", "sha256:b"), true},
		{get(4, "app", "", "10.0.0.1", "sha256:a"), true},
		{get(5, "other", "", "127.0.0.1", "sha256:a"), true},
		{get(6, "app", "v1", "127.0.0.1", "sha256:a"), true},
		{get(2*time.Minute, "app", "", "127.0.0.1", "sha256:a"), true},
		{event.Event{Kind: event.Pull, Manifest: true, Caller: registry.Caller{Method: "HEAD"}}, false},
	} {
		if got := p.counts(tc.e); got != tc.want {
			t.Errorf("request %d: counts is %v", n, got)
		}
	}
	for n := range 3 * maxPulls {
		p.counts(get(0, "app", "v1", time.Duration(n).String(), "sha256:a"))
	}
	if len(p) > maxPulls {
		t.Errorf("%d pulls are remembered", len(p))
	}
}

// named remembers which engine is watched.
type named struct {
	Engines
	watched chan string
}

func (n named) Open(_ context.Context, name string) (LocalEngine, error) {
	return namedEngine{name: name, watched: n.watched}, nil
}

type namedEngine struct {
	LocalEngine
	name    string
	watched chan string
}

func (e namedEngine) Watch(ctx context.Context) iter.Seq2[struct{}, error] {
	return func(func(struct{}, error) bool) {
		e.watched <- e.name
		<-ctx.Done()
	}
}

func (namedEngine) Close() error { return nil }

func TestTheEngineThatIsChosenIsTheOneThatIsWatched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		watched := make(chan string, 9)
		c := &Core{hub: newHub(), engines: named{watched: watched}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			c.watchEngine(ctx)
		}()
		for _, want := range []string{"", "colima", ""} {
			c.engine.choose(want)
			synctest.Wait()
			if len(watched) != 1 || <-watched != want {
				t.Errorf("the engine %q is not the one that is watched", want)
			}
		}
		cancel()
		<-ended
	})
}
