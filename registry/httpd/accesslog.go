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
type accessLog struct {
	mu sync.Mutex // guards w: a line is written whole
	w  io.Writer
}

var lines = sync.Pool{New: func() any {
	b := make([]byte, 0, 512)
	return &b
}}

func (l *accessLog) write(r *http.Request, uri, remote string, rec *recorder, start time.Time) {
	buf := lines.Get().(*[]byte)
	defer lines.Put(buf)
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	b := append((*buf)[:0], host...)
	b = append(b, " - - ["...)
	b = start.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
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
	b = append(b, "\"\n"...)
	*buf = b
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.w.Write(b) // a log that cannot be written stops no request
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
