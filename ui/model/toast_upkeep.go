package model

import (
	"context"
	"fmt"
	"strings"

	"berth/app"
)

// endedUpkeep tells how a job of upkeep ended. What nobody asked for is told in
// the window only, and not on the desktop.
func (s *Shell) endedUpkeep(j app.Job) {
	var t Toast
	switch j.Kind {
	case app.JobCleanup:
		t = cleanupToast(j)
	case app.JobRules:
		t = s.rulesToast(j)
	case app.JobVerify:
		s.endedVerify(j)
		return
	case app.JobRepair:
		t = repairToast(j)
	}
	if t.Text() == "" {
		return
	}
	if j.Kind != app.JobCleanup || !s.shows(PageCleanup) || t.Tone == ToneWarning {
		s.Toast(t) // the page shows the receipt itself
	}
	if j.Receipt == nil || j.Receipt.By != "schedule" && j.Receipt.By != "disk low" {
		s.Notify(Notification{Title: t.Lead + t.Strong, Text: strings.TrimLeft(t.Rest, " ·"), Failed: t.Tone == ToneWarning})
	}
}

func cleanupToast(j app.Job) Toast {
	r := j.Receipt
	if r == nil {
		if j.State == app.JobCancelled {
			return Toast{Tone: ToneInfo, Lead: "The clean-up was stopped"}
		}
		return Toast{}
	}
	t := Toast{Tone: ToneOK, Strong: freedText(*r)}
	t.Rest = joinDots("", counted(r.Blobs, r.Manifests, r.Links, r.Uploads))
	if t.Rest != "" {
		t.Rest = " · " + t.Rest
	}
	if kept := keptText(*r); kept != "" {
		t.Rest += "; " + kept
	}
	switch {
	case len(r.Problems) > 0:
		t.Tone, t.Rest = ToneWarning, t.Rest+"; "+Count(len(r.Problems), "problem")
	case j.State == app.JobCancelled || r.Cancelled:
		t.Tone, t.Rest = ToneInfo, t.Rest+", then stopped"
	}
	return t
}

func (s *Shell) rulesToast(j app.Job) Toast {
	n := 0
	if j.Receipt != nil {
		n = j.Receipt.Dropped
	}
	switch {
	case n == 0 && j.State == app.JobCancelled:
		return Toast{Tone: ToneInfo, Lead: "The rules were stopped; nothing went"}
	case n == 0:
		return Toast{Tone: ToneOK, Lead: "The rules found nothing to delete"}
	}
	return Toast{
		Tone: ToneOK, Lead: "Moved ", Strong: Numbered(n, "tag"), Rest: " to the trash by rules", Action: "Undo", Hint: "Ctrl Z",
		act: func() { s.rules.undoApplied(j) },
	}
}

func repairToast(j app.Job) Toast {
	mended := 0
	for _, r := range j.Repairs {
		if r.Problem == nil {
			mended++
		}
	}
	switch n := len(j.Repairs); {
	case n == 0 && j.State == app.JobCancelled:
		return Toast{Tone: ToneInfo, Lead: "The repair was stopped"}
	case n == 0:
		return Toast{Tone: ToneOK, Lead: "Freed what was kept aside"}
	case mended == n:
		return Toast{Tone: ToneOK, Lead: "Repaired ", Strong: Numbered(n, "problem")}
	default:
		return Toast{Tone: ToneWarning, Lead: fmt.Sprintf("Repaired %d of %s", mended, Numbered(n, "problem"))}
	}
}

// endedVerify asks what was found: the job does not say it. One that was paused
// needs no word.
func (s *Shell) endedVerify(j app.Job) {
	if j.State != app.JobDone {
		return
	}
	s.tasks.run("", func(ctx context.Context) {
		v, err := s.Service.Verification(ctx, app.VerificationRequest{})
		if err != nil {
			return
		}
		n := len(v.Findings) + v.Cut
		t := Toast{Tone: ToneOK, Lead: "Verified ", Strong: Numbered(int(v.Blobs), "blob"), Rest: ": nothing missing, nothing damaged"}
		if n > 0 {
			t = Toast{Tone: ToneWarning, Lead: "Verifying found ", Strong: Numbered(n, "problem"), Action: "Show", act: func() { s.Go(PageCleanup); s.Raise() }}
			if s.shows(PageCleanup) {
				t.Action, t.act = "", nil
			}
			s.Notify(Notification{Title: t.Lead + t.Strong, Text: "The page Clean up says which, and how to mend them.", Failed: true})
		}
		s.Toast(t)
	})
}
