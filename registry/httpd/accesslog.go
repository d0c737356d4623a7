package httpd

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// accessLog writes lines in Apache's combined format, as distribution does.
// Lines that come soon after others are written together, so that a busy
// registry does not spend its time on them: what a crash can lose is what
// happened within logPace before it.
type accessLog struct {
	mu     sync.Mutex // guards what follows; a line is written whole
	w      io.Writer
	lines  []byte
	wrote  time.Time
	second int64       // since 1970, of clock
	clock  []byte      // how a second is written: many requests share one
	flight *time.Timer // writes what waits; nil: nothing does
}

const (
	logPace = 50 * time.Millisecond
	// maxLines is how many bytes wait at most.
	maxLines = 32 << 10
)

func (l *accessLog) write(r *http.Request, uri, remote string, rec *recorder, start time.Time) {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := append(l.lines, host...)
	b = append(b, " - - ["...)
	b = l.appendTime(b, start)
	b = append(b, `] "`...)
	b = appendEscaped(append(appendEscaped(b, r.Method), ' '), uri)
	b = append(append(b, ' '), r.Proto...)
	b = append(b, `" `...)
	b = strconv.AppendInt(b, int64(rec.status), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, rec.bytes, 10)
	b = append(b, ` "`...)
	b = appendEscaped(b, r.Referer())
	b = append(b, `" "`...)
	b = appendEscaped(b, r.UserAgent())
	l.lines = append(b, "\"\n"...)
	switch {
	case len(l.lines) >= maxLines:
		l.out()
	case l.flight != nil: // it will be written
	case start.Sub(l.wrote) >= logPace:
		l.out()
	default:
		l.flight = time.AfterFunc(logPace, l.flush)
	}
}

// appendTime needs mu.
func (l *accessLog) appendTime(b []byte, t time.Time) []byte {
	if second := t.Unix(); second != l.second || l.clock == nil {
		l.second, l.clock = second, t.AppendFormat(l.clock[:0], "02/Jan/2006:15:04:05 -0700")
	}
	return append(b, l.clock...)
}

// flush writes what waits.
func (l *accessLog) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out()
}

// out needs mu.
func (l *accessLog) out() {
	if l.flight != nil {
		l.flight.Stop()
		l.flight = nil
	}
	if len(l.lines) == 0 {
		return
	}
	_, _ = l.w.Write(l.lines) // a log that cannot be written stops no request
	l.lines, l.wrote = l.lines[:0], time.Now()
	if cap(l.lines) > 2*maxLines {
		l.lines = nil
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
