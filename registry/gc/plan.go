package gc

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"berth/registry"
)

// DefaultGrace is how old garbage must be.
const DefaultGrace = time.Hour

// Options of a clean-up. The zero value takes what is older than an hour, and
// keeps untagged manifests, as distribution does.
type Options struct {
	// Grace is how old garbage must be. 0 means [DefaultGrace]; negative, none:
	// then only the promises of the store protect what is being pushed.
	Grace time.Duration
	// Untagged also takes manifests that nothing needs: no tag, no index, no
	// subject that lives, not the trash. Otherwise every manifest lives.
	Untagged bool
	// UntaggedAfter is how old an untagged manifest must be, when that is more
	// than Grace.
	UntaggedAfter time.Duration
	// Uses lists when the manifests of a repository were pushed or pulled last;
	// nil: what their links say counts. What was used within Grace, or
	// UntaggedAfter, stays, and with UntaggedAfter also what is not listed. It is
	// asked only where something would be garbage, and again before that goes.
	Uses func(ctx context.Context, repo string) iter.Seq2[Use, error]
	// Sparse says which children of an index need not be in the repository;
	// nil means that a missing child is a doubt.
	Sparse func(child registry.Descriptor) bool
	// Source tells what manifests refer to; nil means that they are read.
	Source Source
	// Report is told how the marking goes on; may be nil.
	Report func(Progress)
	// Marked is told what lives, once a repository is marked. May be nil.
	Marked func(Mark)
}

// Mark is something that lives.
type Mark struct {
	Repository string
	// Digest is empty for the repository itself, which comes before what is in
	// it.
	Digest registry.Digest
	// Manifest tells a manifest that lives for its own sake, which comes in each
	// repository that has it, from what is reached, which comes once.
	Manifest bool
}

// Progress is how far a clean-up is.
type Progress struct {
	Stage Stage
	// Done of Total; Total is 0 when it is not known.
	Done, Total int
	// Freed bytes so far.
	Freed int64
}

// Stage is a part of a clean-up.
type Stage string

// The stages, in their order.
const (
	Marking   Stage = "looking at what is needed"
	Measuring Stage = "looking at what is stored"
	Unlinking Stage = "removing links"
	Freeing   Stage = "freeing space"
)

// What is garbage, and why.
const (
	// NotNeeded is why a manifest is garbage.
	NotNeeded = "no tag, no index and nothing in the trash needs it, and what it refers to is not needed"
	// NotUsed is why the link of a repository to a blob is garbage.
	NotUsed = "no manifest of the repository uses it"
	// NotLinked is why a blob is garbage.
	NotLinked = "no repository uses it"
)

// Count is how much there is of something.
type Count struct {
	Blobs int
	Bytes int64
}

func (c *Count) add(size int64) { c.Blobs, c.Bytes = c.Blobs+1, c.Bytes+size }

// Plan is what a clean-up would do, and what it would not. It does nothing yet.
type Plan struct {
	// Began is when the marking began. What was referred to after lives.
	Began time.Time
	// NotAfter is when garbage must have been written last, by the dates of files.
	NotAfter time.Time
	// Repositories in which something is garbage, by name.
	Repositories []Repository
	// Blobs that are freed, by digest. Each has lost its last link by then.
	Blobs Blobs
	// Total is what is stored: the sum of those that follow.
	Total Count
	// InUse is needed; Garbage is freed; Young would be garbage, and is younger
	// than the grace, or is needed by what is; Untagged, too, than UntaggedAfter;
	// Promised would be, too, but a client was promised that it, or what needs it,
	// stays; Doubtful would be, if all could be read.
	InUse, Garbage, Young, Untagged, Promised, Doubtful Count
	// Ripe is when all that is Young is old enough, UntaggedRipe when all that is
	// Untagged is; zero when nothing is.
	Ripe, UntaggedRipe time.Time
	// Manifests and Links count what is unlinked.
	Manifests, Links int
	// YoungLinks counts links that nothing needs, and that are too young.
	YoungLinks int
	// Problems name what was not understood, and is therefore left alone.
	Problems []Problem

	first    time.Time // when the plan was made that was shown, if this is one made again
	keeper   registry.Keeper
	rooters  []registry.Rooter
	o        Options
	census   registry.Census
	rooted   map[registry.Root]struct{}
	unread   map[registry.UnreadRoot]struct{}
	spared   []registry.Root // manifests that are garbage, and stay all the same
	executed bool
}

// Repository is what is garbage in one repository.
type Repository struct {
	Name string
	// Manifests that nothing needs, see [NotNeeded], and Blobs that no manifest
	// uses, see [NotUsed].
	Manifests, Blobs Digests
	// Empty means that nothing is left of it.
	Empty bool

	tags   []string // all of them, when Options.Marked is set
	groups []int    // where groups of Manifests end
	// subjects of Manifests: 0 for none, else number + 1; nil when none has one
	subjects []uint32
	targets  map[int]registry.Digest // of Blobs that are stored under another digest
}

// Blobs is a list of blobs with their sizes.
type Blobs struct {
	Digests
	sizes []int64
}

// Size of a blob, in bytes.
func (b *Blobs) Size(i int) int64 { return b.sizes[i] }

// Problem is something that was not understood.
type Problem struct {
	// Repository that is left alone; empty when it is about all.
	Repository string
	// Digest that it is about; may be empty.
	Digest registry.Digest
	Text   string
}

// String puts it in one line.
func (p Problem) String() string {
	var parts []string
	for _, part := range []string{p.Repository, string(p.Digest), p.Text} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// maxProblems bounds what is told.
const maxProblems = 10_000

func (p *Plan) problem(repo string, d registry.Digest, text string) {
	if len(p.Problems) < maxProblems {
		p.Problems = append(p.Problems, Problem{Repository: repo, Digest: d, Text: text})
	}
}

// NewPlan finds out what can be freed. It changes nothing. The plan holds on to
// what it needs to be executed: close it when it will not be.
func NewPlan(ctx context.Context, keeper registry.Keeper, roots []registry.Rooter, o Options) (_ *Plan, err error) {
	grace := o.Grace
	if grace == 0 {
		grace = DefaultGrace
	}
	census, err := keeper.Census(ctx)
	if err != nil {
		return nil, fmt.Errorf("plan a clean-up: %w", err)
	}
	p := &Plan{keeper: keeper, rooters: roots, o: o, census: census, Began: time.Now(), unread: map[registry.UnreadRoot]struct{}{}}
	p.first = p.Began
	p.NotAfter = p.Began.Add(-max(grace, 0))
	defer func() {
		if err != nil {
			_ = census.Close()
		}
	}()
	m := &marker{keeper: keeper, o: o, young: p.NotAfter, table: newTable(), plan: p}
	if err := m.all(ctx); err != nil {
		return nil, fmt.Errorf("plan a clean-up: %w", err)
	}
	if err := m.measure(ctx); err != nil {
		return nil, fmt.Errorf("plan a clean-up: %w", err)
	}
	m.tellAhead()
	return p, nil
}

// Close lets go of a plan that is not executed.
func (p *Plan) Close() error { return p.census.Close() }

// all marks every repository. The roots are read before and after: what went
// into the trash meanwhile may have been missed where it came from.
func (m *marker) all(ctx context.Context) error {
	before, unread, err := readRoots(ctx, m.plan.rooters)
	if err != nil {
		return err
	}
	m.doubtRoots(unread)
	if err := m.strays(ctx); err != nil {
		return err
	}
	found := map[string]*Repository{}
	done := 0
	for name, err := range m.keeper.AllRepositories(ctx) {
		if err != nil {
			return err
		}
		if found[name], err = m.repo(ctx, name, before[name]); err != nil {
			return err
		}
		done++
		m.report(Progress{Stage: Marking, Done: done})
	}
	after, unread, err := readRoots(ctx, m.plan.rooters)
	if err != nil {
		return err
	}
	m.doubtRoots(unread)
	m.plan.rooted = map[registry.Root]struct{}{}
	for name, roots := range after {
		_, seen := found[name]
		if !seen || added(before[name], roots) {
			if found[name], err = m.repo(ctx, name, append(roots, before[name]...)); err != nil {
				return err
			}
		}
		for _, root := range roots {
			m.plan.rooted[registry.Root{Repository: name, Digest: root.Digest}] = struct{}{}
		}
	}
	for name, roots := range before {
		if _, seen := found[name]; !seen {
			if found[name], err = m.repo(ctx, name, roots); err != nil {
				return err
			}
		}
	}
	m.collect(found)
	return nil
}

func (m *marker) report(p Progress) {
	if m.o.Report != nil {
		m.o.Report(p)
	}
}

// strays are folders of which nobody knows what they are.
func (m *marker) strays(ctx context.Context) error {
	for name, err := range m.keeper.Strays(ctx) {
		if err != nil {
			return err
		}
		m.blind = true
		m.plan.problem("", "", fmt.Sprintf("what the folder %q among the repositories links is not known, so no blob is freed", name))
	}
	return nil
}

func (m *marker) collect(found map[string]*Repository) {
	p := m.plan
	for _, r := range found {
		if r == nil || p.unsure(r.Name) {
			continue
		}
		p.Repositories = append(p.Repositories, *r)
		p.Manifests += r.Manifests.Len()
		p.Links += r.Blobs.Len()
	}
	slices.SortFunc(p.Repositories, func(a, b Repository) int { return strings.Compare(a.Name, b.Name) })
}

// added reports whether there is a root that was not there before.
func added(before, after []registry.Root) bool {
	had := map[registry.Digest]struct{}{}
	for _, root := range before {
		had[root.Digest] = struct{}{}
	}
	return slices.ContainsFunc(after, func(root registry.Root) bool {
		_, ok := had[root.Digest]
		return !ok
	})
}

// measure goes through what is stored.
func (m *marker) measure(ctx context.Context) error {
	p := m.plan
	p.Blobs.of = m.table
	for b, err := range m.keeper.Stored(ctx) {
		if err != nil {
			return err
		}
		p.Total.add(b.Size)
		if p.Total.Blobs%1024 == 0 {
			m.report(Progress{Stage: Measuring, Done: p.Total.Blobs})
		}
		id, known := m.table.find(b.Digest)
		why := lifeless
		if known {
			why = m.table.life(id)
		}
		if why < young && b.Modified.After(p.NotAfter) {
			why = young
		}
		m.ripensToo(why, b.Modified)
		switch {
		case why == needed:
			p.InUse.add(b.Size)
		case why == doubtful:
			p.Doubtful.add(b.Size)
		case why == untagged:
			p.Untagged.add(b.Size)
		case why == young:
			p.Young.add(b.Size)
		case why == promised || p.census.Promised(b.Digest):
			p.Promised.add(b.Size)
		case m.blind:
			p.Doubtful.add(b.Size)
		default:
			p.Garbage.add(b.Size)
			p.Blobs.ids = append(p.Blobs.ids, m.table.id(b.Digest))
			p.Blobs.sizes = append(p.Blobs.sizes, b.Size)
		}
	}
	return nil
}
