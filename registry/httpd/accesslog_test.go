package httpd

import (
	"bytes"
	"fmt"
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
