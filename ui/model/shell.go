package model

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"berth/app"
)

// Shell is the model of what surrounds the pages: navigation, the status at its
// foot, problems, and the snackbar.
type Shell struct {
	Signal
	*env
	feed   *feed
	images *Images
	docker *Docker
	rules  *Rules
	// Set before use: asks for what the page Clean up shows.
	onUpkeep func()

	cached atomic.Pointer[ShellState]

	mu     sync.Mutex // guards what follows
	page   Page
	toasts []Toast
	hidden map[string]bool // codes of problems that were dismissed
	seen   map[string]bool // jobs that were seen to run
	gone   map[string]bool // progress toasts that were dismissed, by job
}

func newShell(e *env, f *feed) *Shell {
	s := &Shell{
		env: e, feed: f, page: PageImages,
		hidden: map[string]bool{}, seen: map[string]bool{}, gone: map[string]bool{},
	}
	s.cached.Store(&ShellState{Page: PageImages, Nav: navItems(PageImages, nil, -1), Status: StatusLine{Text: "Starting", Tone: ToneFaint}})
	return s
}

// State gives what to draw. It returns at once.
func (s *Shell) State() ShellState { return *s.cached.Load() }

// Go shows a page. The engine's images are asked for anew: nobody tells of
// their changes while no engine runs.
func (s *Shell) Go(p Page) {
	s.mu.Lock()
	s.page = p
	s.mu.Unlock()
	s.refresh()
	switch p {
	case PageDocker:
		s.docker.Refresh()
	case PageCleanup:
		s.onUpkeep()
	}
}

// CopyAddress copies where the registry answers.
func (s *Shell) CopyAddress() {
	if a := s.feed.address(); a != "" {
		s.Copy(a, "Copied "+a)
	}
}

// Copy puts text on the clipboard, and says so in the words of said.
func (s *Shell) Copy(text, said string) {
	if err := s.env.Copy(text); err != nil {
		s.Toast(Toast{Tone: ToneDanger, Lead: "The clipboard took nothing: " + err.Error()})
		return
	}
	s.Toast(Toast{Tone: ToneInfo, Lead: said})
}

// DismissProblem hides a problem of the banner until it comes again.
func (s *Shell) DismissProblem(code string) {
	s.mu.Lock()
	s.hidden[code] = true
	s.mu.Unlock()
	s.refresh()
}

// shows says whether a page is the one that is shown.
func (s *Shell) shows(p Page) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.page == p
}

// Undo takes back what the snackbar offers to undo, the newest first, and without
// that the last delete of images, as Ctrl+Z does.
func (s *Shell) Undo() {
	for _, t := range slices.Backward(s.State().Toasts) {
		if t.Action == "Undo" {
			s.Act(t.ID)
			return
		}
	}
	s.images.Undo()
}

// refresh builds the state again from the last snapshot.
func (s *Shell) refresh() {
	s.mu.Lock()
	// Read under the lock, so that the last to store has seen the newest.
	snap, lost := s.feed.current()
	local := -1
	if s.docker != nil {
		local = int(s.docker.known.Load())
	}
	st := &ShellState{
		Page:   s.page,
		Nav:    navItems(s.page, snap, local),
		Status: statusLine(snap, lost),
		Toasts: append([]Toast(nil), s.toasts...),
	}
	if snap != nil {
		st.Address, st.Space = snap.Status.Address, space(snap.Usage)
	}
	st.Problems = s.shownLocked(problems(snap, lost))
	s.cached.Store(st)
	s.mu.Unlock()
	s.emit()
}

// shownLocked drops dismissed problems, and forgets the dismissal of those that
// went away.
func (s *Shell) shownLocked(list []app.Problem) []app.Problem {
	now := map[string]bool{}
	var out []app.Problem
	for _, p := range list {
		now[p.Code] = true
		if !s.hidden[p.Code] {
			out = append(out, p)
		}
	}
	for code := range s.hidden {
		if !now[code] {
			delete(s.hidden, code)
		}
	}
	return out
}

func problems(snap *app.Snapshot, lost *app.Problem) []app.Problem {
	var out []app.Problem
	if lost != nil {
		out = append(out, *lost)
	}
	if snap == nil {
		return out
	}
	if n := snap.Status.PortNotice; n != nil {
		out = append(out, *n)
	}
	for _, p := range snap.Problems {
		if n := snap.Status.PortNotice; n == nil || n.Code != p.Code {
			out = append(out, p)
		}
	}
	return out
}

func navItems(page Page, snap *app.Snapshot, local int) []NavItem {
	images, docker := "", ""
	if snap != nil {
		images = strconv.Itoa(snap.Usage.Tags)
	}
	if local >= 0 {
		docker = strconv.Itoa(local)
	}
	return []NavItem{
		{Page: PageImages, Title: "Images", Key: '1', Count: images, Selected: page == PageImages},
		{Page: PageDocker, Title: "Docker", Key: '2', Count: docker, Selected: page == PageDocker},
		{Page: PageCleanup, Title: "Clean up", Key: '4', Calls: snap != nil && snap.Usage.Freeable > 0, Selected: page == PageCleanup},
	}
}

func statusLine(snap *app.Snapshot, lost *app.Problem) StatusLine {
	switch {
	case lost != nil:
		return StatusLine{Text: "Not reachable", Detail: lost.Error(), Tone: ToneDanger}
	case snap == nil:
		return StatusLine{Text: "Starting", Tone: ToneFaint}
	}
	st := snap.Status
	detail := "Listening on " + strings.Join(st.Listening, ", ") + "\nData in " + st.Data
	switch st.State {
	case app.StateBusy:
		return StatusLine{Text: busyText(snap), Detail: detail, Tone: ToneOK}
	case app.StateWarning:
		return StatusLine{Text: "Running", Detail: detail, Tone: ToneWarning}
	case app.StateStopped:
		return StatusLine{Text: "Stopped", Detail: "Nothing listens. Data in " + st.Data, Tone: ToneDanger}
	}
	return StatusLine{Text: "Running", Detail: detail, Tone: ToneOK}
}

func busyText(snap *app.Snapshot) string {
	if n := snap.Status.Uploads; n > 0 {
		return "Receiving " + Count(n, "layer")
	}
	if n := len(snap.Jobs); n > 0 {
		return "Running · " + Count(n, "job")
	}
	return "Running"
}

func space(u app.Usage) Space {
	sp := Space{Known: true, UsedText: Size(u.Used) + " used", RestTone: ToneFaint}
	live := max(0, u.Used-u.Freeable)
	whole := u.Used
	if u.Total > 0 {
		whole += u.Free
		sp.RestText = Size(u.Free) + " free"
	}
	if whole > 0 {
		sp.Used, sp.Freeable = Part(live, whole), Part(u.Freeable, whole)
		sp.Tooltip = fmt.Sprintf("%s stays, of it %s in the trash; %s can be freed", Size(live), Size(u.Trash), Size(u.Freeable))
	}
	if u.Total > 0 && whole > 0 {
		sp.Tooltip += "; " + Size(u.Free) + " free on the disk"
	}
	if u.Freeable > 0 {
		sp.RestText, sp.RestTone = Size(u.Freeable)+" to free", ToneWarning
	}
	return sp
}
