package cli

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/app"
	"berth/app/apptest"
)

func TestWhatAVerificationSaysStaysAsItIs(t *testing.T) {
	t.Parallel()
	damaged := func(f *apptest.Fake) {
		f.Change(func(d *apptest.Data) { d.Verification = apptest.Damaged(apptest.Now.Add(-2 * time.Hour)) })
	}
	paused := func(f *apptest.Fake) {
		f.Change(func(d *apptest.Data) {
			v := &d.Verification
			v.State, v.Blobs, v.Bytes, v.Complete = app.VerifyPaused, 312, 1050e6, false
		})
	}
	cut := func(in time.Duration) func(f *apptest.Fake) {
		return func(f *apptest.Fake) {
			paused(f)
			f.Change(func(d *apptest.Data) {
				d.Verification.Interrupted = true
				if in != 0 {
					d.Verification.Resumes = apptest.Now.Add(in)
				}
			})
		}
	}
	never := func(f *apptest.Fake) {
		f.Change(func(d *apptest.Data) { d.Verification = app.Verification{State: app.VerifyNever} })
	}
	as := func(*apptest.Fake) {}
	for name, c := range map[string]struct {
		line string
		set  func(f *apptest.Fake)
	}{
		"verify_sound":        {"verify --status", as},
		"verify_damaged":      {"verify --status", damaged},
		"verify_paused":       {"verify --status", paused},
		"verify_cut":          {"verify --status", cut(0)},
		"verify_cut_soon":     {"verify --status", cut(4 * time.Second)},
		"verify_never":        {"verify --status", never},
		"verify_detach":       {"verify --detach --rate 64MB", as},
		"verify_usage_rate":   {"verify --rate fast", as},
		"verify_usage_slow":   {"verify --rate 12", as},
		"verify_usage_status": {"verify --status --restart", as},
		"repair_usage_fix":    {"repair --fix magic", as},
		"repair_usage_aside":  {"repair f1 --drop-quarantined", as},
		"repair_usage_yes":    {"repair --yes", as},
		"repair_aside_ask":    {"repair --drop-quarantined", damaged},
		"complete_findings":   {"__complete repair f1 f", damaged},
		"complete_repair_fix": {"__complete repair --fix re", as},
		"help_verify":         {"verify --help", as},
		"help_repair":         {"repair --help", as},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := apptest.New()
			c.set(f)
			code, out, errs := run(t, f, strings.Fields(c.line)...)
			golden(t, name, "$ berth "+c.line+"\n"+out+"-- stderr --\n"+errs+"-- exit --\n"+string(rune('0'+code))+"\n")
		})
	}
}

func TestMoreThanIsListedIsCounted(t *testing.T) {
	t.Parallel()
	for name, listed := range map[string]bool{"verify_many": true, "verify_many_rest": false} {
		f := apptest.New()
		f.Change(func(d *apptest.Data) {
			d.Verification = apptest.Damaged(apptest.Now.Add(-2 * time.Hour))
			if d.Verification.Cut = 12_345; !listed {
				d.Verification.Findings = nil
			}
		})
		code, out, errs := run(t, f, "verify", "--status")
		golden(t, name, "$ berth verify --status\n"+out+"-- stderr --\n"+errs+"-- exit --\n"+string(rune('0'+code))+"\n")
	}
}

func TestAVerificationTellsEachTenthAndWhatItFound(t *testing.T) {
	t.Parallel()
	code, out, errs := started(t, false, []string{"verify", "--rate", "max", "--look-only"}, func(f *apptest.Fake, id string, _ func()) {
		for n := range int64(40) {
			f.Progress(id, func(j *app.Job) { j.Done, j.Note = j.Total*n/40, "reading blob 7 of 9" })
			time.Sleep(time.Second)
			synctest.Wait()
		}
		f.Change(func(d *apptest.Data) { d.Verification = apptest.Damaged(time.Now()) })
		f.Finish(id)
		if got := f.Calls("Verify"); len(got) != 1 || got[0].Request != (app.VerifyRequest{Rate: -1, LookOnly: true}) {
			t.Errorf("asked for %+v", got)
		}
	})
	if code != 1 || !strings.Contains(out, "acme/checkout:v2.3.9") || !strings.Contains(errs, "3 things are wrong") {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
	if n := strings.Count(errs, "Verifying Verify: "); n != 10 {
		t.Errorf("%d lines of progress: %s", n, errs)
	}
}

func TestCtrlCPausesAVerificationAndSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	code, out, errs := started(t, true, []string{"verify"}, func(f *apptest.Fake, id string, interrupt func()) {
		f.Progress(id, func(j *app.Job) { j.Done = j.Total / 3 })
		interrupt()
	})
	if code != 1 || out != "" || !strings.Contains(errs, "read whole (33 %)") || !strings.Contains(errs, "    berth verify\n") {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
}

func TestAVerificationSpeaksJSON(t *testing.T) {
	t.Parallel()
	code, out, errs := started(t, false, []string{"verify", "--json"}, func(f *apptest.Fake, id string, _ func()) { f.Finish(id) })
	var v app.Verification
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != 0 || errs != "" || v.State != app.VerifyDone || v.Blobs != v.TotalBlobs {
		t.Errorf("exit %d, %v, %+v, %s", code, err, v, errs)
	}
}

func TestARepairSaysWhatIsMendedAndWhatIsLeft(t *testing.T) {
	t.Parallel()
	code, out, errs := started(t, false, []string{"repair"}, func(f *apptest.Fake, id string, _ func()) {
		damaged := apptest.Damaged(time.Now()).Findings
		f.Progress(id, func(j *app.Job) {
			j.State = app.JobDone
			j.Repairs = []app.Repair{{Finding: damaged[1]}, {Finding: damaged[0], Problem: &app.Problem{
				Code: "not_at_source", Title: "Docker does not have it", Text: "No local image holds it.", Fix: "Push it again:", Command: "docker push x",
			}}}
		})
	})
	golden(t, "repair", out+"-- stderr --\n"+errs)
	if code != 1 {
		t.Errorf("exit %d", code)
	}
}

func TestWhatLiesAsideIsFreedOnlyWithAPersonsYes(t *testing.T) {
	t.Parallel()
	for answer, freed := range map[string]bool{"y\n": true, "\n": false, "n\n": false, "": false} {
		f := apptest.New()
		f.Change(func(d *apptest.Data) { d.Verification = apptest.Damaged(apptest.Now) })
		f.Fail("Repair", errors.New("it was agreed to")) // which is enough here
		code, _, errs := answering(t, f, answer, "repair", "--drop-quarantined")
		asked := strings.Contains(errs, "1 open finding loses its last copy, damaged as it is.\n") && strings.Contains(errs, "Free 1 damaged blob (120 MB) in the quarantine for good? [y/N]")
		if code != 1 || !asked || strings.Contains(errs, "it was agreed to") != freed {
			t.Errorf("%q: exit %d, %s", answer, code, errs)
		}
	}
}

func TestARepairThatMendsAllIsWell(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"repair --from https://registry.example.com f1": "There is nothing that mends itself",
		"repair --drop-quarantined":                     "Freed 0 B from the quarantine",
	} {
		code, out, errs := started(t, false, strings.Fields(line), func(f *apptest.Fake, id string, _ func()) { f.Finish(id) })
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d, %s%s", line, code, out, errs)
		}
	}
	p := &app.Problem{Code: "docker_absent", Title: "No container engine answers", Exit: 5}
	code, out, errs := started(t, false, []string{"repair"}, func(f *apptest.Fake, id string, _ func()) {
		f.Progress(id, func(j *app.Job) {
			j.Repairs = []app.Repair{{Finding: app.Finding{ID: "f1", Text: "It is lost."}, Problem: p}, {Finding: app.Finding{ID: "f2"}, Problem: p}}
		})
		f.FailJob(id, p)
	})
	if code != 5 || strings.Count(out+errs, p.Title) != 1 || !strings.Contains(out, "Left f1 -: It is lost.") {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
}

func TestWhoStartsAVerificationAndLeavesNeedsAnInstance(t *testing.T) {
	t.Parallel()
	d, _, errs := depsFor(apptest.New())
	d.Dial = noInstance
	if code := Run(t.Context(), d, []string{"verify", "--detach"}); code != exitError || !strings.Contains(errs.String(), "Berth is not running") {
		t.Errorf("exit %d: %s", code, errs)
	}
	f := apptest.New()
	f.Fail("Verify", errors.New("no"))
	if code, _, errs := run(t, f, "verify", "--detach"); code != exitError || !strings.Contains(errs, "no") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
