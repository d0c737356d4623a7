package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"berth/registry"
)

// Store is what is verified.
type Store interface {
	registry.Keeper
	registry.Inspector
}

// Options of a run. The zero value is right: everything, from the start, at
// [DefaultRate], and damaged blobs are moved aside.
type Options struct {
	// Rate is how much is read, in bytes a second: 0 means DefaultRate;
	// negative, as fast as it goes.
	Rate int64
	// Limit, when set, is asked before each chunk, and holds instead of Rate.
	Limit func() int64
	// Busy says that somebody else needs the disk more; it is asked before
	// each chunk. May be nil.
	Busy func() bool
	// From is where an earlier run was stopped.
	From Checkpoint
	// LookOnly leaves damaged blobs where they are.
	LookOnly bool
	// Optional says which children of an index need not be there; nil means
	// that all must.
	Optional func(child registry.Descriptor) bool
	// Settle is how long to wait before what looks wrong is looked at again; 0
	// means a quarter of a second.
	Settle time.Duration
}

const (
	settle = 250 * time.Millisecond
	// tell is how often a report comes that brings no finding.
	tell = 200 * time.Millisecond
)

// Run verifies a store, until it is done or ctx ends: then the summary's
// checkpoint says where to go on, and the error is that of ctx. What it finds is
// no error; nor is what it cannot read, which is a finding. report is called
// from the goroutine of Run, and may be nil. A repository that was under way when
// a run was stopped is looked at anew, and so its findings come again.
func Run(ctx context.Context, store Store, o Options, report func(Report)) (Summary, error) {
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.Settle == 0 {
		o.Settle = settle
	}
	if report == nil {
		report = func(Report) {}
	}
	r := &run{store: store, o: o, report: report, pace: newPace(o), since: time.Now(), buffer: make([]byte, chunk)}
	r.at = o.From.clone()
	r.at.Damaged = slices.Clone(o.From.Damaged)
	if !r.at.usable() {
		r.at = Checkpoint{Version: checkpointVersion, Phase: Blobs, Started: time.Now()}
	}
	if r.at.Phase == Links {
		r.at.Found = maps.Clone(r.at.Before)
	}
	if r.at.Found == nil {
		r.at.Found = map[Kind]int64{}
	}
	r.spent = r.at.Spent
	r.damaged = map[registry.Digest]bool{}
	for _, d := range r.at.Damaged {
		r.damaged[d] = true
	}
	err := r.all(ctx)
	r.at.Spent = r.spent + time.Since(r.since)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil {
		r.at.Phase, r.at.Before = Done, nil
	}
	r.tell(nil, 0)
	return Summary{Checkpoint: r.at.clone(), Complete: err == nil && r.at.Found[Unlisted] == 0}, err
}

// run is one run.
type run struct {
	store   Store
	o       Options
	report  func(Report)
	pace    pace
	at      Checkpoint
	damaged map[registry.Digest]bool // that this run, or one before it, has found
	aside   map[registry.Digest]bool // what is in the quarantine; nil as long as nobody asked
	spent   time.Duration            // before this run
	since   time.Time
	told    time.Time
	buffer  []byte
}

func (r *run) all(ctx context.Context) error {
	if r.at.Phase == Blobs {
		if r.at.TotalBlobs == 0 {
			if err := r.count(ctx); err != nil {
				return err
			}
		}
		if err := r.blobs(ctx); err != nil {
			return err
		}
		r.at.Phase, r.at.Before = Links, maps.Clone(r.at.Found)
	}
	return r.links(ctx)
}

// count finds out how much there is to read. What cannot be looked at is told
// when its turn comes.
func (r *run) count(ctx context.Context) error {
	for st, err := range r.store.Blobs(ctx, "") {
		if err == nil {
			r.at.TotalBlobs++
			r.at.TotalBytes += st.Size
		}
		r.tellSometimes(0)
	}
	return ctx.Err()
}

// found reports a finding.
func (r *run) found(f Finding) {
	r.at.Found[f.Kind]++
	r.tell(&f, 0)
}

func (r *run) tell(f *Finding, now int64) {
	r.told = time.Now()
	r.at.Spent = r.spent + r.told.Sub(r.since)
	r.report(Report{Checkpoint: r.at.clone(), Now: now, Found: f})
}

func (r *run) tellSometimes(now int64) {
	if time.Since(r.told) >= tell {
		r.tell(nil, now)
	}
}

// gone reports whether an error means that something is not there.
func gone(err error) bool {
	return errors.Is(err, registry.ErrBlobUnknown) || errors.Is(err, registry.ErrManifestUnknown)
}

// unlisted is a finding about what could not be looked at.
func unlisted(repo string, err error) Finding {
	where := "the store"
	if repo != "" {
		where = repo
	}
	return Finding{Kind: Unlisted, Repository: repo, Text: fmt.Sprintf("a part of %s could not be looked at: %v", where, err)}
}
