package model

import (
	"context"
	"slices"

	"berth/app"
)

// Push pushes one row under the name it shows. A row that runs, or whose name
// is wrong, is left alone.
func (d *Docker) Push(key string) {
	d.mu.Lock()
	i, ok := d.imageLocked(key)
	as := d.asLocked(i)
	st := d.stateLocked(i).State
	if !ok || CheckName(as) != "" || st == PushRunning || st == PushStarting {
		d.mu.Unlock()
		return
	}
	d.pushing[key] = push{}
	name := d.context
	d.mu.Unlock()
	d.refresh()
	d.tasks.run("", func(ctx context.Context) {
		r, err := d.Service.Push(ctx, app.PushRequest{Image: imageRef(i), As: as, Context: name})
		p := push{job: r.ID, problem: d.problemOf(err, "Pushing "+as)}
		if err == nil {
			d.shell.expect(r.ID)
		}
		d.change(func() { d.pushing[key] = p })
		if p.problem != nil {
			d.shell.failed(p.problem)
			d.Notify(Notification{Title: p.problem.Title, Text: p.problem.Text, Failed: true})
		}
		d.feed.fetchJobs(ctx)
	})
}

// imageRef names an image to the engine: by name, or by id when it has none.
func imageRef(i app.LocalImage) string {
	if i.Name == "" || i.Name == "<none>:<none>" {
		return i.ID
	}
	return i.Name
}

// PushChecked pushes every checked row that waits for it, and unchecks all. When
// every one is here already, nothing happens.
func (d *Docker) PushChecked() {
	st := d.State()
	if st.PushChecked == "" {
		return
	}
	for _, r := range st.Rows {
		if r.Checked && r.waits() {
			d.Push(r.Key)
		}
	}
	d.ClearSelection()
}

// waits says whether a push of the row would do something: it is neither here
// nor on its way, and its name is one.
func (r LocalRow) waits() bool {
	return r.AsProblem == "" && (r.State == PushIdle || r.State == PushFailed || r.State == PushCancelled)
}

// PushFocused pushes what Enter means: the checked rows, else the focused one,
// and never what is here already.
func (d *Docker) PushFocused() {
	st := d.State()
	switch {
	case st.Checked > 0:
		d.PushChecked()
	case st.Focus >= 0 && st.Rows[st.Focus].waits():
		d.Push(st.Rows[st.Focus].Key)
	}
}

// Cancel asks the push of a row to stop.
func (d *Docker) Cancel(key string) {
	for _, r := range d.State().Rows {
		if r.Key == key && r.Progress != nil {
			d.change(func() { d.stopping[r.Progress.Job] = true })
			d.shell.Cancel(r.Progress.Job)
		}
	}
}

// jobs takes in what runs and what ended.
func (d *Docker) jobs() {
	d.mu.Lock()
	pushes := slices.DeleteFunc(slices.Clone(d.feed.allJobs()), func(j app.Job) bool { return j.Kind != app.JobPush })
	d.running = pushes
	d.missLocked()
	d.uncheckLocked()
	for _, j := range pushes {
		if j.State == app.JobRunning {
			d.followLocked(j)
		} else {
			delete(d.stopping, j.ID)
		}
	}
	d.mu.Unlock()
	d.refresh()
}

// followLocked ties a running push that somebody else asked for to its row, so
// that the row also shows how it ends.
func (d *Docker) followLocked(j app.Job) {
	for _, i := range d.reply.Images {
		p, asked := d.pushing[rowKey(i)]
		if asked && p.job == "" && p.problem == nil {
			continue // our own, whose id is on its way
		}
		if j.Title == d.asLocked(i) && (j.Source == i.Name || j.Source == i.ID) {
			d.pushing[rowKey(i)] = push{job: j.ID}
		}
	}
}

// uncheckLocked takes rows out of the selection once, when their push is done.
func (d *Docker) uncheckLocked() {
	for key, p := range d.pushing {
		done := slices.ContainsFunc(d.running, func(j app.Job) bool { return j.ID == p.job && j.State == app.JobDone })
		if done && !p.done {
			delete(d.checked, key)
			p.done = true
			d.pushing[key] = p
		}
	}
}

// missLocked lets go of a push whose job nobody remembers. One list without it
// proves nothing: it may have been asked for before the job began.
func (d *Docker) missLocked() {
	for key, p := range d.pushing {
		if p.job == "" {
			continue
		}
		p.missed++
		if slices.ContainsFunc(d.running, func(j app.Job) bool { return j.ID == p.job }) {
			p.missed = 0
		}
		d.pushing[key] = p
		if p.missed > 2 {
			delete(d.pushing, key)
		}
	}
}

// pushable are the rows a tray offers: newest first, without those that are here
// already or on their way.
func (d *Docker) pushable() []LocalRow {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.loaded || d.problem != nil {
		return nil
	}
	images := slices.Clone(d.reply.Images)
	slices.SortStableFunc(images, func(a, b app.LocalImage) int { return b.Created.Compare(a.Created) })
	var out []LocalRow
	for _, i := range images {
		row := d.rowLocked(i, "")
		if row.Name != "" && row.waits() {
			out = append(out, row)
		}
	}
	return out
}
