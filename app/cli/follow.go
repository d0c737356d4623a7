package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"berth/app"
)

// followPause is how often a running job is looked at: ten times a second.
const followPause = 100 * time.Millisecond

// verbs are the words for each kind of job.
var verbs = map[app.JobKind]struct{ noun, doing, done string }{
	app.JobPush:    {"Push of", "Pushing", "Pushed"},
	app.JobPull:    {"Pull of", "Pulling", "Pulled"},
	app.JobImport:  {"Import of", "Importing", "Imported"},
	app.JobVerify:  {"Verification of", "Verifying", "Verified"},
	app.JobCleanup: {"Clean-up of", "Freeing", "Freed"},
	app.JobRepair:  {"Repair of", "Repairing", "Repaired"},
	app.JobRules:   {"Application of", "Applying", "Applied"},
}

// display shows a job while it runs.
type display interface {
	update(j app.Job)
	// end leaves the terminal as it should stay.
	end()
}

// follow shows a job until it ends, and then its result. When the command is
// interrupted the job is cancelled, because nobody would see its end.
func (p *program) follow(ctx context.Context, s app.Service, id string) error {
	job, err := p.wait(ctx, s, id)
	if err != nil {
		return err
	}
	if job.State == app.JobFailed && job.Problem != nil {
		return job.Problem
	}
	if job.State != app.JobDone {
		return &app.Problem{
			Code: "cancelled", Severity: "error", Exit: exitError,
			Title: fmt.Sprintf("%s %s was cancelled", verbs[job.Kind].noun, job.Title),
			Text:  "Nothing of it can be seen in the registry.",
		}
	}
	return p.print(job, func() error { return p.printDone(job) })
}

func (p *program) wait(ctx context.Context, s app.Service, id string) (app.Job, error) {
	return p.waitFor(ctx, s, id, p.display())
}

// waitFor is wait with a display of its own.
func (p *program) waitFor(ctx context.Context, s app.Service, id string, show display) (app.Job, error) {
	defer show.end()
	tick := time.NewTicker(followPause)
	defer tick.Stop()
	for {
		reply, err := s.Jobs(ctx, app.JobsRequest{ID: id})
		if err != nil && !errors.Is(err, context.Canceled) {
			return app.Job{}, err
		}
		if err == nil && len(reply.Jobs) > 0 {
			show.update(reply.Jobs[0])
			if reply.Jobs[0].State != app.JobRunning {
				return reply.Jobs[0], nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			cancelled, err := s.Cancel(context.WithoutCancel(ctx), app.CancelRequest{ID: id})
			return cancelled.Job, err
		}
	}
}

func (p *program) printDone(j app.Job) error {
	took := j.Ended.Sub(j.Started).Round(100 * time.Millisecond)
	line := fmt.Sprintf("%s %s", verbs[j.Kind].done, j.Title)
	if j.Total > 0 {
		line += ", " + size(j.Total)
	}
	if took > 0 {
		line += " in " + took.String()
	}
	if j.Digest != "" {
		line += "\n" + j.Digest
	}
	if j.PullCommand != "" {
		line += "\n" + j.PullCommand
	}
	_, err := fmt.Fprintln(p.Out, line)
	return err
}

func (p *program) display() display {
	switch {
	case p.json:
		return silent{}
	case p.Terminal:
		return &bar{progress: mpb.New(mpb.WithOutput(p.Err), mpb.WithWidth(64), mpb.WithAutoRefresh())}
	}
	return &lines{p: p, layers: map[string]string{}}
}

type silent struct{}

func (silent) update(app.Job) {}
func (silent) end()           {}

// bar is one bar for the whole job, on a terminal.
type bar struct {
	progress *mpb.Progress
	bar      *mpb.Bar
	job      atomic.Pointer[app.Job] // read by the goroutine that draws
}

func (b *bar) update(j app.Job) {
	b.job.Store(&j)
	if b.bar == nil {
		b.bar = b.progress.New(0, mpb.BarStyle().Rbound("]"),
			mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return b.title() }, decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string { return figures(s.Current, s.Total, b.job.Load().Rate) })),
		)
	}
	b.bar.SetTotal(max(j.Total, j.Done, 1), false)
	b.bar.SetCurrent(j.Done)
}

func (b *bar) title() string {
	j := b.job.Load()
	t := verbs[j.Kind].doing + " " + what(*j)
	if j.Note != "" {
		t += ", " + j.Note
	}
	return t
}

func figures(done, total, rate int64) string {
	s := size(done) + " of " + size(total)
	if rate > 0 {
		s += ", " + size(rate) + "/s"
	}
	return s
}

func (b *bar) end() {
	if b.bar != nil {
		b.bar.Abort(true)
	}
	b.progress.Wait()
}

// lines is what goes to a file or a pipe: a line for each thing that changed.
type lines struct {
	p      *program
	note   string
	layers map[string]string
}

func (l *lines) update(j app.Job) {
	if l.note == "" || j.Note != "" && j.Note != l.note {
		l.note = orDefault(j.Note, "started")
		fmt.Fprintf(l.p.Err, "%s %s: %s\n", verbs[j.Kind].doing, what(j), l.note)
	}
	for _, layer := range j.Layers {
		if l.layers[layer.ID] == layer.State {
			continue
		}
		l.layers[layer.ID] = layer.State
		fmt.Fprintf(l.p.Err, "%s %s %s\n", short(layer.ID), layer.State, strings.TrimSpace(sizeOrNone(layer.Total)))
	}
}

func (l *lines) end() {}

func sizeOrNone(n int64) string {
	if n == 0 {
		return ""
	}
	return size(n)
}
