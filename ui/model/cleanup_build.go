package model

import (
	"fmt"
	"strings"
	"time"

	"berth/app"
)

// refresh builds the state again and says so.
func (m *Cleanup) refresh() {
	m.mu.Lock()
	m.cached.Store(m.buildLocked())
	m.mu.Unlock()
	m.emit()
}

func (m *Cleanup) buildLocked() *CleanupState {
	st := &CleanupState{Phase: PhaseReady, Stage: m.stage, Trouble: m.trouble}
	switch {
	case !m.known && m.problem != nil:
		st.Phase, st.Problem = PhaseFailed, m.problem
		return st
	case !m.known:
		st.Phase = PhaseLoading
		return st
	}
	u := m.usage.Usage
	st.Collecting = m.usage.Indexing
	st.Parts = spaceParts(u)
	st.CanFree = u.Freeable > 0
	switch {
	case st.CanFree:
		st.Headline, st.Text, st.Free = Size(u.Freeable), "can be freed now, without touching any image you can pull", "Free "+Size(u.Freeable)
	case st.Collecting:
		st.Headline, st.Text, st.Free = "Collecting figures", "what can be freed is known in a moment", "Look closer"
	case u.Used == 0:
		st.Headline, st.Text, st.Free = "Nothing to free", "there is nothing on disk yet", "Look closer"
	case u.Young > 0:
		st.Headline, st.Text, st.Free = "Nothing to free now", Size(u.Young)+" that nothing points to is too new; look closer to see why", "Look closer"
	case u.Uploads > 0 && u.Loose == 0:
		st.Headline, st.Text, st.Free = "Nothing to free now", Size(u.Uploads)+" is of pushes that may still go on; look closer to see more", "Look closer"
	case u.Loose > 0:
		st.Headline, st.Text, st.Free = "Nothing to free now", Size(u.Loose+u.Uploads)+" that no image needs stays for now; look closer to see why", "Look closer"
	default:
		st.Headline, st.Text, st.Free = "Nothing to free", "everything on disk is needed, or can still be restored", "Look closer"
	}
	st.Note = spaceNote(u, st.Collecting)
	if l := m.usage.Last; l != nil {
		st.Last = "Last cleanup " + Ago(l.Ended, m.Now()) + ", freed " + Size(l.Freed)
		st.LastExact = Absolute(l.Ended, m.Now()) + "\nClick for all clean-ups"
	}
	switch m.stage {
	case StagePlanned:
		st.Plan = planView(m.plan, u.Uploads)
		if st.CanFree && empty(m.plan) { // the index knows nothing of what clients were promised
			st.Headline, st.Text = "Nothing to free now", Size(u.Freeable)+" that nothing points to stays for now, see below why"
		}
	case StageRunning:
		st.Run = runView(m.job, "Freeing space", m.stopping)
	case StageDone:
		st.Receipt = receiptView(m.job)
	}
	st.History = m.historyLocked()
	return st
}

func spaceParts(u app.Usage) []SpacePart {
	whole := u.Images + u.Shared + u.Trash + u.Uploads + u.Loose + u.Quarantine
	var out []SpacePart
	add := func(kind SpaceKind, label string, n int64, tip string) {
		if n > 0 {
			out = append(out, SpacePart{Kind: kind, Label: label, Size: Size(n), Part: Part(n, whole), Tip: tip})
		}
	}
	loose := "No image, no tag and nothing in the trash needs it: a clean-up frees it"
	if u.Young > 0 {
		loose += ".\n" + Size(u.Young) + " of it is too new, and stays for now"
	}
	add(SpaceImages, "Images", u.Images, "What exactly one image uses")
	add(SpaceShared, "Shared layers", u.Shared, "What several images use, counted once")
	add(SpaceTrash, "Trash, restorable", u.Trash, "What only deleted or overwritten tags still hold")
	add(SpaceUploads, "Unfinished uploads", u.Uploads, "What pushes have sent that did not end yet")
	add(SpaceLoose, "Nothing points to it", u.Loose, loose)
	add(SpaceQuarantine, "Quarantine", u.Quarantine, "Damaged content that was moved aside: see Verify below")
	return out
}

func spaceNote(u app.Usage, collecting bool) string {
	var notes []string
	if collecting {
		notes = append(notes, "Figures are still being collected and may grow")
	}
	if u.Young > 0 && u.Freeable > 0 {
		notes = append(notes, Size(u.Young)+" of what nothing points to is too new, and stays for now")
	}
	return strings.Join(notes, " · ")
}

// empty says whether a plan has nothing to do.
func empty(p app.CleanupPlan) bool {
	return p.Frees == 0 && p.Blobs == 0 && p.Manifests == 0 && p.Links == 0 && p.Uploads == 0
}

// counted writes what goes: "212 blobs · 31 manifests · 2 unfinished uploads".
func counted(blobs, manifests, links, uploads int) string {
	var parts []string
	add := func(n int, noun string) {
		if n > 0 {
			parts = append(parts, Numbered(n, noun))
		}
	}
	add(blobs, "blob")
	add(manifests, "manifest")
	add(uploads, "unfinished upload")
	if len(parts) == 0 {
		add(links, "link")
	}
	return strings.Join(parts, " · ")
}

// planRepositories is how many repositories a plan names.
const planRepositories = 5

// planView shows a plan; uploads is what unfinished ones take.
func planView(p app.CleanupPlan, uploads int64) *PlanView {
	v := &PlanView{
		Title: Size(p.Frees) + " can go", Facts: counted(p.Blobs, p.Manifests, p.Links, p.Uploads),
		Why: reasonRows(p.Why), Stays: reasonRows(p.Stays), Problems: capitals(p.Problems), Free: "Free " + Size(p.Frees),
	}
	switch {
	case empty(p):
		v.Title, v.Facts, v.Free = "Nothing can go now", "every byte on disk is needed, restorable, or too new", ""
		if p.Grace > 0 {
			v.Facts = "every byte on disk is needed, restorable, or newer than " + For(p.Grace)
		}
	case p.Frees == 0:
		v.Title, v.Free = "Only links can go, which take no room", "Tidy up"
	}
	for i, r := range p.Repositories {
		if i == planRepositories && len(p.Repositories) > planRepositories+1 {
			var rest int64
			for _, o := range p.Repositories[i:] {
				rest += o.Bytes
			}
			v.Repositories = append(v.Repositories, ReasonRow{Text: fmt.Sprintf("%d more repositories", len(p.Repositories)-i), Size: Size(rest)})
			break
		}
		v.Repositories = append(v.Repositories, ReasonRow{Text: r.Name, Count: counted(r.Blobs, 0, 0, 0), Size: Size(r.Bytes)})
	}
	if uploads > 0 && p.Uploads == 0 {
		v.Stays = append(v.Stays, ReasonRow{Text: "Pushes that may still go on", Size: Size(uploads)})
	}
	if p.InUse > 0 {
		v.Stays = append([]ReasonRow{{Text: "Needed by images", Size: Size(p.InUse)}}, v.Stays...)
	}
	return v
}

func capitals(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, capital(s))
	}
	return out
}

func receiptView(j app.Job) *ReceiptView {
	r := j.Receipt
	if r == nil {
		return &ReceiptView{Title: "Done", Tone: ToneOK}
	}
	if r.Interrupted {
		return &ReceiptView{Title: interruptedText, Facts: interruptedMore, Problems: capitals(r.Problems), Tone: ToneWarning}
	}
	v := &ReceiptView{
		Title: freedText(*r), Facts: counted(r.Blobs, r.Manifests, r.Links, r.Uploads), Kept: reasonRows(r.Kept), Problems: capitals(r.Problems), Tone: ToneOK,
	}
	for _, more := range receiptExtras(*r) {
		v.Facts = joinDots(v.Facts, more)
	}
	if took := r.Ended.Sub(r.Began); took >= time.Second && !r.Began.IsZero() {
		v.Facts = joinDots(v.Facts, "took "+Took(took))
	}
	switch {
	case len(r.Problems) > 0:
		v.Tone = ToneWarning
	case r.Cancelled:
		v.Title, v.Tone = "Stopped; "+strings.ToLower(v.Title[:1])+v.Title[1:], ToneInfo
	}
	return v
}

// What stands where nobody knows what was freed.
const (
	interruptedText = "Interrupted by the end of Berth"
	interruptedMore = "only what it freed until then is gone"
)

func receiptExtras(r app.CleanupReceipt) []string {
	var out []string
	if r.Dropped > 0 {
		out = append(out, Numbered(r.Dropped, "tag")+" to the trash by rules")
	}
	if r.Attached > 0 {
		out = append(out, Numbered(r.Attached, "signature tag")+" of freed images to the trash")
	}
	if r.Emptied > 0 {
		out = append(out, Numbered(r.Emptied, "thing")+" left the trash, since the disk was low")
	}
	return out
}

func freedText(r app.CleanupReceipt) string {
	switch {
	case r.Interrupted:
		return "The clean-up was interrupted"
	case r.Freed == 0:
		return "Nothing was freed"
	}
	return "Freed " + Size(r.Freed)
}

func joinDots(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " · " + b
}

// keptText says in a toast what stayed, where that is the news: when nothing was
// freed, or less than what stayed. Why it stayed says the receipt, but for the
// reason that nothing went at all.
func keptText(r app.CleanupReceipt) string {
	var bytes int64
	for _, k := range r.Kept {
		bytes += k.Bytes
	}
	switch {
	case len(r.Kept) == 0 || r.Freed > 0 && bytes <= r.Freed:
		return ""
	case r.Freed > 0:
		return Size(bytes) + " stays for now"
	}
	first := r.Kept[0]
	if why, _, _ := strings.Cut(first.Text, ": "); first.Bytes > 0 && len(why) <= 60 {
		return Size(first.Bytes) + " stays, since " + why
	}
	return "the page Clean up says why"
}

func (m *Cleanup) historyLocked() *HistoryView {
	h := m.history
	if h == nil {
		return nil
	}
	v := &HistoryView{Phase: PhaseReady, Next: NextRun(h.reply.Schedule, h.reply.Next, m.Now())}
	switch {
	case !h.known && h.problem != nil:
		v.Phase, v.Problem = PhaseFailed, h.problem
		return v
	case !h.known:
		v.Phase = PhaseLoading
		return v
	case len(h.reply.Receipts) == 0:
		v.Phase = PhaseEmpty
	}
	now := m.Now()
	for _, r := range h.reply.Receipts {
		row := PastCleanup{
			When: capital(Ago(r.Ended, now)), WhenExact: Absolute(r.Ended, now), By: m.user(r.By), Freed: Size(r.Freed),
			Facts: counted(r.Blobs, r.Manifests, r.Links, r.Uploads),
		}
		if r.Interrupted {
			row.Freed, row.Facts = "?", interruptedText+"; "+interruptedMore
		}
		for _, more := range receiptExtras(r) {
			row.Facts = joinDots(row.Facts, more)
		}
		if r.Cancelled {
			row.Facts = joinDots(row.Facts, "stopped early")
		}
		if n := len(r.Problems); n > 0 {
			row.Problems, row.ProblemsFull = Count(n, "problem"), strings.Join(r.Problems, "\n")
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}
