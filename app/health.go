package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// How little room on the disk is worth a word, and how little stops pushes soon.
const (
	lowRoom  = 2 << 30
	noRoom   = 200 << 20
	lowShare = 50 // a fiftieth of a small disk
)

// healthPace is how often what nobody announces is looked at again.
const healthPace = 30 * time.Second

// Health lists what is wrong; see [Service].
func (c *Core) Health(ctx context.Context, _ HealthRequest) (HealthReply, error) {
	c.recheck(ctx)
	return HealthReply{Problems: c.problems(ctx)}, nil
}

// problems gives what is wrong now, errors first.
func (c *Core) problems(ctx context.Context) []Problem {
	out := []Problem{}
	if p := c.roomProblem(ctx); p != nil {
		out = append(out, *p)
	}
	out = append(out, c.checkProblems()...)
	out = append(out, c.settingsProblems()...)
	if c.readOnly.Load() {
		out = append(out, *c.whyReadOnly())
	}
	if p := c.damageProblem(); p != nil {
		out = append(out, *p)
	}
	if p := c.cleanupProblem(); p != nil {
		out = append(out, *p)
	}
	if p := c.indexProblem(); p != nil {
		out = append(out, *p)
	}
	if c.indexing.Load() {
		out = append(out, indexingProblem())
	}
	c.mu.Lock()
	if c.portNotice != nil {
		out = append(out, *c.portNotice)
	}
	c.mu.Unlock()
	slices.SortStableFunc(out, func(a, b Problem) int { return strings.Compare(a.Severity, b.Severity) })
	return out
}

// whyReadOnly is the error of who asks for a change while nothing can be written.
// It tells the disk from the switch, and what to do about it.
func (c *Core) whyReadOnly() *Problem {
	const key = "storage.maintenance.readonly.enabled"
	p := readOnlyProblem()
	p.Command = ""
	if c.lock.ReadOnly() {
		p.Fix = "Make the disk of the data folder writable, then start Berth again."
		return p
	}
	p.Title = "The registry is read-only"
	if by, locked := c.conf().Locked(key); locked {
		p.Fix = "Take " + by.String() + " away, then start Berth again."
		return p
	}
	p.Fix, p.Command = "To switch it off:", "berth config set "+key+" false"
	return p
}

func (c *Core) roomProblem(ctx context.Context) *Problem {
	if c.space == nil {
		return nil
	}
	free, total, err := c.space.Space(ctx)
	if err != nil || total == 0 {
		return nil
	}
	return roomProblem(free, total)
}

func roomProblem(free, total int64) *Problem {
	left := humanize.Bytes(uint64(max(free, 0))) + " of " + humanize.Bytes(uint64(total)) + " are free on the disk that holds Berth's data."
	switch {
	case free < noRoom:
		return &Problem{
			Code: "disk_full", Severity: severityError, Title: "The disk is full", Text: left + " Pushes will fail.",
			Fix: freeSome, Command: freeCommand, Exit: exitError,
		}
	case free < min(lowRoom, total/lowShare):
		return &Problem{
			Code: "disk_low", Severity: severityWarning, Title: "The disk is nearly full", Text: left,
			Fix: freeSome, Command: freeCommand,
		}
	}
	return nil
}

// watchHealth tells watchers when problems come or go, until ctx ends.
func (c *Core) watchHealth(ctx context.Context) {
	ticker := time.NewTicker(healthPace)
	defer ticker.Stop()
	before := codes(c.problems(ctx))
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		c.recheck(ctx)
		if now := codes(c.problems(ctx)); now != before {
			before = now
			c.log.Info("health changed", "problems", now)
			c.notify(Notice{Kind: NoticeStatus})
		}
	}
}

func codes(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%s ", p.Code)
	}
	return strings.TrimSpace(b.String())
}

// alarming reports whether a problem is worth the icon's warning: not what was
// solved already or will be soon.
func alarming(p Problem) bool { return p.Code != "port_taken" && p.Code != "indexing" }
