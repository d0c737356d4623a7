package app

import (
	"io"
	"slices"
	"sync"
	"time"
)

// writerPatience is how long a log line waits to be taken.
const writerPatience = time.Second

// patientWriter keeps a log that nobody reads, such as a pipe to a program that
// has stopped, from stopping Berth: requests log, and so does the end. A line
// that is not taken in time is left to a goroutine, and until it is taken,
// others are lost and counted.
type patientWriter struct {
	w    io.Writer
	note func(lost int) []byte // the line that says so

	mu   sync.Mutex    // guards what follows
	late chan struct{} // closed when the line that was not taken in time is; nil: there is none
	lost int
}

// Write returns once the line is taken, or after a second.
func (p *patientWriter) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.late != nil {
		select {
		case <-p.late:
			p.late = nil
		default:
			p.lost++
			return len(line), nil
		}
	}
	text := slices.Clone(line)
	if p.lost > 0 {
		text = append(p.note(p.lost), line...)
		p.lost = 0
	}
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		_, _ = p.w.Write(text) // there is nowhere to tell it
	}()
	timer := time.NewTimer(writerPatience)
	defer timer.Stop()
	select {
	case <-taken:
	case <-timer.C:
		p.late = taken
	}
	return len(line), nil
}
