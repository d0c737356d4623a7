package gc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"berth/registry"
)

// ErrExecuted means that a plan was carried out before.
var ErrExecuted = errors.New("the plan was carried out before")

// ErrRestless means that more was pushed, again and again, than could be
// remembered while the clean-up ran. What it did is right; the rest is for the
// next one.
var ErrRestless = errors.New("too much was pushed meanwhile")

// Receipt says what a clean-up did.
type Receipt struct {
	Began, Ended time.Time
	// Freed blobs; Manifests and Links that were unlinked.
	Freed            Count
	Manifests, Links int
	// Kept lists what the plan had as garbage and the clean-up kept, at most
	// [MaxKept]; Spared counts all of it, by reason, and Stayed what of it are
	// blobs, with the reason why their link stayed when that is why.
	Kept   []Kept
	Spared map[registry.Why]int
	Stayed map[registry.Why]Count
	// Problems are what failed: it is left as it was.
	Problems []Problem
}

// MaxKept is how many of the things kept a receipt names.
const MaxKept = 1000

// Kept is something that was garbage in the plan, and is not any more.
type Kept struct {
	// Repository of a link; empty for a blob.
	Repository string
	Digest     registry.Digest
	Why        registry.Why
}

// Why something is kept that the census alone would have let go.
const (
	Needed registry.Why = "something that is kept needs it"
	Unsure registry.Why = "something in the trash or a pin cannot be read, and may need it"
)

const (
	// batch is how much is handed to the census at a time.
	batch = 64
	// freshFor is for how long a plan is believed as it is: longer, and another
	// program may have been at the folder.
	freshFor = 10 * time.Minute
	// maxRounds is how often the marking is repeated.
	maxRounds = 5
)

// execution is one round of carrying out a plan.
type execution struct {
	p       *Plan
	receipt *Receipt
	report  func(Progress)
	done    int
	total   int

	refused []registry.Root     // manifests that were to go, and stay
	needs   map[string]set      // by repository: what must stay linked
	left    map[string]struct{} // repositories that are left alone from here on
	blobs   reasons             // what must not be freed, and why
	unsure  bool                // something that must live cannot be read: all stays
	told    told
}

// Execute frees what is garbage in the plan and still is, once. What it does is
// told to report, which may be nil. When ctx ends, so does it, between two
// batches; the receipt says what it did until then. Errors: ErrExecuted,
// ErrRestless. What cannot be removed is a problem of the receipt, and no error.
func (p *Plan) Execute(ctx context.Context, report func(Progress)) (Receipt, error) {
	if p.executed {
		return Receipt{}, ErrExecuted
	}
	p.executed = true
	if report == nil {
		report = func(Progress) {}
	}
	r := Receipt{Began: time.Now(), Spared: map[registry.Why]int{}, Stayed: map[registry.Why]Count{}}
	now := p
	var err error
	var last *execution // whose census was lost
	for round := 0; ; round++ {
		if now.census.Lost() || time.Since(now.Began) > freshFor {
			next, failed := now.again(ctx)
			_ = now.Close()
			if failed != nil {
				err = failed
				break
			}
			now = next
		}
		if last != nil {
			last.handOver(now)
			last = nil
		}
		x := &execution{p: now, receipt: &r, report: report, needs: map[string]set{}, left: map[string]struct{}{}, blobs: reasons{}}
		err = x.run(ctx)
		if !errors.Is(err, registry.ErrCensusLost) {
			break
		}
		if round == maxRounds {
			err = ErrRestless
			break
		}
		last = x
	}
	r.Ended = time.Now()
	if closed := now.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return r, fmt.Errorf("clean up: %w", err)
	}
	return r, nil
}

// again makes the plan anew, and keeps of it what was in the old one.
func (p *Plan) again(ctx context.Context) (*Plan, error) {
	o := p.o
	o.Marked = nil
	next, err := NewPlan(ctx, p.keeper, p.rooters, o)
	if err != nil {
		return nil, err
	}
	next.first = p.first
	next.narrow(p)
	return next, nil
}
