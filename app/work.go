package app

import (
	"context"
	"errors"

	"berth/app/job"
)

func (c *Core) start(ctx context.Context, spec job.Spec, work job.Work) (JobReply, error) {
	id, err := c.jobs.Start(ctx, spec, work)
	if err != nil {
		return JobReply{}, AsProblem(err)
	}
	return JobReply{ID: id}, nil
}

func (c *Core) jobChanged(id string, ended bool) {
	if !ended {
		c.notify(Notice{Kind: NoticeJobs, Job: id})
		return
	}
	var broke *job.PanicError
	if j, err := c.jobs.Get(id); err == nil && errors.As(j.Err, &broke) {
		c.log.Error("a job broke", "job", id, "kind", j.Kind, "title", j.Title, "error", broke, "stack", string(broke.Stack))
	}
	c.notify(Notice{Kind: NoticeJobEnd, Job: id})
	c.notify(Notice{Kind: NoticeStatus})
}

// Jobs lists jobs; see [Service].
func (c *Core) Jobs(_ context.Context, r JobsRequest) (JobsReply, error) {
	reply := JobsReply{Jobs: []Job{}}
	if r.ID != "" {
		j, err := c.jobs.Get(r.ID)
		if err != nil {
			return reply, AsProblem(err)
		}
		reply.Jobs = append(reply.Jobs, c.jobRow(j))
		return reply, nil
	}
	for _, j := range c.jobs.List() {
		reply.Jobs = append(reply.Jobs, c.jobRow(j))
	}
	return reply, nil
}

// Cancel stops a job; see [Service].
func (c *Core) Cancel(ctx context.Context, r CancelRequest) (CancelReply, error) {
	j, err := c.jobs.Cancel(ctx, r.ID)
	if err != nil {
		return CancelReply{}, AsProblem(err)
	}
	return CancelReply{Job: c.jobRow(j)}, nil
}

func (c *Core) jobRow(j job.Job) Job {
	row := Job{
		ID: j.ID, Kind: JobKind(j.Kind), State: JobState(j.State), Title: j.Title, Source: j.Source, Started: j.Started, Ended: j.Ended,
		Done: j.Done, Total: j.Total, Rate: j.Rate, Note: j.Note, Problem: AsProblem(j.Err),
	}
	for _, l := range j.Layers {
		row.Layers = append(row.Layers, JobLayer{ID: l.ID, State: l.State, Done: l.Done, Total: l.Total})
	}
	if row.State == JobDone {
		row.Digest, row.PullCommand = j.Result.Digest, j.Result.Text
	}
	row.Receipt, _ = j.Result.Value.(*CleanupReceipt)
	if repairs, ok := j.Result.Value.([]Repair); ok {
		row.Repairs = repairs
	}
	return row
}
