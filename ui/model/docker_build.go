package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"berth/app"
)

// refresh builds the state again and says so.
func (d *Docker) refresh() {
	d.mu.Lock()
	d.cached.Store(d.buildLocked(d.feed.address()))
	d.mu.Unlock()
	d.emit()
}

func (d *Docker) buildLocked(address string) *DockerState {
	st := &DockerState{Filter: d.filter, Focus: -1, Phase: PhaseReady, Problem: d.problem, Context: d.context}
	for _, c := range d.reply.Contexts {
		st.Contexts = append(st.Contexts, c.Name)
		if st.Context == "" && c.Current {
			st.Context = c.Name
		}
	}
	st.Context = cmp.Or(st.Context, d.reply.Engine.Context)
	st.Engine, st.EngineTone = d.engineLocked()
	switch {
	case !d.loaded:
		st.Phase = PhaseLoading
		return st
	case d.problem != nil:
		st.Phase = PhaseFailed
		return st
	case len(d.reply.Images) == 0:
		st.Phase = PhaseEmpty
		return st
	}
	for _, i := range d.reply.Images {
		if d.hitLocked(i) {
			st.Rows = append(st.Rows, d.rowLocked(i, address))
		}
	}
	if len(st.Rows) == 0 {
		st.Phase = PhaseNoMatch
	}
	ready := 0
	for i, r := range st.Rows {
		if r.Focused {
			st.Focus = i
		}
		if r.Checked {
			st.Checked++
			if r.waits() {
				ready++
			}
		}
	}
	st.AllChecked = st.Checked > 0 && st.Checked == len(st.Rows)
	if st.Checked > 0 {
		st.CheckedText = fmt.Sprintf("%d selected", st.Checked)
	}
	if ready > 0 {
		st.PushChecked = "Push " + Count(ready, "image")
	}
	return st
}

func (d *Docker) hitLocked(i app.LocalImage) bool {
	want := strings.ToLower(strings.TrimSpace(d.filter))
	return want == "" || strings.Contains(strings.ToLower(i.Name), want) || strings.Contains(strings.ToLower(d.asLocked(i)), want)
}

// engineLocked is the line below the title.
func (d *Docker) engineLocked() (string, Tone) {
	e := d.reply.Engine
	switch {
	case !d.loaded:
		return "Looking for a container engine", ToneFaint
	case d.problem != nil && e.Address != "":
		return "Not reachable · " + e.Address, ToneDanger
	case d.problem != nil:
		return "Not reachable", ToneDanger
	}
	line := strings.TrimSpace(e.Name + " " + e.Version)
	if e.Address != "" {
		line += " · " + e.Address
	}
	return line + " · " + Count(len(d.reply.Images), "image"), ToneOK
}

func (d *Docker) asLocked(i app.LocalImage) string {
	if t, ok := d.typed[rowKey(i)]; ok {
		return t
	}
	return i.As
}

func (d *Docker) rowLocked(i app.LocalImage, address string) LocalRow {
	now, key := d.Now(), rowKey(i)
	row := d.stateLocked(i)
	row.Key, row.Name, row.ID, row.Short = key, i.Name, i.ID, ShortDigest(i.ID)
	row.Size, row.Created, row.CreatedExact = Size(i.Size), Ago(i.Created, now), Absolute(i.Created, now)
	row.Host, row.As = address+"/", d.asLocked(i)
	_, row.Edited = d.typed[key]
	row.AsProblem = CheckName(row.As)
	row.Checked, row.Focused = d.checked[key], key == d.focus
	return row
}

// stateLocked says how far the push of a row is, in a row that has only that.
func (d *Docker) stateLocked(i app.LocalImage) LocalRow {
	p, asked := d.pushing[rowKey(i)]
	j, found := d.jobLocked(i, p.job)
	switch {
	case asked && p.problem != nil:
		return LocalRow{State: PushFailed, Problem: p.problem}
	case found && j.State == app.JobRunning:
		return LocalRow{State: PushRunning, Progress: progress(j, d.stopping[j.ID])}
	case asked && !found:
		return LocalRow{State: PushStarting, Result: "Starting"}
	case found && j.State == app.JobFailed:
		return LocalRow{State: PushFailed, Problem: cmp.Or(j.Problem, &app.Problem{Title: "The push failed"})}
	case found && j.State == app.JobCancelled:
		return LocalRow{State: PushCancelled, Result: "Cancelled"}
	case found && j.State == app.JobDone:
		return LocalRow{State: PushDone, Result: "Pushed · " + Took(j.Ended.Sub(j.Started)), Pull: j.PullCommand}
	case i.InBerth && d.asLocked(i) == i.As:
		return LocalRow{State: PushInBerth, Result: "already in Berth"}
	}
	return LocalRow{State: PushIdle}
}

// jobLocked finds the push of a row: the one this face asked for, else the one
// that runs with the same image and name, whoever asked for it.
func (d *Docker) jobLocked(i app.LocalImage, id string) (app.Job, bool) {
	at := slices.IndexFunc(d.running, func(j app.Job) bool {
		if id != "" {
			return j.ID == id
		}
		return j.State == app.JobRunning && j.Title == d.asLocked(i) && (j.Source == i.Name || j.Source == i.ID)
	})
	if at < 0 {
		return app.Job{}, false
	}
	return d.running[at], true
}

func progress(j app.Job, stopping bool) *Progress {
	p := &Progress{
		Job: j.ID, Part: Part(j.Done, j.Total), Percent: fmt.Sprintf("%d%%", Percent(j.Done, j.Total)),
		Text: jobText(j), Cancelling: stopping,
	}
	if j.Total <= 0 {
		p.Percent = ""
	}
	if stopping {
		p.Text = "Cancelling"
	}
	for _, l := range j.Layers {
		p.Layers = append(p.Layers, layerProgress(l))
	}
	return p
}

// jobText is "4 of 7 layers · 52 MB/s", or what the job says it does.
func jobText(j app.Job) string {
	finished := 0
	for _, l := range j.Layers {
		if l.State == "done" || l.State == "exists" || l.State == "mounted" {
			finished++
		}
	}
	var parts []string
	if len(j.Layers) > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s", finished, Count(len(j.Layers), "layer")))
	} else if j.Total > 0 {
		parts = append(parts, Of(j.Done, j.Total))
	}
	if r := Rate(j.Rate); r != "" {
		parts = append(parts, r)
	}
	return cmp.Or(strings.Join(parts, " · "), j.Note, "preparing")
}

func layerProgress(l app.JobLayer) LayerProgress {
	p := LayerProgress{ID: ShortDigest(l.ID), Text: l.State, Part: Part(l.Done, l.Total), Tone: ToneOK}
	switch l.State {
	case "exists", "mounted":
		p.Part, p.Tone = 1, ToneFaint
	case "done":
		p.Part = 1
	case "active":
		if l.Total > 0 {
			p.Text = Of(l.Done, l.Total)
		}
	case "waiting":
		p.Tone = ToneFaint
	}
	return p
}
