package httpd

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// writes counts the writes that reach a log.
type writes struct {
	mu   sync.Mutex
	n    int
	text bytes.Buffer
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	return w.text.Write(p)
}

func (w *writes) lines() (n, lines int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n, strings.Count(w.text.String(), "\n")
}

func TestABusyAccessLogWritesManyLinesAtOnceAndLosesNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log writes
		s := New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), Options{AccessLog: &log})
		get := func(n int) {
			for i := range n {
				ask(s.Handler(), "GET", fmt.Sprint("/v2/", i))
			}
		}
		get(1)
		synctest.Wait()
		if n, lines := log.lines(); n != 1 || lines != 1 {
			t.Errorf("the first: %d writes, %d lines", n, lines)
		}
		get(20)
		if n, lines := log.lines(); n != 1 || lines != 1 {
			t.Errorf("at once: %d writes, %d lines", n, lines)
		}
		time.Sleep(2 * logPace)
		if n, lines := log.lines(); n != 2 || lines != 21 {
			t.Errorf("a moment later: %d writes, %d lines", n, lines)
		}
		get(1000)
		synctest.Wait()
		if _, lines := log.lines(); lines < 500 {
			t.Errorf("%d lines are written of very many", lines)
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if n, lines := log.lines(); n > 10 || lines != 1021 {
			t.Errorf("in the end: %d writes, %d lines", n, lines)
		}
	})
}

// stuck is a log that nobody reads: its writers wait.
type stuck struct {
	free chan struct{}
	writes
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.free
	return s.writes.Write(p)
}

func TestAnAccessLogThatNobodyReadsStopsNoRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := stuck{free: make(chan struct{})}
		var said writes
		s := New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), Options{
			AccessLog: &log, Log: slog.New(slog.NewTextHandler(&said, nil)),
		})
		const requests, length = 1000, 4000
		for range requests {
			ask(s.Handler(), "GET", "/v2/"+strings.Repeat("a", length))
			time.Sleep(time.Millisecond)
		}
		if waits := len(s.chain.access.lines); waits < mostWaiting || waits > mostWaiting+2*length {
			t.Errorf("%d bytes wait", waits)
		}
		close(log.free)
		time.Sleep(2 * logPace)
		ask(s.Handler(), "GET", "/v2/")
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		var lost int
		_, _ = fmt.Sscanf(said.text.String()[strings.Index(said.text.String(), "lines="):], "lines=%d", &lost)
		if _, lines := log.lines(); lost == 0 || lines+lost != requests+1 {
			t.Errorf("%d lines and %d lost, said %q", lines, lost, said.text.String())
		}
	})
}

func TestTheEndDoesNotWaitLongForALogThatNobodyReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := stuck{free: make(chan struct{})}
		var said writes
		s := New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), Options{AccessLog: &log, Log: slog.New(slog.NewTextHandler(&said, nil))})
		ask(s.Handler(), "GET", "/v2/")
		ask(s.Handler(), "GET", "/v2/")
		began := time.Now()
		if err := s.Shutdown(t.Context()); err != nil || time.Since(began) != logPatience {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if !strings.Contains(said.text.String(), "at_least=1") {
			t.Errorf("said %q", said.text.String())
		}
		close(log.free)
	})
}
