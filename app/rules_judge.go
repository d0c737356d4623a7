package app

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/retention"
	"berth/registry/trash"
)

const (
	// mostCandidates is how many candidates are kept between two questions; of
	// more, only what became of them.
	mostCandidates = 300_000
	// judgePatience is for how long anything is kept that nobody asks for.
	judgePatience = 5 * time.Minute
	// looseAfter is for how long a manifest without a tag must not have been used
	// before the signatures that have tags of their own go: long enough to push,
	// sign and tag.
	looseAfter = 24 * time.Hour
)

// judge asks the rules, and remembers what they said until something changes.
type judge struct {
	trash atomic.Uint64 // counts changes of the trash
	since atomic.Int64  // since when pulls are counted, in seconds of Unix

	mu         sync.Mutex // guards what follows, and is held while the index is asked
	basis      basis
	repos      map[string]*judged
	held       map[string]map[registry.Digest]time.Time // in the trash until, by repository
	heldAt     uint64
	kept       int    // candidates in groups
	serial     uint64 // of the last saying
	freed      map[string]freedRow
	unmeasured map[string]measuring
	measured   chan struct{} // closed when all is measured; nil: nothing is
	sizes      map[index.In]int64
	timer      *time.Timer
	last       atomic.Pointer[lastCount]
	busy       atomic.Bool // pending drops are being counted
}

// basis is what all verdicts stand on.
type basis struct {
	version  uint64 // of the index
	trash    uint64
	pins     uint64
	settings *retention.Protection
	untagged bool
	since    int64
}

// judged is what is known of one repository.
type judged struct {
	version uint64
	pins    uint64 // what of the pins and of the trash its verdicts stand on
	trash   uint64
	group   *retention.Group // nil: let go
	rows    map[string]*saying
	held    map[registry.Digest]time.Time // in the trash until
	was     *judged                       // what was known before it changed, until it is judged again
}

// saying is what rules say of a repository.
type saying struct {
	tags, manifests int  // that go
	of              int  // candidates
	emptied         bool // every tag goes
	at, until       time.Time
	going           []index.In // each tag, and each manifest without one
	serial          uint64
	judgment        *retention.Judgment // nil where the group was let go
}

func (t *saying) holds(now time.Time) bool {
	return t != nil && !now.Before(t.at) && (t.until.IsZero() || now.Before(t.until))
}

// lastCount is the last count of what the rules in effect would drop.
type lastCount struct {
	basis basis
	key   string
	until time.Time
	drops int
}

func (c *Core) basisNow() basis {
	return basis{
		version: c.ix.Version(""), trash: c.judge.trash.Load(), pins: c.pins.Version(),
		settings: c.tuning.rules.Load(), untagged: c.conf().Berth.Cleanup.Untagged,
		since: c.judge.since.Load(),
	}
}

// blind reports whether the index may not be believed, so that nothing may be
// dropped by what it says.
func (c *Core) blind() bool { return c.indexing.Load() || c.ix.Lost() }

// heldByTrash gives what lies in the trash, by repository. The caller holds mu.
func (j *judge) heldByTrash(ctx context.Context, bin *trash.Bin) (map[string]map[registry.Digest]time.Time, error) {
	at := j.trash.Load()
	if j.held != nil && j.heldAt == at {
		return j.held, nil
	}
	held := map[string]map[registry.Digest]time.Time{}
	for e, err := range bin.Newest(ctx) {
		if err != nil {
			return nil, err
		}
		if e.Digest == "" {
			continue
		}
		of := held[e.Repository]
		if of == nil {
			of = map[registry.Digest]time.Time{}
			held[e.Repository] = of
		}
		if e.Until.After(of[e.Digest]) {
			of[e.Digest] = e.Until
		}
	}
	j.held, j.heldAt = held, at
	return held, nil
}

// candidates makes of the rows of one repository, which are complete, what rules
// judge.
func (c *Core) candidates(ctx context.Context, repo string, rows []index.Candidate, held map[registry.Digest]time.Time) ([]retention.Candidate, error) {
	out, err := c.candidatesAlone(ctx, repo, rows, held)
	if err == nil {
		err = c.holdStrangers(ctx, out)
	}
	return out, err
}

// candidatesAlone makes of some rows of one repository what rules judge, as far
// as that does not depend on the others.
func (c *Core) candidatesAlone(ctx context.Context, repo string, rows []index.Candidate, held map[registry.Digest]time.Time) ([]retention.Candidate, error) {
	pinned, rooted, err := c.pinnedTags(ctx, repo)
	if err != nil {
		return nil, err
	}
	out, since := make([]retention.Candidate, len(rows)), time.Unix(c.judge.since.Load(), 0)
	untagged := c.conf().Berth.Cleanup.Untagged
	for i, row := range rows {
		o := &out[i]
		*o = retention.Candidate{
			Repository: row.Repository, Tag: row.Tag, Digest: row.Digest, Pushed: row.Pushed, Pulled: row.Pulled,
			PullsSince: since, Subject: row.Subject, Parents: row.Parents,
		}
		if row.Tag == "" {
			o.Pinned = rooted[row.Digest]
			if until, ok := held[row.Digest]; ok {
				o.Held = "in the trash until " + until.Local().Format("2 January")
			}
			if untagged && !row.Pushed.IsZero() {
				o.Loose = latest(row.Pushed, row.Pulled).Add(looseAfter)
			}
			continue
		}
		o.Pinned = pinned[row.Tag]
		if rule, ok := c.held(repo, row.Tag); ok {
			o.Held = "immutable (" + rule + ")"
		}
	}
	return out, nil
}

// heldElsewhere is why signatures stay whose images are in another repository.
const heldElsewhere = "what it refers to is in another repository"

// holdStrangers keeps signatures whose images are in another repository of this
// registry, as cosign does when it is told to, and lets go of those whose images
// are not there any more. The candidates of the repository are complete.
func (c *Core) holdStrangers(ctx context.Context, candidates []retention.Candidate) error {
	var beside []int
	for i := range candidates {
		if _, ok := retention.Attached(candidates[i].Tag); ok {
			beside = append(beside, i)
			if candidates[i].Held == heldElsewhere {
				candidates[i].Held = ""
			}
		}
	}
	if len(beside) == 0 {
		return nil
	}
	there := make(map[registry.Digest]bool, len(candidates))
	for i := range candidates {
		there[candidates[i].Digest] = true
	}
	var elsewhere []registry.Digest
	for _, i := range beside {
		if d, _ := retention.Attached(candidates[i].Tag); !there[d] {
			elsewhere = append(elsewhere, d)
		}
	}
	if len(elsewhere) == 0 {
		return nil
	}
	sharing, err := c.ix.Sharing(ctx, elsewhere)
	if err != nil {
		return fmt.Errorf("look for what signatures refer to: %w", err)
	}
	for _, i := range beside {
		o := &candidates[i]
		if d, _ := retention.Attached(o.Tag); !there[d] && sharing[d] > 0 && o.Held == "" {
			o.Held = heldElsewhere
		}
	}
	return nil
}

// read reads the candidates of one repository anew, which nobody remembers.
func (c *Core) readGroup(ctx context.Context, repo string, held map[registry.Digest]time.Time) (*retention.Group, error) {
	var rows []index.Candidate
	for row, err := range c.ix.Candidates(ctx, repo) {
		if err != nil {
			return nil, fmt.Errorf("read what rules judge in %s: %w", repo, err)
		}
		rows = append(rows, row)
	}
	candidates, err := c.candidates(ctx, repo, rows, held)
	if err != nil {
		return nil, err
	}
	return retention.NewGroup(candidates), nil
}

// forget gives the memory back.
func (j *judge) forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.basis, j.repos, j.held, j.kept, j.freed, j.sizes = basis{}, nil, nil, 0, nil, nil
}

// used puts forget off. The caller holds mu.
func (j *judge) used() {
	if j.timer == nil {
		j.timer = time.AfterFunc(judgePatience, j.forget)
		return
	}
	j.timer.Reset(judgePatience)
}
