package apptest

import (
	"fmt"
	"time"

	"berth/app"
)

// sampleUpkeep fills in what is about the disk: 1.1 GB can be freed, three rules
// would drop 37 tags, and everything was verified. The figures add up.
func sampleUpkeep(d *Data, now time.Time) {
	d.Disk = app.Usage{
		Used: 4200e6, Images: 2000e6, Shared: 700e6, Trash: 400e6, Loose: 1100e6, Freeable: 1100e6, Free: 2900e6, Total: 256e9,
	}
	d.Plan = samplePlan(now)
	last := SampleReceipt(now.Add(-26 * time.Hour))
	next := time.Date(now.Year(), now.Month(), now.Day()+1, 3, 0, 0, 0, now.Location())
	d.Space = app.UsageReply{Last: &last, Next: next, Pending: 37}
	d.Cleanups = app.CleanupsReply{Schedule: "daily", Next: next, Receipts: []app.CleanupReceipt{
		last,
		{
			Job: "job-old", Began: now.Add(-50 * time.Hour), Ended: now.Add(-50*time.Hour + 9*time.Second), By: "schedule", Freed: 212e6,
			Blobs: 61, Manifests: 12, Links: 140, Dropped: 9,
		},
		{
			Job: "job-older", Began: now.Add(-9 * day), Ended: now.Add(-9*day + 20*time.Second), By: "disk low", Freed: 3400e6,
			Blobs: 410, Manifests: 77, Links: 900, Emptied: 14, Problems: []string{"acme/old: the folder cannot be read: permission denied"},
		},
	}}
	d.Rules = app.RulesReply{Rules: []app.Rule{
		{Name: "pr-*", Repositories: []string{"acme/*"}, Tags: []string{"pr-*"}, Newest: 5, Younger: "7d"},
		{Name: "mirror", Repositories: []string{"mirror/**"}, Pulled: "30d"},
		{Name: "versions", Repositories: []string{"**"}, Tags: []string{"v*"}, Always: []string{"*"}},
	}, Immutable: []app.ImmutableRule{{Name: "releases", Repositories: []string{"acme/*"}, Tags: []string{"v*"}}}}
	d.Preview = samplePreview(now)
	d.Verification = SampleVerification(now.Add(-2 * time.Hour))
	d.Settings = sampleSettings()
}

func samplePlan(now time.Time) app.CleanupPlan {
	return app.CleanupPlan{
		ID: "plan-1", Began: now, Grace: time.Hour, Frees: 1100e6, Blobs: 212, Manifests: 31, Links: 388, Uploads: 2, InUse: 2700e6,
		Why: []app.CleanupReason{
			{Text: "layers that no image needs", Count: 181, Bytes: 1052e6},
			{Text: "images without a tag", Count: 31, Bytes: 36e6},
			{Text: "unfinished uploads, left since yesterday", Count: 2, Bytes: 12e6},
		},
		Stays: []app.CleanupReason{
			{Text: "in the trash, restorable for 7 days", Count: 5, Bytes: 400e6},
			{Text: "newer than one hour", Count: 3, Bytes: 41e6},
		},
		Repositories: []app.CleanupRepository{
			{Name: "acme/checkout", Manifests: 19, Blobs: 120, Bytes: 640e6},
			{Name: "acme/frontend", Manifests: 8, Blobs: 61, Bytes: 310e6},
			{Name: "tools/migrate", Manifests: 4, Blobs: 31, Bytes: 150e6},
		},
		Items: []app.CleanupItem{
			{Kind: "blob", Repository: "acme/checkout", Digest: digest("loose"), Size: 210e6, Why: "no image needs it"},
			{Kind: "manifest", Repository: "acme/frontend", Digest: digest("untagged"), Size: 1600, Why: "no tag names it"},
		},
		Cut: 243,
	}
}

// SampleReceipt is a clean-up that freed 640 MB and ended at a time.
func SampleReceipt(ended time.Time) app.CleanupReceipt {
	return app.CleanupReceipt{
		Job: "job-last", Began: ended.Add(-12 * time.Second), Ended: ended, By: "ada", Freed: 640e6, Blobs: 96, Manifests: 14, Links: 201,
	}
}

func samplePreview(now time.Time) app.PreviewRulesReply {
	p := app.PreviewRulesReply{
		Rules: []app.RulePreview{{Tags: 31, Frees: 284e6}, {Tags: 6, Frees: 1200e6}, {}},
		All:   app.RulePreview{Tags: 37, Frees: 1484e6},
	}
	for i := range 31 {
		p.Verdicts = append(p.Verdicts, app.Verdict{
			Repository: []string{"acme/checkout", "acme/frontend", "acme/payments"}[i%3], Tag: fmt.Sprintf("pr-%d", 290-i), Digest: digest(fmt.Sprint("pr", i)),
			Size: 108e6, Pushed: now.Add(-time.Duration(i+8) * day), Rule: "pr-*",
			Because: fmt.Sprintf("not one of the newest 5 by push, pushed %d days ago (longer than 7d)", i+8),
		})
	}
	for i := range 6 {
		p.Verdicts = append(p.Verdicts, app.Verdict{
			Repository: "mirror/library/postgres", Tag: fmt.Sprintf("15.%d", 6-i), Digest: digest(fmt.Sprint("pg", i)), Size: 410e6,
			Pushed: now.Add(-time.Duration(80+i) * day), Rule: "mirror", Because: fmt.Sprintf("pushed %d days ago, never pulled (not within 30d)", 80+i),
		})
	}
	keep := func(repo, tag, because, rule string, ago time.Duration) {
		p.Verdicts = append(p.Verdicts, app.Verdict{
			Repository: repo, Tag: tag, Digest: digest(repo + tag), Size: 212e6, Pushed: now.Add(-ago), Keep: true, Because: because, Rule: rule,
		})
	}
	keep("acme/checkout", "pr-318", "one of the newest 5 by push", "pr-*", 2*day)
	keep("acme/checkout", "v2.4.1", "always kept by *", "versions", 2*time.Minute)
	keep("acme/checkout", "latest", "no rule speaks of it", "", 2*time.Minute)
	keep("mirror/library/postgres", "16", "pulled 3 days ago", "mirror", 60*day)
	return p
}

// SampleVerification is one that found nothing wrong, and ended at a time.
func SampleVerification(ended time.Time) app.Verification {
	return app.Verification{
		State: app.VerifyDone, Started: ended.Add(-4 * time.Minute), Ended: ended, Blobs: 1214, TotalBlobs: 1214,
		Bytes: 4200e6, TotalBytes: 4200e6, Links: 2811, Repositories: 8, Complete: true, Findings: []app.Finding{},
	}
}

// Damaged is a verification that found one of each kind of damage.
func Damaged(ended time.Time) app.Verification {
	v := SampleVerification(ended)
	v.Findings = []app.Finding{
		{
			ID: "f1", Kind: "blob damaged", Text: "A layer of acme/checkout:v2.3.9 does not have its digest any more; it was moved aside.",
			Repository: "acme/checkout", Tag: "v2.3.9", Digest: digest("damaged"), Size: 120e6, Quarantined: true, Fixes: []app.Fix{app.FixRefetch},
		},
		{
			ID: "f2", Kind: "link missing", Text: "A layer of acme/frontend:latest is on disk, but not linked to its repository.",
			Repository: "acme/frontend", Tag: "latest", Digest: digest("unlinked"), Size: 9e6, Fixes: []app.Fix{app.FixRelink, app.FixRefetch},
		},
		{
			ID: "f3", Kind: "dangling tag", Text: "tools/migrate:old names a manifest that is not there.",
			Repository: "tools/migrate", Tag: "old", Digest: digest("gone"), Fixes: []app.Fix{app.FixRemoveTag, app.FixRefetch},
		},
	}
	v.Quarantined = []app.Quarantined{{Digest: digest("damaged"), Size: 120e6, At: ended}}
	return v
}

// MixedTrash has an entry of every kind, 400 MB in all.
func MixedTrash(now time.Time) []app.TrashEntry {
	entry := func(repo, tag, why, by string, size int64, ago time.Duration) app.TrashEntry {
		return app.TrashEntry{
			ID: "trash-" + repo + "-" + tag, Kind: app.TrashTag, Repository: repo, Tag: tag, Digest: digest(repo + tag), Why: why, By: by,
			At: now.Add(-ago), Until: now.Add(7*day - ago), Size: size, Overwritten: why == "overwritten",
		}
	}
	list := []app.TrashEntry{
		entry("acme/checkout", "pr-302", "deleted", "ada", 14e6, 4*time.Minute),
		entry("acme/checkout", "pr-299", "deleted", "ada", 13e6, 4*time.Minute),
		entry("acme/frontend", "latest", "overwritten", "", 88e6, 31*time.Minute),
		entry("tools/migrate", "old", "rule pr-*", "schedule", 9e6, 11*time.Hour+30*time.Minute),
		entry("acme/legacy", "", "deleted", "grace", 276e6, 2*day),
	}
	list[4].Kind, list[4].Tags, list[4].Manifests = app.TrashRepository, 12, 15
	return list
}

func sampleSettings() app.SettingsReply {
	set := func(key, value, def, doc string) app.Setting {
		s := app.Setting{Key: key, Value: value, Default: def, Origin: "default", Live: true, Doc: doc}
		if value != def {
			s.Origin = "set here"
		}
		return s
	}
	return app.SettingsReply{Settings: []app.Setting{
		set("berth.cleanup.at", "03:00", "03:00", "Time of day of the schedule."),
		set("berth.cleanup.grace", "1h", "1h", "How old garbage must be before a clean-up frees it."),
		set("berth.cleanup.low", "5GB", `""`, "Room on the disk below which a clean-up runs by itself."),
		set("berth.cleanup.schedule", "daily", "off", "When rules are applied and space is freed without being asked."),
		set("berth.cleanup.weekday", "sunday", "sunday", "Day of a weekly schedule."),
		set("berth.trash.keep", "7d", "7d", "How long deleted and overwritten tags can be restored."),
	}}
}
