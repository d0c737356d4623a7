package job

import (
	"slices"
	"time"
)

// State says how far a job is.
type State string

// The states of a job.
const (
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Spec says what a job is about; the runner only carries it.
type Spec struct {
	Kind string
	// Title names what it works on, Source where that comes from.
	Title, Source string
}

// Layer is one part of a job.
type Layer struct {
	ID, State   string
	Done, Total int64
}

// Progress is what work reports, whole each time.
type Progress struct {
	// Done and Total in bytes; Total is 0 until it is known.
	Done, Total int64
	Layers      []Layer
	Note        string
}

// Result is what work leaves behind.
type Result struct {
	Digest string
	// Text is for whoever started it, such as a line to copy.
	Text string
	// Value is whatever else it leaves, which the runner only carries; it is
	// not touched after the end.
	Value any
}

// Job is a job as it stands.
type Job struct {
	ID string
	Spec
	Progress
	State          State
	Started, Ended time.Time
	// Rate in bytes a second, over the last seconds; 0 for an ended job.
	Rate   int64
	Result Result
	// Err is why a job failed.
	Err error
}

// window is how far back a rate looks.
const window = 3 * time.Second

type sample struct {
	at   time.Time
	done int64
}

// meter gives the rate of what is done.
type meter struct{ samples []sample }

func (m *meter) add(now time.Time, done int64) {
	if n := len(m.samples); n > 0 && m.samples[n-1].done > done {
		m.samples = m.samples[:0] // it began again
	}
	m.samples = append(m.samples, sample{now, done})
	// The one before the window stays: it is where the window begins.
	cut := 0
	for cut+1 < len(m.samples) && now.Sub(m.samples[cut+1].at) >= window {
		cut++
	}
	m.samples = slices.Delete(m.samples, 0, cut)
}

func (m *meter) rate(now time.Time) int64 {
	if len(m.samples) == 0 {
		return 0
	}
	first, last := m.samples[0], m.samples[len(m.samples)-1]
	if now.Sub(last.at) >= window {
		return 0
	}
	// A short moment at the start would make any rate.
	spent := max(now.Sub(first.at), 100*time.Millisecond)
	return int64(float64(last.done-first.done) / spent.Seconds())
}
