package apptest

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"berth/app"
)

// DeleteRepository answers from the data.
func (f *Fake) DeleteRepository(ctx context.Context, r app.DeleteRepositoryRequest) (app.DeleteRepositoryReply, error) {
	if err := f.enter(ctx, "DeleteRepository", r); err != nil {
		return app.DeleteRepositoryReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	repo, err := f.repository(r.Repository)
	if err != nil {
		return app.DeleteRepositoryReply{}, err
	}
	reply := app.DeleteRepositoryReply{Frees: repo.Size - repo.Shared, Deleted: app.TrashEntry{
		Kind: app.TrashRepository, Repository: r.Repository, Why: "deleted", By: "ada", At: f.now(), Until: f.now().Add(7 * day),
		Size: repo.Size, Tags: len(repo.Rows), Manifests: len(repo.Rows),
	}}
	for _, o := range f.data.Repositories {
		if strings.HasPrefix(o.Name, r.Repository+"/") && len(o.Rows) > 0 {
			reply.Stay = append(reply.Stay, o.Name)
		}
	}
	if r.DryRun {
		return reply, nil
	}
	reply.Deleted.ID = "repository-" + r.Repository
	f.data.Trash = slices.Insert(f.data.Trash, 0, reply.Deleted)
	if f.aside == nil {
		f.aside = map[string][]app.Tag{}
	}
	f.aside[reply.Deleted.ID] = repo.Rows
	repo.Rows = nil
	f.changed(r.Repository)
	f.upkeepChanged()
	return reply, nil
}

// EmptyTrash answers from the data.
func (f *Fake) EmptyTrash(ctx context.Context, r app.EmptyTrashRequest) (app.EmptyTrashReply, error) {
	if err := f.enter(ctx, "EmptyTrash", r); err != nil {
		return app.EmptyTrashReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	gone := app.EmptyTrashReply{Why: f.data.Waits}
	var left []app.TrashEntry
	for _, e := range f.data.Trash {
		if len(r.Entries) > 0 && !slices.Contains(r.Entries, e.ID) {
			left = append(left, e)
			continue
		}
		gone.Gone++
		gone.Frees += e.Size
	}
	if !r.DryRun {
		gone.Now = gone.Frees
		f.data.Disk.Loose, f.data.Disk.Freeable = f.data.Disk.Loose+gone.Frees, f.data.Disk.Freeable+gone.Frees
		f.data.Disk.Trash = max(0, f.data.Disk.Trash-gone.Frees)
		f.data.Trash = left
		f.upkeepChanged()
	}
	return gone, nil
}

// Pin answers from the data.
func (f *Fake) Pin(ctx context.Context, r app.PinRequest) (app.PinReply, error) {
	if err := f.enter(ctx, "Pin", r); err != nil {
		return app.PinReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.data.Pins, func(p app.Pin) bool { return p.Repository == r.Repository && p.Tag == r.Tag })
	if (i >= 0) != r.Off {
		return app.PinReply{}, nil
	}
	if r.Off {
		f.data.Pins = slices.Delete(f.data.Pins, i, i+1)
	} else {
		f.data.Pins = append(f.data.Pins, app.Pin{Repository: r.Repository, Tag: r.Tag, At: f.now(), By: "ada"})
	}
	if repo, err := f.repository(r.Repository); err == nil {
		for i := range repo.Rows {
			if repo.Rows[i].Name == r.Tag {
				repo.Rows[i].Pinned = !r.Off
			}
		}
	}
	f.changed(r.Repository)
	f.upkeepChanged()
	return app.PinReply{Changed: true}, nil
}

// Pins answers from the data.
func (f *Fake) Pins(ctx context.Context, r app.PinsRequest) (app.PinsReply, error) {
	if err := f.enter(ctx, "Pins", r); err != nil {
		return app.PinsReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return app.PinsReply{Pins: slices.Clone(f.data.Pins)}, nil
}

// Usage gives Data.Space, with the figures of Data.Disk.
func (f *Fake) Usage(ctx context.Context, r app.UsageRequest) (app.UsageReply, error) {
	if err := f.enter(ctx, "Usage", r); err != nil {
		return app.UsageReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	reply := f.data.Space
	reply.Usage, reply.Indexing = f.usage(), reply.Indexing || f.data.Indexing
	return reply, nil
}

// PlanCleanup answers from the data.
func (f *Fake) PlanCleanup(ctx context.Context, r app.PlanCleanupRequest) (app.CleanupPlan, error) {
	if err := f.enter(ctx, "PlanCleanup", r); err != nil {
		return app.CleanupPlan{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.data.Plan, nil
}

// RunCleanup answers from the data.
func (f *Fake) RunCleanup(ctx context.Context, r app.RunCleanupRequest) (app.JobReply, error) {
	if err := f.enter(ctx, "RunCleanup", r); err != nil {
		return app.JobReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.start(app.Job{Kind: app.JobCleanup, Title: "Clean up", Total: f.data.Plan.Frees}), nil
}

// Cleanups answers from the data.
func (f *Fake) Cleanups(ctx context.Context, r app.CleanupsRequest) (app.CleanupsReply, error) {
	if err := f.enter(ctx, "Cleanups", r); err != nil {
		return app.CleanupsReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.data.Cleanups, nil
}

// Rules answers from the data.
func (f *Fake) Rules(ctx context.Context, r app.RulesRequest) (app.RulesReply, error) {
	if err := f.enter(ctx, "Rules", r); err != nil {
		return app.RulesReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.data.Rules, nil
}

// SetRules answers from the data.
func (f *Fake) SetRules(ctx context.Context, r app.SetRulesRequest) (app.RulesReply, error) {
	if err := f.enter(ctx, "SetRules", r); err != nil {
		return app.RulesReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Version != "" && r.Version != f.data.Rules.Version {
		return app.RulesReply{}, &app.Problem{Code: app.CodeRulesChanged, Severity: "error", Title: "The rules were changed by somebody else", Exit: 4}
	}
	if f.data.Rules.Version != "" {
		f.data.Rules.Version += "'"
	}
	if r.Rules != nil {
		// A rule keeps its row of the preview when it moves.
		f.data.Preview.Rules = f.preview(app.PreviewRulesRequest{Rules: r.Rules}).Rules
		f.data.Rules.Rules = slices.Clone(*r.Rules)
	}
	if r.Immutable != nil {
		f.data.Rules.Immutable = slices.Clone(*r.Immutable)
	}
	f.upkeepChanged()
	return f.data.Rules, nil
}

// PreviewRules answers from Data.Preview, whose rows are those of Data.Rules.
func (f *Fake) PreviewRules(ctx context.Context, r app.PreviewRulesRequest) (app.PreviewRulesReply, error) {
	if err := f.enter(ctx, "PreviewRules", r); err != nil {
		return app.PreviewRulesReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.preview(r), nil
}

// preview needs f.mu. Rules that are drafts drop twelve tags each.
func (f *Fake) preview(r app.PreviewRulesRequest) app.PreviewRulesReply {
	reply := f.data.Preview
	rules := f.data.Rules.Rules
	if r.Rules != nil {
		rules = *r.Rules
	}
	var rows []app.RulePreview
	all := app.RulePreview{}
	for i, rule := range rules {
		row := app.RulePreview{Tags: 12, Frees: 96e6}
		if j := slices.IndexFunc(f.data.Rules.Rules, func(o app.Rule) bool { return reflect.DeepEqual(on(o), on(rule)) }); j >= 0 && j < len(reply.Rules) {
			row = reply.Rules[j]
		} else if i < len(reply.Rules) && r.Rules == nil {
			row = reply.Rules[i]
		}
		rows = append(rows, row)
		if !rule.Off {
			all.Tags, all.Manifests, all.Frees = all.Tags+row.Tags, all.Manifests+row.Manifests, all.Frees+row.Frees
			all.Emptied, all.Emptying = max(all.Emptied, row.Emptied), cmp.Or(all.Emptying, row.Emptying)
		}
	}
	reply.Rules, reply.All, reply.Verdicts = rows, all, nil
	for _, v := range f.data.Preview.Verdicts {
		if r.Verdicts && (!r.Dropped || !v.Keep) && (r.Repository == "" || r.Repository == v.Repository) && contains(v.Repository+":"+v.Tag, r.Search) {
			reply.Verdicts = append(reply.Verdicts, v)
		}
	}
	return reply
}

func on(r app.Rule) app.Rule { r.Off = false; return r }

// ApplyRules answers from the data.
func (f *Fake) ApplyRules(ctx context.Context, r app.ApplyRulesRequest) (app.JobReply, error) {
	if err := f.enter(ctx, "ApplyRules", r); err != nil {
		return app.JobReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.start(app.Job{Kind: app.JobRules, Title: "Apply rules", Total: int64(f.data.Preview.All.Tags)}), nil
}

// Verify answers from the data.
func (f *Fake) Verify(ctx context.Context, r app.VerifyRequest) (app.JobReply, error) {
	if err := f.enter(ctx, "Verify", r); err != nil {
		return app.JobReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	v := &f.data.Verification
	if r.Restart || v.State != app.VerifyPaused {
		v.Blobs, v.Bytes, v.Findings, v.Started, v.Ended = 0, 0, nil, f.now(), time.Time{}
	}
	job := f.start(app.Job{Kind: app.JobVerify, Title: "Verify", Done: v.Bytes, Total: v.TotalBytes})
	v.State, v.Job = app.VerifyRunning, job.ID
	return job, nil
}

// Verification answers from the data.
func (f *Fake) Verification(ctx context.Context, r app.VerificationRequest) (app.Verification, error) {
	if err := f.enter(ctx, "Verification", r); err != nil {
		return app.Verification{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.data.Verification, nil
}

// Repair answers from the data.
func (f *Fake) Repair(ctx context.Context, r app.RepairRequest) (app.JobReply, error) {
	if err := f.enter(ctx, "Repair", r); err != nil {
		return app.JobReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.start(app.Job{Kind: app.JobRepair, Title: "Repair", Total: int64(len(f.data.Verification.Findings))}), nil
}

// Settings answers from the data.
func (f *Fake) Settings(ctx context.Context, r app.SettingsRequest) (app.SettingsReply, error) {
	if err := f.enter(ctx, "Settings", r); err != nil {
		return app.SettingsReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return app.SettingsReply{Settings: slices.Clone(f.data.Settings.Settings)}, nil
}

// Apply answers from the data.
func (f *Fake) Apply(ctx context.Context, r app.ApplyRequest) (app.SettingsReply, error) {
	if err := f.enter(ctx, "Apply", r); err != nil {
		return app.SettingsReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.data.Settings.Settings {
		s := &f.data.Settings.Settings[i]
		if v, ok := r.Values[s.Key]; ok {
			s.Value, s.Origin = v, "set here"
		}
	}
	f.upkeepChanged()
	return app.SettingsReply{Settings: slices.Clone(f.data.Settings.Settings)}, nil
}

// upkeepChanged needs f.mu.
func (f *Fake) upkeepChanged() {
	for w := range f.watchers {
		w.push(app.Notice{Kind: app.NoticeUpkeep})
	}
}
