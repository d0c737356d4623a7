package httpd

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// errorLog takes what net/http says by itself. Most of it is about what clients
// do, and for who looks for it; but a server that can take no connections, as
// it has too many files open, must say so.
type errorLog struct {
	slog.Handler
	log  *slog.Logger
	mu   sync.Mutex // guards said
	said time.Time
}

// acceptPause is how often that is said: net/http tries every second.
const acceptPause = time.Minute

func newErrorLog(to *slog.Logger) *errorLog { return &errorLog{Handler: to.Handler(), log: to} }

// Enabled says yes, so that Handle can choose.
func (e *errorLog) Enabled(context.Context, slog.Level) bool { return true }

// Handle takes one line.
func (e *errorLog) Handle(ctx context.Context, r slog.Record) error {
	if cause, ok := strings.CutPrefix(r.Message, "http: Accept error: "); ok && e.first() {
		cause, _, _ = strings.Cut(cause, "; retrying")
		e.log.ErrorContext(ctx, "no connection can be taken for now; with too many open files, raise their limit (ulimit -n)", slog.String("error", cause))
		return nil
	}
	e.log.DebugContext(ctx, "net/http", slog.String("message", r.Message))
	return nil
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
