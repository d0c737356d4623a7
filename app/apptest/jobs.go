package apptest

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"berth/app"
)

// LocalImages gives Data.Local.
func (f *Fake) LocalImages(ctx context.Context, r app.LocalImagesRequest) (app.LocalImagesReply, error) {
	if err := f.enter(ctx, "LocalImages", r); err != nil {
		return app.LocalImagesReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	reply := f.data.Local
	reply.Contexts, reply.Images = slices.Clone(reply.Contexts), slices.Clone(reply.Images)
	return reply, nil
}

// Push starts a job, which runs until the test ends it: see [Fake.Finish].
func (f *Fake) Push(ctx context.Context, r app.PushRequest) (app.JobReply, error) {
	if err := f.enter(ctx, "Push", r); err != nil {
		return app.JobReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.data.Local.Images, func(l app.LocalImage) bool { return l.Name == r.Image || l.ID == r.Image })
	if i < 0 {
		return app.JobReply{}, NotFound(r.Image)
	}
	l := f.data.Local.Images[i]
	as := strings.TrimPrefix(r.As, f.data.Status.Address+"/")
	if as == "" {
		as = l.As
	}
	return f.start(app.Job{Kind: app.JobPush, Title: as, Source: l.Name, Total: l.Size}), nil
}

// Pull starts a job.
func (f *Fake) Pull(ctx context.Context, r app.PullRequest) (app.JobReply, error) {
	if err := f.enter(ctx, "Pull", r); err != nil {
		return app.JobReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	repo, err := f.repository(r.Repository)
	if err != nil {
		return app.JobReply{}, err
	}
	t, err := repo.find(r.Reference)
	if err != nil {
		return app.JobReply{}, err
	}
	return f.start(app.Job{Kind: app.JobPull, Title: r.Repository + ":" + t.Name, Total: t.Size}), nil
}

// Import starts a job.
func (f *Fake) Import(ctx context.Context, r app.ImportRequest) (app.JobReply, error) {
	if err := f.enter(ctx, "Import", r); err != nil {
		return app.JobReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	title := r.As
	if title == "" {
		title = filepath.Base(r.Path)
	}
	return f.start(app.Job{Kind: app.JobImport, Title: title, Source: r.Path, Total: 100e6}), nil
}

// start needs f.mu.
func (f *Fake) start(j app.Job) app.JobReply {
	f.serial++
	j.ID, j.State, j.Started, j.Note = fmt.Sprintf("job-%d", f.serial), app.JobRunning, f.now(), "preparing"
	f.data.Jobs = slices.Insert(f.data.Jobs, 0, j)
	f.moved(j)
	return app.JobReply{ID: j.ID}
}

// moved needs f.mu.
func (f *Fake) moved(j app.Job) {
	n := app.Notice{Kind: app.NoticeJobs, Job: j.ID}
	if j.State != app.JobRunning {
		n.Kind = app.NoticeJobEnd
	}
	for w := range f.watchers {
		w.push(n)
	}
}

// Progress changes a job and sends its notice; NoticeJobEnd when it no longer
// runs. An unknown id is ignored.
func (f *Fake) Progress(id string, change func(j *app.Job)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.data.Jobs {
		if j := &f.data.Jobs[i]; j.ID == id {
			change(j)
			if j.State != app.JobRunning && j.Ended.IsZero() {
				j.Ended = f.now()
			}
			f.moved(*j)
		}
	}
}

// Finish ends a job well. The tag of a push appears in its repository, and the
// local image is then «already in Berth».
func (f *Fake) Finish(id string) {
	f.Progress(id, func(j *app.Job) {
		j.State, j.Done, j.Rate, j.Note = app.JobDone, j.Total, 0, ""
		for i := range j.Layers {
			j.Layers[i].Done = j.Layers[i].Total
			if j.Layers[i].State == "active" || j.Layers[i].State == "waiting" {
				j.Layers[i].State = "done"
			}
		}
		f.finishUpkeep(j)
		repo, tag, ok := strings.Cut(j.Title, ":")
		if j.Kind != app.JobPush || !ok {
			return
		}
		j.Digest = digest(j.Title)
		j.PullCommand = "docker pull " + f.data.Status.Address + "/" + j.Title
		f.put(repo, app.Tag{
			Name: tag, Digest: j.Digest, MediaType: mediaManifest, Platforms: []string{"linux/amd64"},
			Size: j.Total, Frees: j.Total, Pushed: f.now(),
		})
		f.data.LastPush = &app.Pushed{Repository: repo, Tag: tag, Digest: j.Digest, At: f.now(), PullCommand: j.PullCommand}
		for i := range f.data.Local.Images {
			if l := &f.data.Local.Images[i]; l.Name == j.Source {
				l.InBerth = true
			}
		}
	})
}

// FailJob ends a job with a problem.
func (f *Fake) FailJob(id string, p *app.Problem) {
	f.Progress(id, func(j *app.Job) { j.State, j.Problem, j.Rate, j.Note = app.JobFailed, p, 0, "" })
}

// Jobs lists the jobs.
func (f *Fake) Jobs(ctx context.Context, r app.JobsRequest) (app.JobsReply, error) {
	if err := f.enter(ctx, "Jobs", r); err != nil {
		return app.JobsReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	reply := app.JobsReply{Jobs: []app.Job{}}
	for _, j := range f.data.Jobs {
		if r.ID == "" || r.ID == j.ID {
			reply.Jobs = append(reply.Jobs, cloneJob(j))
		}
	}
	if r.ID != "" && len(reply.Jobs) == 0 {
		return app.JobsReply{}, NotFound(r.ID)
	}
	return reply, nil
}

// finishUpkeep needs f.mu: it gives a job of upkeep its result.
func (f *Fake) finishUpkeep(j *app.Job) {
	switch j.Kind {
	case app.JobCleanup:
		p := f.data.Plan
		receipt := app.CleanupReceipt{
			Job: j.ID, Began: j.Started, Ended: f.now(), By: "ada", Freed: p.Frees, Blobs: p.Blobs, Manifests: p.Manifests, Links: p.Links, Uploads: p.Uploads,
			Kept: f.data.Kept,
		}
		j.Receipt = &receipt
		d := &f.data.Disk
		d.Used, d.Free, d.Loose, d.Freeable = max(0, d.Used-p.Frees), d.Free+p.Frees, max(0, d.Loose-p.Frees), 0
		f.data.Plan = app.CleanupPlan{ID: "plan-2", Began: f.now(), Grace: p.Grace, Stays: p.Stays, InUse: p.InUse}
		f.data.Space.Last = &receipt
		f.data.Cleanups.Receipts = slices.Insert(f.data.Cleanups.Receipts, 0, receipt)
	case app.JobRules:
		j.Receipt = &app.CleanupReceipt{Job: j.ID, Began: j.Started, Ended: f.now(), By: "ada", Dropped: f.data.Preview.All.Tags}
		clear(f.data.Preview.Rules)
		f.data.Preview.All, f.data.Space.Pending = app.RulePreview{}, 0
	case app.JobVerify:
		v := &f.data.Verification
		v.State, v.Job, v.Ended, v.Blobs, v.Bytes = app.VerifyDone, "", f.now(), v.TotalBlobs, v.TotalBytes
		v.Complete = true
	case app.JobRepair:
		for _, finding := range f.data.Verification.Findings {
			j.Repairs = append(j.Repairs, app.Repair{Finding: finding})
		}
		f.data.Verification.Findings = nil
	}
}

// Cancel ends a running job as cancelled; a verification is paused by it.
func (f *Fake) Cancel(ctx context.Context, r app.CancelRequest) (app.CancelReply, error) {
	if err := f.enter(ctx, "Cancel", r); err != nil {
		return app.CancelReply{}, err
	}
	f.Progress(r.ID, func(j *app.Job) {
		if j.State == app.JobRunning {
			j.State, j.Rate, j.Note = app.JobCancelled, 0, ""
			if v := &f.data.Verification; j.Kind == app.JobVerify {
				v.State, v.Job = app.VerifyPaused, ""
			}
		}
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, j := range f.data.Jobs {
		if j.ID == r.ID {
			return app.CancelReply{Job: cloneJob(j)}, nil
		}
	}
	return app.CancelReply{}, NotFound(r.ID)
}

func cloneJob(j app.Job) app.Job {
	j.Layers = slices.Clone(j.Layers)
	return j
}
