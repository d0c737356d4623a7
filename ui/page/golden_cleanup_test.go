package page_test

import (
	"fmt"
	"testing"
	"time"

	"berth/app"
	"berth/app/apptest"
	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/uitest"

	"fyne.io/fyne/v2"
)

var (
	roomy = fyne.NewSize(1600, 1000)
	tall  = fyne.NewSize(1120, 900)
)

// full is a registry with something of everything to clean up.
func full() *apptest.Fake { return with(func(*apptest.Data) {}) }

func with(change func(d *apptest.Data)) *apptest.Fake {
	f := apptest.New()
	f.Change(func(d *apptest.Data) {
		d.Trash = apptest.MixedTrash(apptest.Now)
		change(d)
	})
	return f
}

// crowded has a part of every kind, and some that is too new.
func crowded() *apptest.Fake {
	return with(func(d *apptest.Data) {
		d.Disk = app.Usage{
			Used: 5100e6, Images: 2000e6, Shared: 700e6, Trash: 400e6, Uploads: 310e6, Loose: 1300e6, Young: 200e6, Quarantine: 390e6,
			Freeable: 1410e6, Free: 2900e6, Total: 256e9,
		}
		d.Rules.Locked, d.Rules.ImmutableLocked = "REGISTRY_BERTH_CLEANUP_RULES", "config.yml:12"
	})
}

func nothing() *apptest.Fake {
	return with(func(d *apptest.Data) {
		d.Disk.Loose, d.Disk.Trash, d.Disk.Freeable, d.Trash = 0, 0, 0, nil
		d.Plan = app.CleanupPlan{ID: "none", InUse: 2700e6}
		d.Rules, d.Cleanups.Schedule, d.Space.Last = app.RulesReply{}, "off", nil
		d.Verification = app.Verification{State: app.VerifyNever}
	})
}

func damaged() *apptest.Fake {
	return with(func(d *apptest.Data) { d.Verification = apptest.Damaged(apptest.Now.Add(-2 * time.Hour)) })
}

// signed has tags that are pinned, immutable, or both.
func signed() *apptest.Fake {
	return with(func(d *apptest.Data) {
		rows := d.Repositories[0].Rows
		rows[0].Immutable, rows[1].Pinned = "releases", true
		rows[2].Immutable, rows[2].Pinned = "releases", true
	})
}

// freeing plans and starts a clean-up that is half done.
func freeing(w *window) {
	w.models.Cleanup.Plan()
	w.models.Cleanup.Run()
	w.fake.Progress("job-1", func(j *app.Job) { j.Done, j.Note = 612e6, "deleting blobs" })
	w.models.Refresh()
}

// freed has a receipt with all that one may tell.
func freed(w *window) {
	freeing(w)
	w.fake.Change(func(d *apptest.Data) {
		d.Kept = []app.CleanupReason{
			{Text: "it is younger than the grace: all of it can go from 15:24 on", Count: 7, Bytes: 60e6},
			{Text: "a client was promised that it stays", Count: 3, Bytes: 18e6},
		}
	})
	w.fake.Finish("job-1")
	w.fake.Change(func(d *apptest.Data) { d.Jobs[len(d.Jobs)-1].Receipt.Attached = 2 })
	w.models.Refresh()
}

// worded has a plan and a history with the words of the real ones.
func worded() *apptest.Fake {
	return with(func(d *apptest.Data) {
		d.Plan.Why[0].Text = "no manifest of the repository uses it"
		d.Plan.Why[1].Text = "no tag, no index and nothing in the trash needs it, and what it refers to is not needed"
		d.Plan.Why[2].Text = "an upload that nobody finished"
		d.Plan.Stays[0].Text = "it is in the trash, from where it can be restored"
		d.Plan.Stays[1].Text = "Berth started at 15:02 and cannot know what it promised to clients before: it can go from 16:02 on, or at once after berth config set berth.cleanup.grace 0s"
		d.Plan.Problems = []string{"acme/old: sha256:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a: a manifest that cannot be read"}
		cut := d.Cleanups.Receipts[1]
		d.Cleanups.Receipts[1] = app.CleanupReceipt{Began: cut.Began, Ended: cut.Began, By: "schedule", Interrupted: true}
	})
}

// emptying has a rule that leaves a repository no tag.
func emptying() *apptest.Fake {
	return with(func(d *apptest.Data) {
		d.Preview.Rules[1].Emptied, d.Preview.Rules[1].Emptying = 3, "mirror/library/postgres"
	})
}

func verifying(w *window) {
	w.models.Verify.Act()
	w.fake.Progress("job-1", func(j *app.Job) { j.Done, j.Rate = 1800e6, 48e6 })
	w.models.Refresh()
}

func failing(w *window) {
	w.fake.Fail("PlanCleanup", &app.Problem{
		Code: "store", Title: "The store cannot be read", Text: "/home/ada/.local/share/berth/blobs: permission denied.",
		Fix: "Give the folder back to your user:", Command: "sudo chown -R $USER ~/.local/share/berth",
	})
	w.models.Cleanup.Plan()
}

var cleanupScenes = []scene{
	{name: "images-signs", fake: signed, size: usual, only: theme.Dark, do: func(w *window) { w.models.Shell.Go(model.PageImages) }},
	{name: "cleanup", fake: full, size: usual},
	{name: "cleanup-small", fake: full, size: small},
	{name: "cleanup-roomy", fake: full, size: roomy},
	{name: "cleanup-crowded", fake: crowded, size: tall, only: theme.Dark},
	{name: "cleanup-plan", fake: full, size: tall, do: func(w *window) { w.models.Cleanup.Plan() }},
	{name: "cleanup-plan-small", fake: full, size: small, only: theme.Dark, do: func(w *window) { w.models.Cleanup.Plan() }},
	{name: "cleanup-words-small", fake: worded, size: small, only: theme.Light, do: func(w *window) { w.models.Cleanup.Plan() }},
	{name: "cleanup-receipt-small", fake: full, size: small, only: theme.Light, do: freed},
	{name: "cleanup-emptying", fake: emptying, size: usual},
	{name: "cleanup-emptying-small", fake: emptying, size: small, only: theme.Dark, do: func(w *window) { w.models.Rules.Apply() }},
	{name: "cleanup-emptying-rule", fake: emptying, size: usual, only: theme.Light, do: func(w *window) { w.models.Rules.Edit(1) }},
	{name: "cleanup-running", fake: full, size: usual, only: theme.Dark, do: freeing},
	{name: "cleanup-receipt", fake: full, size: tall, do: freed},
	{name: "cleanup-nothing", fake: nothing, size: usual, only: theme.Light},
	{name: "cleanup-failed", fake: full, size: usual, only: theme.Dark, do: failing},
	{name: "cleanup-damaged", fake: damaged, size: tall, do: func(w *window) { w.models.Trash.Toggle("trash-acme/frontend-latest") }},
	{name: "cleanup-verifying", fake: full, size: usual, only: theme.Light, do: verifying},
	{name: "cleanup-history", fake: worded, size: usual, only: theme.Dark, do: func(w *window) { w.models.Cleanup.ShowHistory() }},
	{name: "cleanup-preview", fake: full, size: usual, do: func(w *window) { w.models.Rules.ShowVerdicts(); w.models.Rules.ShowKept(true) }},
	{name: "cleanup-rule", fake: full, size: usual, do: func(w *window) { w.models.Rules.Edit(0) }},
	{name: "cleanup-rule-small", fake: full, size: small, only: theme.Light, do: func(w *window) {
		w.models.Rules.Add()
		w.models.Rules.SetField(model.FieldNewest, "many")
	}},
}

func TestThePageCleanUpLooksAsItWasSigned(t *testing.T) {
	for _, s := range cleanupScenes {
		for _, v := range uitest.Variants {
			if s.only != "" && s.only != v {
				continue
			}
			t.Run(fmt.Sprintf("%s-%s", s.name, v), func(t *testing.T) {
				w := newWindow(t, s.fake())
				w.models.Shell.Go(model.PageCleanup)
				w.models.Refresh()
				if s.do != nil {
					s.do(w)
				}
				uitest.Golden(t, s.name+"-"+string(v), w.draw(w.models.Shell.State().Page, s.size, v))
			})
		}
	}
}
