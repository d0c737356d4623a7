package httpd

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"berth/registry/internal/record"
)

// accessLog writes lines in Apache's combined format, as distribution does.
// Lines that come soon after others are written together, so that a busy
// registry does not spend its time on them: what a crash can lose is what
// happened within logPace before it. No request waits for a writer: while that
// takes nothing, lines gather up to mostWaiting, and further ones are lost and
// counted.
type accessLog struct {
	w      io.Writer // used by one goroutine at a time, that of writing
	log    *slog.Logger
	mu     sync.Mutex // guards what follows; a line is written whole
	lines  []byte
	spare  []byte // the buffer that is not lines
	lost   int    // lines since the last write
	wrote  time.Time
	second int64         // since 1970, of clock
	clock  []byte        // how a second is written: many requests share one
	flight *time.Timer   // begins to write what waits; nil: nothing does
	busy   chan struct{} // closed when what is being written is; nil: nothing is
}

const (
	logPace = 50 * time.Millisecond
	// maxLines is how many bytes are not left waiting for logPace.
	maxLines = 32 << 10
	// mostWaiting is how many bytes wait for a writer that takes none.
	mostWaiting = 1 << 20
	// logPatience is how long the end waits for such a writer.
	logPatience = time.Second
)

func (l *accessLog) write(r *http.Request, uri, remote string, rec *record.Response, start time.Time) {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) >= mostWaiting {
		l.lost++
		return
	}
	b := append(l.lines, host...)
	b = append(b, " - - ["...)
	b = l.appendTime(b, start)
	b = append(b, `] "`...)
	b = appendEscaped(append(appendEscaped(b, r.Method), ' '), uri)
	b = append(append(b, ' '), r.Proto...)
	b = append(b, `" `...)
	b = strconv.AppendInt(b, int64(rec.Status), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, rec.Bytes, 10)
	b = append(b, ` "`...)
	b = appendEscaped(b, r.Referer())
	b = append(b, `" "`...)
	b = appendEscaped(b, r.UserAgent())
	l.lines = append(b, "\"\n"...)
	if l.busy == nil {
		l.next(start)
	}
}

// appendTime needs mu.
func (l *accessLog) appendTime(b []byte, t time.Time) []byte {
	if second := t.Unix(); second != l.second || l.clock == nil {
		l.second, l.clock = second, t.AppendFormat(l.clock[:0], "02/Jan/2006:15:04:05 -0700")
	}
	return append(b, l.clock...)
}

// next sees to it that what waits is written, soon or now. It needs mu, and
// that nothing is being written.
func (l *accessLog) next(now time.Time) {
	switch {
	case len(l.lines) == 0:
	case len(l.lines) >= maxLines, now.Sub(l.wrote) >= logPace:
		l.begin()
	case l.flight == nil:
		l.flight = time.AfterFunc(logPace, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.busy == nil {
				l.begin()
			}
		})
	}
}

// begin writes what waits, beside. It needs mu, and that nothing is being
// written.
func (l *accessLog) begin() {
	if l.flight != nil {
		l.flight.Stop()
		l.flight = nil
	}
	if len(l.lines) == 0 {
		return
	}
	lines, lost, done := l.lines, l.lost, make(chan struct{})
	l.lines, l.spare, l.lost, l.busy = l.spare[:0], nil, 0, done
	go l.out(lines, lost, done)
}

func (l *accessLog) out(lines []byte, lost int, done chan struct{}) {
	_, _ = l.w.Write(lines) // a log that cannot be written stops no request
	if lost > 0 {
		l.log.Warn("access log lines were lost, since nobody took them", slog.Int("lines", lost))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if cap(lines) <= 2*maxLines {
		l.spare = lines
	}
	l.wrote, l.busy = time.Now(), nil
	close(done)
	l.next(l.wrote)
}

// close writes what waits, and waits for it, but not for ever: what nobody
// takes is lost.
func (l *accessLog) close() {
	patience := time.NewTimer(logPatience)
	defer patience.Stop()
	for {
		l.mu.Lock()
		if l.busy == nil {
			l.begin()
		}
		busy := l.busy
		l.mu.Unlock()
		if busy == nil {
			return
		}
		select {
		case <-busy:
		case <-patience.C:
			l.mu.Lock()
			lost := l.lost + bytes.Count(l.lines, []byte("\n"))
			l.mu.Unlock()
			l.log.Warn("nobody takes the access log: its last lines are lost", slog.Int("at_least", lost))
			return
		}
	}
}

// appendEscaped keeps what clients send from forging lines.
func appendEscaped(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c == 0x7f:
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}
