package httpd

import (
	"log"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// errorLog takes what net/http says by itself. Most of it is about what clients
// do, and for who looks for it; but a server that can take no connections, as
// it has too many files open, must say so.
type errorLog struct {
	log  *slog.Logger
	mu   sync.Mutex // guards said
	said time.Time
}

// acceptPause is how often that is said: net/http tries every second.
const acceptPause = time.Minute

func serverErrors(to *slog.Logger) *log.Logger { return log.New(&errorLog{log: to}, "", 0) }

// Write takes one line.
func (e *errorLog) Write(p []byte) (int, error) {
	line := strings.TrimSuffix(string(p), "\n")
	if cause, ok := strings.CutPrefix(line, "http: Accept error: "); ok && e.first() {
		cause, _, _ = strings.Cut(cause, "; retrying")
		e.log.Error("no connection can be taken for now; with too many open files, raise their limit (ulimit -n)", slog.String("error", cause))
	} else {
		e.log.Debug(line)
	}
	return len(p), nil
}

func (e *errorLog) first() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.said.IsZero() && time.Since(e.said) < acceptPause {
		return false
	}
	e.said = time.Now()
	return true
}
