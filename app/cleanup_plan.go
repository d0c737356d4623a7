package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"berth/app/config"
	"berth/registry"
	"berth/registry/gc"
	"berth/registry/store"
)

const (
	// maxItems is how many things a plan names; maxSaid how many problems.
	maxItems = 1000
	maxSaid  = 100
)

// Why uploads go, and what stays and why, for people.
const (
	whyAbandoned   = "an upload that nobody finished"
	whyYoung       = "it is younger than the grace"
	whyPromised    = string(registry.Promised)
	whyUntagged    = "it has no tag, and what has none is kept"
	whyYoungToo    = "it has no tag, and was pushed or pulled more lately than the rules say"
	whyTrash       = "it is in the trash, from where it can be restored"
	whyPinned      = "it is pinned, though no tag names it"
	whyQuarantine  = "it was damaged, and is kept aside"
	whyDoubtful    = "something could not be read, so it may be needed"
	whyNotCleaned  = "the clean-up ended before it came to this"
	whyWrittenNow  = "somebody went on with the upload"
	kindOfBlob     = "blob"
	kindOfManifest = "manifest"
	kindOfUpload   = "upload"
)

// heldPlan is a plan that waits to be carried out, with what it showed.
type heldPlan struct {
	shown CleanupPlan
	plan  *gc.Plan
	timer *time.Timer // nil for one that is carried out at once
	// waits: it was made so soon after the start that nothing may go.
	waits time.Time
	// stale are the uploads that go, last written before cutoff.
	stale  []store.Stale
	cutoff time.Time
}

func (p *heldPlan) close() error {
	if p.timer != nil {
		p.timer.Stop()
	}
	return p.plan.Close()
}

// planCleanup makes a plan. The caller closes it, or carries it out.
func (c *Core) planCleanup(ctx context.Context, r PlanCleanupRequest, report func(gc.Progress)) (*heldPlan, error) {
	o, err := c.gcOptions(r)
	if err != nil {
		return nil, err
	}
	o.Report = report
	p := &heldPlan{waits: c.waitsUntil()}
	if err := c.staleUploads(ctx, p); err != nil {
		return nil, err
	}
	if p.plan, err = gc.NewPlan(ctx, c.disk, c.roots, o); err != nil {
		return nil, err
	}
	p.shown = CleanupPlan{ID: rand.Text(), Began: p.plan.Began, Grace: max(o.Grace, 0)}
	p.describe()
	c.describeKept(ctx, p, o)
	return p, nil
}

// staleUploads finds uploads that nobody finished, unless the configuration
// wants to keep them.
func (c *Core) staleUploads(ctx context.Context, p *heldPlan) error {
	how := c.conf().Storage.Maintenance.UploadPurging
	if !how.Enabled || how.DryRun {
		return nil
	}
	p.cutoff = time.Now().Add(-how.Age)
	for u, err := range c.cleaner.uploads.StaleUploads(ctx, p.cutoff) {
		if err != nil {
			return err
		}
		p.stale = append(p.stale, u)
	}
	return nil
}

// tally sums up by reason, in the order in which reasons come.
type tally []CleanupReason

func (t *tally) add(text string, count int, bytes int64) {
	if count == 0 && bytes == 0 {
		return
	}
	for i := range *t {
		if r := &(*t)[i]; r.Text == text {
			r.Count, r.Bytes = r.Count+count, r.Bytes+bytes
			return
		}
	}
	*t = append(*t, CleanupReason{Text: text, Count: count, Bytes: bytes})
}

func (t tally) sorted() []CleanupReason {
	rows, _ := largestFirst(t, func(a, b CleanupReason) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Count, a.Count), strings.Compare(a.Text, b.Text))
	}, len(t))
	return rows
}

// describe turns the plan into what is shown.
func (p *heldPlan) describe() {
	s, l := &p.shown, &lister{blobs: &p.plan.Blobs, place: p.plan.Blobs.Places(), met: make([]bool, p.plan.Blobs.Len())}
	for i := range p.plan.Repositories {
		l.repository(&p.plan.Repositories[i])
	}
	for i, met := range l.met {
		if size := l.blobs.Size(i); !met {
			l.why.add(gc.NotLinked, 1, size)
			l.item(CleanupItem{Kind: kindOfBlob, Digest: l.blobs.At(i).String(), Size: size, Why: gc.NotLinked})
		}
	}
	for _, u := range p.stale {
		s.Frees += u.Size
		l.why.add(whyAbandoned, 1, u.Size)
		l.item(CleanupItem{Kind: kindOfUpload, Repository: u.Repository, Digest: u.ID, Size: u.Size, Why: whyAbandoned})
	}
	s.Frees += p.plan.Garbage.Bytes
	s.Blobs, s.Manifests, s.Links, s.Uploads = p.plan.Garbage.Blobs, p.plan.Manifests, p.plan.Links, len(p.stale)
	s.InUse, s.Why = p.plan.InUse.Bytes, l.why.sorted()
	s.Repositories, _ = largestFirst(l.rows, func(a, b CleanupRepository) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Name, b.Name))
	}, len(l.rows))
	l.shrink()
	s.Items, s.Cut = append([]CleanupItem{}, l.items...), l.cut
	if s.Repositories == nil {
		s.Repositories = []CleanupRepository{}
	}
	if s.Why == nil {
		s.Why = []CleanupReason{}
	}
	for i, problem := range p.plan.Problems {
		if i == maxSaid {
			s.Problems = append(s.Problems, fmt.Sprintf("and %d more", len(p.plan.Problems)-maxSaid))
			break
		}
		s.Problems = append(s.Problems, problem.String())
	}
}

// lister names what goes, each blob where it is met first.
type lister struct {
	blobs *gc.Blobs
	place func(registry.Digest) (int, bool)
	met   []bool // by place
	why   tally
	rows  []CleanupRepository
	items []CleanupItem
	cut   int
}

// take gives the size of a blob that is freed and was not met before.
func (l *lister) take(d registry.Digest) (size int64, first bool) {
	i, freed := l.place(d)
	if !freed || l.met[i] {
		return 0, false
	}
	l.met[i] = true
	return l.blobs.Size(i), true
}

func (l *lister) repository(r *gc.Repository) {
	row := CleanupRepository{Name: r.Name, Manifests: r.Manifests.Len(), Blobs: r.Blobs.Len()}
	each := func(list *gc.Digests, kind, why string) {
		for _, d := range list.All() {
			size, first := l.take(d)
			row.Bytes += size
			if first || kind == kindOfManifest {
				l.why.add(why, 1, size)
				l.item(CleanupItem{Kind: kind, Repository: r.Name, Digest: d.String(), Size: size, Why: why})
			}
		}
	}
	each(&r.Manifests, kindOfManifest, gc.NotNeeded)
	each(&r.Blobs, kindOfBlob, gc.NotUsed)
	if row.Manifests+row.Blobs > 0 {
		l.rows = append(l.rows, row)
	}
}

// item keeps the largest, without keeping all.
func (l *lister) item(i CleanupItem) {
	if l.items = append(l.items, i); len(l.items) >= 4*maxItems {
		l.shrink()
	}
}

func (l *lister) shrink() {
	var cut int
	l.items, cut = largestFirst(l.items, func(a, b CleanupItem) int { return cmp.Compare(b.Size, a.Size) }, maxItems)
	l.cut += cut
}

// describeKept says what stays that is no image's. So soon after the start that
// is also what would go.
func (c *Core) describeKept(ctx context.Context, p *heldPlan, o gc.Options) {
	s, stays := &p.shown, tally{}
	if !p.waits.IsZero() && p.plan.Garbage.Blobs+p.plan.Manifests+p.plan.Links > 0 {
		stays.add(c.untilText(p.waits), p.plan.Garbage.Blobs, p.plan.Garbage.Bytes)
		why := tally{}
		for _, u := range p.stale {
			why.add(whyAbandoned, 1, u.Size)
		}
		s.Frees -= p.plan.Garbage.Bytes
		s.Blobs, s.Manifests, s.Links, s.Repositories = 0, 0, 0, []CleanupRepository{}
		s.Why, s.Items, s.Cut = append([]CleanupReason{}, why...), p.uploadItems(), 0
	}
	stays = append(stays, p.notYet()...)
	if u, err := c.usage(ctx); err == nil {
		if entries, err := c.bin.Len(ctx); err == nil && u.Trash <= s.InUse {
			stays.add(whyTrash, entries, u.Trash-u.Pinned)
			stays.add(whyPinned, c.untaggedPins(ctx), u.Pinned)
			s.InUse -= u.Trash
		}
		// What manifests without a tag hold that are not garbage.
		held := u.Loose - p.plan.Garbage.Bytes - p.plan.Young.Bytes - p.plan.Untagged.Bytes - p.plan.Promised.Bytes - p.plan.Doubtful.Bytes
		if !o.Untagged && held > 0 && held <= s.InUse {
			stays.add(whyUntagged, 0, held)
			s.InUse -= held
		}
		stays.add(whyQuarantine, 0, u.Quarantine)
		going := int64(0)
		for _, u := range p.stale {
			going += u.Size
		}
		stays.add(whyUnfinished(c.conf().Storage.Maintenance.UploadPurging), 0, max(u.Uploads-going, 0))
	}
	s.Stays = stays.sorted()
}

// whyUnfinished says why uploads stay that nobody finished.
func whyUnfinished(how config.UploadPurging) string {
	switch {
	case !how.Enabled:
		return "it is of uploads that are not finished, which storage.maintenance.uploadpurging.enabled=false keeps"
	case how.DryRun:
		return "it is of uploads that are not finished, which storage.maintenance.uploadpurging.dryrun=true keeps"
	}
	return "it is of uploads that are not finished: somebody is at them, or was less than " + config.Brief(how.Age) + " ago"
}

// notYet says why what nothing points to stays.
func (p *heldPlan) notYet() (t tally) {
	// So soon after the start nothing goes before it is known what was promised.
	from := func(ripe time.Time) time.Time {
		if p.waits.After(ripe) {
			return p.waits
		}
		return ripe
	}
	t.add(youngText(whyYoung, from(p.plan.Ripe)), p.plan.Young.Blobs, p.plan.Young.Bytes)
	t.add(youngText(whyYoungToo, from(p.plan.UntaggedRipe)), p.plan.Untagged.Blobs, p.plan.Untagged.Bytes)
	t.add(whyPromised, p.plan.Promised.Blobs, p.plan.Promised.Bytes)
	t.add(whyDoubtful, p.plan.Doubtful.Blobs, p.plan.Doubtful.Bytes)
	return t
}

// youngText says from when on all that is too young for a reason can go.
func youngText(why string, ripe time.Time) string {
	now := time.Now()
	if !ripe.After(now) {
		return why
	}
	// What is shown to the minute must be over then.
	return why + ": all of it can go from " + moment(ripe.Add(time.Minute-1), now) + " on"
}

func (p *heldPlan) uploadItems() []CleanupItem {
	l := lister{items: []CleanupItem{}}
	for _, u := range p.stale {
		l.item(CleanupItem{Kind: kindOfUpload, Repository: u.Repository, Digest: u.ID, Size: u.Size, Why: whyAbandoned})
	}
	l.shrink()
	return l.items
}

// untilText says why nothing goes so soon after the start, and when it will.
func (c *Core) untilText(until time.Time) string {
	return fmt.Sprintf("Berth started at %s and cannot know what it promised to clients before: it can go from %s on, or at once after berth config set berth.cleanup.grace 0s",
		moment(c.started, until), moment(until, c.started))
}

// moment is a time of day, with its date when the other one is of another day.
func moment(t, other time.Time) string {
	t, other = t.Local(), other.Local()
	if t.YearDay() != other.YearDay() || t.Year() != other.Year() {
		return t.Format("2006-01-02 15:04")
	}
	return t.Format("15:04")
}

// keptReasons sums up what a clean-up kept that its plan had. A link whose blob
// stays with it is not counted beside the blob.
func (p *heldPlan) keptReasons(c *Core, r gc.Receipt) tally {
	texts := map[registry.Why]string{registry.Restart: c.untilText(p.waitsOr(c))}
	var t tally
	for why, n := range r.Spared {
		stayed := r.Stayed[why]
		if stayed.Blobs == 0 && why != gc.Needed {
			stayed.Blobs = n
		}
		t.add(cmp.Or(texts[why], string(why)), stayed.Blobs, stayed.Bytes)
	}
	return t
}

func (p *heldPlan) waitsOr(c *Core) time.Time {
	if p.waits.IsZero() {
		return c.waitsUntil()
	}
	return p.waits
}

// ended says in words that a clean-up did not come to its end, or "".
func ended(err error) string {
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return ""
	case errors.Is(err, gc.ErrRestless):
		return "more was pushed, again and again, than could be remembered meanwhile; what was done is right, and the next clean-up does the rest"
	}
	p := AsProblem(err)
	return strings.TrimSuffix(p.Title+": "+p.Text, ": ")
}
