package model

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"berth/app"
)

// Docker is the model of the Docker page. Rows are held by key, which is the
// image's id and name, so that what was typed and checked survives a refresh.
type Docker struct {
	Signal
	*env
	feed  *feed
	shell *Shell
	// onChange is called after every change of the list, without a lock.
	onChange func()

	cached atomic.Pointer[DockerState]
	known  atomic.Int64 // how many local images there are, or -1

	mu       sync.Mutex // guards what follows
	loaded   bool
	reply    app.LocalImagesReply
	problem  *app.Problem
	context  string // chosen by a person; empty means the current one
	filter   string
	focus    string
	anchor   string
	checked  map[string]bool
	typed    map[string]string
	pushing  map[string]push // by row
	running  []app.Job       // pushes, newest first
	stopping map[string]bool // jobs that were asked to stop
}

// push is what this face asked for one row.
type push struct {
	job     string       // empty until the service answered
	problem *app.Problem // why it could not begin
	missed  int          // lists of jobs without it
	done    bool         // its end was taken in
}

func newDocker(e *env, f *feed, s *Shell) *Docker {
	d := &Docker{
		env: e, feed: f, shell: s, onChange: func() {},
		checked: map[string]bool{}, typed: map[string]string{}, pushing: map[string]push{}, stopping: map[string]bool{},
	}
	d.known.Store(-1)
	d.cached.Store(&DockerState{Phase: PhaseLoading, Engine: "Looking for a container engine", EngineTone: ToneFaint, Focus: -1})
	return d
}

// State gives what to draw. It returns at once.
func (d *Docker) State() DockerState { return *d.cached.Load() }

// Refresh asks the engine for its images again.
func (d *Docker) Refresh() {
	d.mu.Lock()
	name := d.context
	d.mu.Unlock()
	d.tasks.run("local", func(ctx context.Context) {
		r, err := d.Service.LocalImages(ctx, app.LocalImagesRequest{Context: name})
		d.mu.Lock()
		if ctx.Err() != nil || d.context != name {
			d.mu.Unlock()
			return
		}
		d.loaded = true
		d.problem = d.problemOf(err, "Asking the container engine")
		if err == nil {
			d.reply, d.problem = r, r.Problem
			d.forgetLocked()
		}
		if d.problem != nil {
			d.known.Store(-1)
		} else {
			d.known.Store(int64(len(d.reply.Images)))
		}
		d.mu.Unlock()
		d.refresh()
		d.onChange()
	})
}

// tick writes relative dates again, and looks whether an engine that could not
// be reached is back.
func (d *Docker) tick() {
	d.mu.Lock()
	lost := d.loaded && d.problem != nil
	d.mu.Unlock()
	d.refresh()
	if lost {
		d.Refresh()
	}
}

// forgetLocked drops what was done to rows that are gone.
func (d *Docker) forgetLocked() {
	live := map[string]bool{}
	for _, i := range d.reply.Images {
		live[rowKey(i)] = true
	}
	for k := range d.checked {
		if !live[k] {
			delete(d.checked, k)
		}
	}
	for k := range d.typed {
		if !live[k] {
			delete(d.typed, k)
		}
	}
	for k := range d.pushing {
		if !live[k] {
			delete(d.pushing, k)
		}
	}
	if !live[d.focus] {
		d.focus = ""
	}
	if !live[d.anchor] {
		d.anchor = ""
	}
}

// rowKey names a row: one image may have several names.
func rowKey(i app.LocalImage) string { return i.ID + " " + i.Name }

// SelectContext shows the images of another engine.
func (d *Docker) SelectContext(name string) {
	d.mu.Lock()
	same := d.context == name
	d.context = name
	if !same {
		d.loaded = false
	}
	d.mu.Unlock()
	d.refresh()
	d.Refresh()
}

// SetFilter keeps the images whose name, or name here, contains text.
func (d *Docker) SetFilter(text string) { d.change(func() { d.filter = text }) }

// SetAs says the name a row will get here, such as "acme/app:dev", as it is
// typed. The row says what is wrong with it. An empty name is the offered one
// again.
func (d *Docker) SetAs(key, name string) {
	name = strings.TrimSpace(name)
	d.change(func() {
		i, ok := d.imageLocked(key)
		if !ok {
			return
		}
		if name == "" || name == i.As {
			delete(d.typed, key)
		} else {
			d.typed[key] = name
		}
		// What ended was another name's end.
		if d.stateLocked(i).State != PushRunning {
			delete(d.pushing, key)
		}
	})
}

// Focus puts the focus on a row.
func (d *Docker) Focus(key string) {
	d.change(func() { d.focus, d.anchor = key, key })
}

// MoveFocus puts the focus by rows further down; far moves stop at the ends.
// With extend, as with Shift, the rows between are checked.
func (d *Docker) MoveFocus(by int, extend bool) {
	st := d.State()
	if len(st.Rows) == 0 {
		return
	}
	at := 0
	if st.Focus >= 0 {
		at = min(max(st.Focus+by, 0), len(st.Rows)-1)
	}
	if extend {
		d.Range(st.Rows[at].Key)
		return
	}
	d.Focus(st.Rows[at].Key)
}

// Toggle checks or unchecks a row, as its box, Ctrl+click and Space do.
func (d *Docker) Toggle(key string) {
	d.change(func() {
		if d.checked[key] {
			delete(d.checked, key)
		} else if _, ok := d.imageLocked(key); ok {
			d.checked[key] = true
		}
		d.focus, d.anchor = key, key
	})
}

// Range checks the rows from the last touched one to key, as Shift+click does,
// and unchecks the rest.
func (d *Docker) Range(key string) {
	rows := d.State().Rows
	index := func(k string) int { return slices.IndexFunc(rows, func(r LocalRow) bool { return r.Key == k }) }
	d.change(func() {
		to := index(key)
		if to < 0 {
			return
		}
		from := index(cmp.Or(d.anchor, d.focus))
		if from < 0 {
			from = to
		}
		d.anchor, d.focus = rows[from].Key, key
		clear(d.checked)
		for _, r := range rows[min(from, to) : max(from, to)+1] {
			d.checked[r.Key] = true
		}
	})
}

// SelectAll checks every row shown; when every one is checked it unchecks them.
func (d *Docker) SelectAll() {
	st := d.State()
	d.change(func() {
		clear(d.checked)
		if st.AllChecked {
			return
		}
		for _, r := range st.Rows {
			d.checked[r.Key] = true
		}
	})
}

// ClearSelection unchecks every row, as Esc does, and says whether any was
// checked.
func (d *Docker) ClearSelection() bool {
	had := false
	d.change(func() {
		had = len(d.checked) > 0
		clear(d.checked)
	})
	return had
}

// Copy puts text on the clipboard, and says so.
func (d *Docker) Copy(text string) { d.shell.Copy(text, "Copied "+text) }

// CopyFix copies the command that fixes why the engine cannot be reached.
func (d *Docker) CopyFix() {
	if p := d.State().Problem; p != nil && p.Command != "" {
		d.shell.Copy(p.Command, "Copied the command")
	}
}

// change runs f under the lock and builds the state again.
func (d *Docker) change(f func()) {
	d.mu.Lock()
	f()
	d.mu.Unlock()
	d.refresh()
}

func (d *Docker) imageLocked(key string) (app.LocalImage, bool) {
	for _, i := range d.reply.Images {
		if rowKey(i) == key {
			return i, true
		}
	}
	return app.LocalImage{}, false
}
