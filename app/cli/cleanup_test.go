package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/app"
	"berth/app/apptest"
)

// cleaning runs a clean-up in virtual time on a fake that change has changed,
// and gives what it left once act has moved the job to its end.
func cleaning(t *testing.T, d func(*Deps), change func(*apptest.Data), args []string, act func(f *apptest.Fake, interrupt func())) (code int, stdout, stderr string, calls []apptest.Call) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := apptest.NewAt(time.Now)
		if change != nil {
			f.Change(change)
		}
		deps, out, errs := depsFor(f)
		deps.Now = time.Now
		if d != nil {
			d(&deps)
		}
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		done := make(chan int)
		go func() { done <- Run(ctx, deps, args) }()
		time.Sleep(time.Second)
		act(f, interrupt)
		code = <-done
		stdout, stderr, calls = out.String(), errs.String(), f.Calls("RunCleanup", "Cancel", "PlanCleanup")
	})
	return code, stdout, stderr, calls
}

func finish(f *apptest.Fake, _ func()) {
	const id = "job-1"
	f.Progress(id, func(j *app.Job) { j.Note, j.Done = "removing links", 0 })
	time.Sleep(time.Second)
	f.Progress(id, func(j *app.Job) { j.Note, j.Done, j.Rate = "freeing space", 540e6, 180e6 })
	time.Sleep(2 * time.Second)
	f.Finish(id)
}

func nothingRuns(*apptest.Fake, func()) {}

func TestACleanUpForPeopleStaysAsItIs(t *testing.T) {
	t.Parallel()
	empty := func(d *apptest.Data) { d.Plan = app.CleanupPlan{ID: "none", InUse: 2700e6} }
	threeAtNight := func(d *apptest.Data) {
		d.Cleanups.Receipts[1].Dropped, d.Cleanups.Receipts[1].Attached, d.Cleanups.Receipts[2].Emptied = 37, 2, 1
		d.Cleanups.Next = time.Date(2000, 1, 2, 3, 0, 0, 0, time.Local)
	}
	killed := func(d *apptest.Data) {
		r := d.Cleanups.Receipts[0]
		cut := app.CleanupReceipt{Job: "job-4", Began: r.Began.Add(time.Hour), Ended: r.Began.Add(time.Hour), By: "schedule", Interrupted: true}
		broke := cut
		broke.Problems = []string{"the clean-up broke; the log says why"}
		d.Cleanups = app.CleanupsReply{Receipts: []app.CleanupReceipt{broke, cut, r}, Schedule: "off"}
	}
	many := func(d *apptest.Data) {
		for i := range 12 {
			d.Plan.Repositories = append(d.Plan.Repositories, app.CleanupRepository{Name: fmt.Sprint("team/app-", i), Blobs: 1, Bytes: int64(12 - i)})
		}
		d.Plan.Problems = []string{"old/thing: sha256:aa: a manifest that cannot be read"}
		d.Kept = []app.CleanupReason{{Text: "it is younger than the grace: all of it can go from 15:24 on", Count: 7, Bytes: 60e6}, {Text: "a client was promised that it stays", Count: 2, Bytes: 41e6}, {Text: "it was deleted meanwhile, which may be undone", Count: 1}}
	}
	for name, c := range map[string]struct {
		line   string
		change func(*apptest.Data)
		act    func(*apptest.Fake, func())
	}{
		"cleanup":                  {"cleanup --now", many, finish},
		"cleanup_dry":              {"cleanup --dry-run", nil, nothingRuns},
		"cleanup_dry_rules":        {"cleanup --dry-run --rules", nil, nothingRuns},
		"cleanup_nothing":          {"cleanup", empty, nothingRuns},
		"cleanup_nothing_now":      {"cleanup --now", empty, finish},
		"cleanup_history":          {"cleanup --history", threeAtNight, nothingRuns},
		"cleanup_history_killed":   {"cleanup --history", killed, nothingRuns},
		"cleanup_history_none":     {"cleanup --history", func(d *apptest.Data) { d.Cleanups = app.CleanupsReply{Schedule: "off"} }, nothingRuns},
		"cleanup_usage_both":       {"cleanup --now --dry-run", nil, nothingRuns},
		"cleanup_usage_grace":      {"cleanup --grace soon", nil, nothingRuns},
		"cleanup_usage_history":    {"cleanup --history --now", nil, nothingRuns},
		"help_cleanup":             {"cleanup --help", nil, nothingRuns},
		"help_garbage_collect":     {"garbage-collect --help", nil, nothingRuns},
		"garbage_collect":          {"garbage-collect -m config.yml", many, finish},
		"garbage_collect_quiet":    {"garbage-collect -m -q config.yml", many, finish},
		"garbage_collect_dry":      {"garbage-collect -d config.yml", nil, nothingRuns},
		"garbage_collect_no_file":  {"garbage-collect", nil, nothingRuns},
		"garbage_collect_untagged": {"garbage-collect config.yml", empty, finish},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs, _ := cleaning(t, nil, c.change, strings.Fields(c.line), c.act)
			golden(t, name, "$ berth "+c.line+"\n"+out+"-- stderr --\n"+errs+"-- exit --\n"+fmt.Sprintln(code))
		})
	}
}

func TestACleanUpAsksOnATerminalAndDrawsABar(t *testing.T) {
	t.Parallel()
	for answer, yes := range map[string]bool{"\n": true, "y\n": true, "Yes\n": true, "n\n": false, "what\n": false, "": false} {
		act := nothingRuns
		if yes {
			act = finish
		}
		terminal := func(d *Deps) { d.Terminal, d.In = true, strings.NewReader(answer) }
		code, out, errs, calls := cleaning(t, terminal, nil, []string{"cleanup"}, act)
		if !strings.Contains(errs, "Free 1.1 GB now? [Y/n] ") {
			t.Errorf("%q: it asked %q", answer, errs)
		}
		if !yes {
			if code != 1 || len(calls) != 1 || !strings.HasSuffix(errs, "berth: Nothing was freed\n") {
				t.Errorf("%q: exit %d, %d calls, %q", answer, code, len(calls), errs)
			}
			continue
		}
		if code != 0 || len(calls) != 2 || !strings.Contains(out, "\nFreed 1.1 GB: ") {
			t.Errorf("%q: exit %d, calls %+v, output %q", answer, code, calls, out)
		}
		for _, want := range []string{"Freeing ", "freeing space", "540 MB of 1.1 GB", "180 MB/s"} {
			if !strings.Contains(errs, want) {
				t.Errorf("the bar never said %q: %q", want, errs)
			}
		}
	}
}

func TestNobodyIsAskedWhoSaidNowOrWhereNobodyIs(t *testing.T) {
	t.Parallel()
	person := func(d *Deps) { d.Terminal, d.In = true, strings.NewReader("n\n") }
	for line, d := range map[string]func(*Deps){"cleanup --now": person, "cleanup -y --json": person, "cleanup --json": person, "cleanup": nil} {
		code, _, errs, calls := cleaning(t, d, nil, strings.Fields(line), finish)
		if code != 0 || len(calls) != 2 || strings.Contains(errs, "[Y/n]") {
			t.Errorf("%s: exit %d, %d calls, %q", line, code, len(calls), errs)
		}
	}
}

func TestCtrlCAtTheQuestionFreesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := apptest.NewAt(time.Now)
		d, _, errs := depsFor(f)
		typing, typed := io.Pipe()
		d.Terminal, d.In = true, typing
		ctx, interrupt := context.WithCancel(t.Context())
		done := make(chan int)
		go func() { done <- Run(ctx, d, []string{"cleanup"}) }()
		synctest.Wait()
		interrupt()
		if code := <-done; code != 1 || len(f.Calls("RunCleanup")) != 0 || !strings.HasSuffix(errs.String(), "[Y/n] \nberth: Nothing was freed\n") {
			t.Errorf("exit %d, %q", code, errs)
		}
		if err := typed.Close(); err != nil { // the terminal goes away
			t.Error(err)
		}
		synctest.Wait()
	})
}

func TestCtrlCCancelsACleanUpAndTheReceiptSaysWhatWasDone(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"cleanup --now", "cleanup --now --json", "garbage-collect config.yml"} {
		code, _, errs, calls := cleaning(t, nil, nil, strings.Fields(line), func(_ *apptest.Fake, interrupt func()) { interrupt() })
		if code != 1 || len(calls) != 3 || calls[2].Method != "Cancel" {
			t.Errorf("%s: exit %d, calls %+v", line, code, calls)
		}
		if !strings.Contains(strings.ToLower(errs), "cancelled") {
			t.Errorf("%s: it said %q", line, errs)
		}
	}
}

func TestWhateverIsWrongWithGarbageCollectExitsWith1(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"garbage-collect --bogus config.yml", "garbage-collect -z config.yml", "garbage-collect --dry-run=maybe config.yml",
		"garbage-collect", "garbage-collect one.yml two.yml",
	} {
		if code, out, errs, calls := cleaning(t, nil, nil, strings.Fields(line), nothingRuns); code != 1 || out != "" || errs == "" || len(calls) > 0 {
			t.Errorf("%s: exit %d, %q, %q, %+v", line, code, out, errs, calls)
		}
	}
}

func TestACleanUpThatFailsExitsWithItsProblem(t *testing.T) {
	t.Parallel()
	fail := func(f *apptest.Fake, _ func()) {
		f.FailJob("job-1", &app.Problem{Code: "disk", Title: "The disk does not answer", Text: "It is gone.", Exit: 4})
	}
	for line, want := range map[string]int{"cleanup --now": 4, "cleanup --json": 4, "garbage-collect config.yml": 1} {
		code, _, errs, _ := cleaning(t, nil, nil, strings.Fields(line), fail)
		if code != want || !strings.Contains(errs, "The disk does not answer") {
			t.Errorf("%s: exit %d, %q; want %d", line, code, errs, want)
		}
	}
}

func TestJSONOfACleanUpIsAPlanOrAReceipt(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"cleanup --dry-run --json": "why", "cleanup --dry-run --rules --json": "rules", "cleanup --now --json": "freed", "cleanup --history --json": "receipts",
	} {
		code, out, errs, _ := cleaning(t, nil, nil, strings.Fields(line), func(f *apptest.Fake, i func()) {
			if strings.Contains(line, "--now") {
				finish(f, i)
			}
		})
		var reply map[string]any
		if err := json.Unmarshal([]byte(out), &reply); err != nil || code != 0 || errs != "" || reply[want] == nil {
			t.Errorf("%s: exit %d, %v, %q without %s; %q", line, code, err, out, want, errs)
		}
	}
}

func TestFlagsOfACleanUpReachThePlan(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	zero := time.Duration(0)
	for line, want := range map[string]app.PlanCleanupRequest{
		"cleanup -n --grace 1d": {Grace: &day}, "cleanup -n --grace 0s": {Grace: &zero},
		"cleanup -n --keep-untagged":        {KeepUntagged: true},
		"garbage-collect -d -m config.yml":  {Grace: &zero, Untagged: true},
		"garbage-collect -d -q config.yml":  {Grace: &zero, KeepUntagged: true},
		"cleanup -n --grace 24h --data /do": {Grace: &day},
	} {
		_, _, _, calls := cleaning(t, nil, nil, strings.Fields(line), nothingRuns)
		got, ok := calls[0].Request.(app.PlanCleanupRequest)
		if !ok || fmt.Sprint(got.Untagged, got.KeepUntagged) != fmt.Sprint(want.Untagged, want.KeepUntagged) ||
			(got.Grace == nil) != (want.Grace == nil) || got.Grace != nil && *got.Grace != *want.Grace {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

func TestGarbageCollectDoesItItselfWhereNobodyRuns(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	d, out, _ := depsFor(f)
	d.Dial = func(context.Context, Where) (app.Service, func() error, error) { return nil, nil, ErrNoInstance }
	var got app.CollectOptions
	d.Collect = func(_ context.Context, w Where, o app.CollectOptions) error {
		if got = o; w.Config != "config.yml" {
			t.Errorf("config %q", w.Config)
		}
		fmt.Fprintln(o.Out, "3 blobs marked")
		return nil
	}
	if code := Run(t.Context(), d, []string{"garbage-collect", "-m", "-d", "-q", "config.yml"}); code != 0 || out.String() != "3 blobs marked\n" {
		t.Errorf("exit %d, output %q", code, out)
	}
	if !got.DryRun || !got.Quiet || !got.Untagged || len(f.Calls()) != 0 {
		t.Errorf("options %+v, calls %v", got, f.Calls())
	}
	d.Collect = func(context.Context, Where, app.CollectOptions) error {
		return errors.Join(&app.Problem{Code: "locked", Title: "Locked", Exit: 4})
	}
	if code := Run(t.Context(), d, []string{"garbage-collect", "config.yml"}); code != 1 {
		t.Errorf("exit %d, want that of distribution", code)
	}
}

func TestWhatCouldNotBeRemovedIsSaidOnceAndFailsTheCommand(t *testing.T) {
	t.Parallel()
	d, out, errs := depsFor(apptest.New())
	p := &program{Deps: d}
	j := app.Job{State: app.JobDone, Receipt: &app.CleanupReceipt{Freed: 5e6, Blobs: 2, Problems: []string{"old/thing: cannot be read", "sha256:aa: operation not permitted"}}}
	problem := app.AsProblem(p.cleaned(j, []string{"old/thing: cannot be read"}))
	if problem == nil || problem.Code != "not_freed" || problem.Exit != 1 || problem.Title != "1 thing did not work" {
		t.Errorf("problem %+v", problem)
	}
	if errs.String() != "Not done: sha256:aa: operation not permitted\n" || out.String() != "\nFreed 5.0 MB: 2 blobs\n" {
		t.Errorf("output %q, error %q", out, errs)
	}
	if err := p.cleaned(j, j.Receipt.Problems); err != nil {
		t.Errorf("what was left alone is no failure: %v", err)
	}
}

func TestAReceiptNamesTheSignaturesThatWentWithTheirImages(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{
		0: "\nFreed 5.0 MB: 2 blobs\n",
		1: "\nFreed 5.0 MB: 2 blobs\n1 signature tag of freed images went to the trash.\n",
		2: "\nFreed 5.0 MB: 2 blobs\n2 signature tags of freed images went to the trash.\n",
	} {
		d, out, _ := depsFor(apptest.New())
		p := &program{Deps: d}
		if err := p.cleaned(app.Job{State: app.JobDone, Receipt: &app.CleanupReceipt{Freed: 5e6, Blobs: 2, Attached: n}}, nil); err != nil || out.String() != want {
			t.Errorf("%d: %q, want %q (%v)", n, out, want, err)
		}
	}
}

func TestAPlanThatTakesLongIsSaidToAndCanBeInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := apptest.NewAt(time.Now)
		defer f.Hold("PlanCleanup")()
		d, out, errs := depsFor(f)
		d.Terminal = true
		ctx, interrupt := context.WithCancel(t.Context())
		done := make(chan int)
		go func() { done <- Run(ctx, d, []string{"cleanup"}) }()
		time.Sleep(2 * time.Second)
		interrupt()
		if code := <-done; code != 1 || out.String() != "" || errs.String() != "Looking at what can be freed ...\nberth: Cancelled\n" {
			t.Errorf("exit %d, output %q, error %q", code, out, errs)
		}
	})
}
