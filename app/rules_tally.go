package app

import (
	"context"
	"fmt"
	"hash/maphash"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/retention"
)

// question is a set of rules that is asked about every repository.
type question struct {
	key   string
	rules *retention.Rules
}

func asks(rules *retention.Rules) question { return question{rules.Key(), rules} }

// batch is how many candidates are read before they are judged.
const batch = 1 << 16

// pending is a repository that is to be judged.
type pending struct {
	repo string
	*judged
	rows  []index.Candidate // read, and not yet a group
	ask   []question
	out   []*saying
	fresh bool // the group is new
	err   error
}

// tally makes j.repos answer the questions as things are now. The caller holds
// j.mu.
func (c *Core) tally(ctx context.Context, ask []question, now time.Time) error {
	j := &c.judge
	b := c.basisNow()
	if err := c.refresh(ctx, b); err != nil {
		return err
	}
	var stale []*pending
	for repo, of := range j.repos {
		if len(of.rows) > mostRows+len(ask) {
			clear(of.rows)
		}
		p := &pending{repo: repo, judged: of}
		for _, q := range ask {
			if !of.rows[q.key].holds(now) {
				p.ask = append(p.ask, q)
			}
		}
		if len(p.ask) > 0 {
			stale = append(stale, p)
		}
	}
	slices.SortFunc(stale, func(a, b *pending) int { return strings.Compare(a.repo, b.repo) })
	if err := c.judgeAll(ctx, stale, now); err != nil {
		return err
	}
	j.basis = b
	return nil
}

// refresh forgets the verdicts of the repositories that have changed, and those
// of repositories that are gone. The caller holds j.mu.
func (c *Core) refresh(ctx context.Context, b basis) error {
	j, was := &c.judge, c.judge.basis
	if j.repos != nil && was == b {
		return nil
	}
	names, err := c.ix.RepositoryNames(ctx, "", 0)
	if err != nil {
		return fmt.Errorf("list repositories: %w", err)
	}
	held, err := j.heldByTrash(ctx, c.bin)
	if err != nil {
		return err
	}
	anew := j.repos == nil || was.settings != b.settings || was.untagged != b.untagged || was.since != b.since
	repos := make(map[string]*judged, len(names))
	for _, name := range names {
		pins, err := c.pinSum(ctx, name)
		if err != nil {
			return err
		}
		of := j.repos[name]
		is := judged{version: c.ix.Version(name), pins: pins, trash: heldSum(held[name]), rows: map[string]*saying{}, held: held[name]}
		if of != nil && !anew {
			if is.was = of; of.group == nil {
				is.was = of.was
			}
		}
		if anew || of == nil || of.version != is.version || of.pins != is.pins || of.trash != is.trash {
			of = &is
		}
		repos[name] = of
	}
	j.repos, j.kept, j.sizes = repos, 0, nil
	for _, of := range repos {
		if of.group != nil {
			j.kept += of.group.Len()
		}
	}
	return nil
}

var sumSeed = maphash.MakeSeed()

func (c *Core) pinSum(ctx context.Context, repo string) (sum uint64, err error) {
	pins, err := c.pins.Of(ctx, repo)
	for _, p := range pins {
		sum += maphash.String(sumSeed, p.Tag+"@"+p.Digest.String())
	}
	if err != nil {
		return 0, err
	}
	unread, err := c.pins.Unread(ctx, repo)
	for _, tag := range unread {
		sum += maphash.String(sumSeed, tag)
	}
	return sum, err
}

func heldSum(held map[registry.Digest]time.Time) (sum uint64) {
	for d, until := range held {
		sum += maphash.String(sumSeed, d.String()) + uint64(until.Unix()) //nolint:gosec // any number will do
	}
	return sum
}

// judgeAll reads what is not remembered, and asks; a few at a time, so that a
// large registry takes no more memory than a small one. The caller holds j.mu.
func (c *Core) judgeAll(ctx context.Context, stale []*pending, now time.Time) error {
	var some []*pending
	waiting := 0
	for _, p := range stale {
		if p.group == nil {
			if err := c.readRows(ctx, p); err != nil {
				return err
			}
			if waiting += len(p.rows); p.group != nil {
				waiting += p.group.Len()
			}
		}
		if some = append(some, p); waiting >= batch {
			if err := c.judgeSome(ctx, some, now); err != nil {
				return err
			}
			some, waiting = nil, 0
		}
	}
	return c.judgeSome(ctx, some, now)
}

// readRows reads what there is to judge, or makes the group at once. The caller
// holds j.mu.
func (c *Core) readRows(ctx context.Context, p *pending) error {
	if ok, err := c.patch(ctx, p, c.judge.held[p.repo]); ok || err != nil {
		return err
	}
	for row, err := range c.ix.Candidates(ctx, p.repo) {
		if err != nil {
			return fmt.Errorf("read what rules judge in %s: %w", p.repo, err)
		}
		p.rows = append(p.rows, row)
	}
	return nil
}

// judgeSome asks the questions in parallel. The caller holds j.mu.
func (c *Core) judgeSome(ctx context.Context, some []*pending, now time.Time) error {
	j := &c.judge
	inParallel(len(some), func(i int) {
		p := some[i]
		p.out = make([]*saying, len(p.ask))
		if p.group == nil {
			var candidates []retention.Candidate
			if candidates, p.err = c.candidates(ctx, p.repo, p.rows, j.held[p.repo]); p.err != nil {
				return
			}
			p.group, p.rows, p.fresh = retention.NewGroup(candidates), nil, true
		}
	})
	type one struct {
		p *pending
		n int
	}
	var all []one
	for _, p := range some {
		if p.err != nil {
			return p.err
		}
		if p.fresh {
			j.kept += p.group.Len()
		}
		for n := range p.ask {
			all = append(all, one{p, n})
		}
	}
	inParallel(len(all), func(i int) {
		p, n := all[i].p, all[i].n
		p.out[n] = sayOf(p.repo, p.group, p.ask[n].rules.For(p.repo), now)
	})
	for _, p := range some {
		for n, q := range p.ask {
			j.serial++
			p.out[n].serial = j.serial
			p.judged.rows[q.key] = p.out[n]
		}
		if j.kept > mostCandidates {
			j.kept -= p.group.Len()
			p.group = nil
			for _, t := range p.judged.rows {
				t.judgment = nil
			}
		}
	}
	return ctx.Err()
}

// mostRows bounds the questions that a repository remembers: those of the rules
// in effect, and of some that a person tries.
const mostRows = 16

func sayOf(repo string, g *retention.Group, rules *retention.Rules, now time.Time) *saying {
	judgment := g.Judge(rules, now)
	t := &saying{tags: judgment.Tags, manifests: judgment.Manifests, of: g.Len(), at: judgment.At, until: judgment.Until, judgment: judgment}
	t.emptied = emptied(g, t.tags)
	if n := t.tags + t.manifests; n > 0 {
		t.going = make([]index.In, 0, n)
		for place := range judgment.Dropped() {
			one := g.Candidate(place)
			t.going = append(t.going, index.In{Repository: repo, Digest: one.Digest, Untagged: one.Tag == ""})
		}
	}
	return t
}

// inParallel does n things, as many at once as there are processors.
func inParallel(n int, do func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range workers {
		wg.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
