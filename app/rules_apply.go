package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"berth/app/job"
	"berth/registry"
	"berth/registry/event"
	"berth/registry/retention"
	"berth/registry/trash"
)

const (
	// byRules is who deletes in the trash and in the activity.
	byRules = "rules"
	// atOnce is how many tags go beside each other, so that they share flushes.
	atOnce = 64
	// freshFor is for how long a verdict is acted on before the repository is
	// judged again; or for as long as it took to judge, if that is longer.
	freshFor = 5 * time.Second
	// mostProblems bounds what a receipt says of what could not go.
	mostProblems = 20
)

// ApplyRules starts to drop what the rules say, into the trash; see [Service].
func (c *Core) ApplyRules(ctx context.Context, _ ApplyRulesRequest) (JobReply, error) {
	if problem := c.cannotDrop(); problem != nil {
		return JobReply{}, problem
	}
	ctx = c.as(ctx, "")
	by := registry.CallerFrom(ctx).User
	return c.start(ctx, job.Spec{Kind: string(JobRules), Title: "Apply rules"}, func(ctx context.Context, report func(job.Progress)) (job.Result, error) {
		receipt := &CleanupReceipt{Began: time.Now(), By: by}
		var err error
		receipt.Dropped, receipt.Problems, err = c.applyRules(ctx, func(done, total int) {
			report(job.Progress{Done: int64(done), Total: int64(total)})
		})
		receipt.Ended, receipt.Cancelled = time.Now(), ctx.Err() != nil
		if p, ok := errors.AsType[*Problem](context.Cause(ctx)); ok && err != nil {
			receipt.Problems, err = append(receipt.Problems, ended(p)), p
		}
		return job.Result{Value: receipt}, err
	})
}

// cannotDrop says why nothing may be dropped now; nil: it may.
func (c *Core) cannotDrop() *Problem {
	switch {
	case c.readOnly.Load():
		return c.whyReadOnly()
	case c.blind():
		return stillReading()
	}
	return nil
}

// dropper drops what rules say.
type dropper struct {
	c      *Core
	rules  *retention.Rules
	fresh  time.Duration // is freshFor, but in tests
	pulled sync.Map      // "repository:tag" and "repository@digest" that were pulled meanwhile
	lagged atomic.Bool

	mu       sync.Mutex // guards what follows
	dropped  int
	looked   int
	problems []string
	failed   int
}

// applyRules drops what the rules in effect say, into the trash, repository by
// repository: each is judged again right before, and each tag is looked at once
// more, so that what was pushed, pulled or pinned meanwhile stays. It reports
// how many of the tags, and manifests without a tag, it has looked at.
//
// What could not go is said in problems; the error is for what ended it.
func (c *Core) applyRules(ctx context.Context, report func(done, total int)) (dropped int, problems []string, err error) {
	if err := c.awaitDisk(ctx); err != nil {
		return 0, nil, err
	}
	if problem := c.cannotDrop(); problem != nil {
		return 0, nil, problem
	}
	rules, err := retention.Compile(c.conf().Berth.Cleanup.Rules)
	if err != nil {
		return 0, nil, rulesProblem(err)
	}
	d := &dropper{c: c, rules: rules, fresh: freshFor}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	events := c.bus.Subscribe(watching, 1<<14)
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for e := range events {
			d.saw(e)
		}
	})
	defer watcher.Wait()
	defer stop()

	if err := c.pullsCounted(ctx); err != nil {
		return 0, nil, err
	}
	repos, total, err := d.plan(ctx)
	if err != nil {
		return 0, nil, err
	}
	for _, repo := range repos {
		if err = d.repository(ctx, repo, func() { report(d.seen(), total) }); err != nil {
			break
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed > len(d.problems) {
		d.problems = append(d.problems, fmt.Sprintf("%d more could not be dropped", d.failed-len(d.problems)))
	}
	if err == nil {
		err = ctx.Err()
	}
	return d.dropped, d.problems, err
}

// saw notes what was pulled.
func (d *dropper) saw(e event.Event) {
	switch {
	case e.Kind == event.Lagged:
		d.lagged.Store(true)
	case e.Kind == event.Pull && e.Manifest:
		if e.Tag != "" {
			d.pulled.Store(e.Repository+":"+e.Tag, true)
		}
		d.pulled.Store(e.Repository+"@"+e.Target.Digest.String(), true)
	}
}

// plan gives the repositories of which something goes, and how much altogether.
func (d *dropper) plan(ctx context.Context) (repos []string, total int, err error) {
	j, q := &d.c.judge, asks(d.rules)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.used()
	if err := d.c.tally(ctx, []question{q}, time.Now()); err != nil {
		return nil, 0, err
	}
	for repo, of := range j.repos {
		if n := of.rows[q.key].tags + of.rows[q.key].manifests; n > 0 {
			repos, total = append(repos, repo), total+n
		}
	}
	slices.Sort(repos)
	return repos, total, nil
}

func (d *dropper) seen() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.looked
}

// repository drops what the rules say of one repository.
func (d *dropper) repository(ctx context.Context, repo string, report func()) error {
	done := map[string]bool{} // what was looked at, by tag or digest
	unlike := 0               // how often the disk was not what was judged
	for {
		more, err := d.round(ctx, repo, done, &unlike, report)
		if errors.Is(err, errChanging) {
			d.problem(repo + " is left alone: " + err.Error())
			err = nil
		}
		if err != nil || !more {
			if len(done) > 0 {
				d.c.notify(Notice{Kind: NoticeImages, Repository: repo})
			}
			return err
		}
	}
}

// round judges a repository, and drops for as long as that is fresh.
func (d *dropper) round(ctx context.Context, repo string, done map[string]bool, unlike *int, report func()) (more bool, err error) {
	c, now := d.c, time.Now()
	if problem := c.cannotDrop(); problem != nil {
		return false, problem
	}
	held, err := c.heldNow(ctx)
	if err != nil {
		return false, err
	}
	group, err := c.readGroup(ctx, repo, held[repo])
	if err != nil {
		return false, err
	}
	judgment := group.Judge(d.rules.For(repo), now)
	if judgment.Tags+judgment.Manifests == 0 {
		return false, nil
	}
	if same, err := d.onDisk(ctx, repo, group, unlike); !same {
		return err == nil, err
	}
	judged := time.Now()
	fresh := max(d.fresh, judged.Sub(now))
	going := inTurn(group, judgment, done)
	for some := range slices.Chunk(going, 4*atOnce) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if time.Since(judged) > fresh || !judgment.Holds(time.Now()) || d.lagged.Swap(false) {
			return true, nil
		}
		for _, place := range some {
			done[nameOf(group.Candidate(place))] = true
		}
		pinned, rooted, err := c.pinnedTags(ctx, repo)
		if err != nil {
			return false, err
		}
		above, err := c.lookAbove(ctx, repo, group, some)
		if err != nil {
			return false, err
		}
		d.some(ctx, len(some), func(i int) error {
			v := judgment.Verdict(some[i], retention.NewClock(now))
			if pinned[v.Candidate.Tag] || v.Candidate.Tag == "" && (rooted[v.Candidate.Digest] || above.needed[v.Candidate.Digest]) {
				return nil
			}
			return d.drop(ctx, v, above.tags[v.Candidate.Digest])
		})
		report()
	}
	return false, nil
}

// inTurn gives the places of what goes and was not looked at: tags first, since
// what hangs on a manifest goes before it.
func inTurn(group *retention.Group, judgment *retention.Judgment, done map[string]bool) (going []int) {
	for place := range judgment.Dropped() {
		if candidate := group.Candidate(place); !done[nameOf(candidate)] {
			going = append(going, place)
		}
	}
	slices.SortStableFunc(going, func(a, b int) int {
		return boolInt(group.Candidate(a).Tag == "") - boolInt(group.Candidate(b).Tag == "")
	})
	return going
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func nameOf(c *retention.Candidate) string {
	if c.Tag != "" {
		return ":" + c.Tag
	}
	return c.Digest.String()
}

// heldNow gives what is in the trash now.
func (c *Core) heldNow(ctx context.Context) (map[string]map[registry.Digest]time.Time, error) {
	c.judge.mu.Lock()
	defer c.judge.mu.Unlock()
	return c.judge.heldByTrash(ctx, c.bin)
}

// some does n things beside each other, and notes what fails.
func (d *dropper) some(ctx context.Context, n int, do func(i int) error) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			err := do(i)
			d.mu.Lock()
			d.looked++
			d.mu.Unlock()
			if err != nil && ctx.Err() == nil {
				d.problem(err.Error())
			}
			<-slots
		})
	}
	wg.Wait()
}

func (d *dropper) problem(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed++; len(d.problems) < mostProblems {
		d.problems = append(d.problems, text)
	}
}

// drop moves one tag, or manifest, to the trash, unless it is not any more what
// was judged. Above is how many tags reached a manifest before.
func (d *dropper) drop(ctx context.Context, v retention.Verdict, above int) error {
	o := v.Candidate
	_, byTag := d.pulled.Load(o.Repository + ":" + o.Tag)
	if _, byDigest := d.pulled.Load(o.Repository + "@" + o.Digest.String()); byTag || byDigest {
		return nil
	}
	why := v.Because
	if v.Rule != "" {
		why = "rule " + strings.TrimPrefix(v.Rule, "rule ") + ": " + v.Because
	}
	caller := registry.CallerFrom(ctx)
	caller.User, caller.Reason = byRules, why
	recording, recorder := trash.Record(registry.WithCaller(ctx, caller))
	var err error
	if o.Tag == "" {
		err = d.dropManifest(recording, o)
	} else {
		err = d.dropTag(recording, o)
	}
	switch {
	case errors.Is(err, errStays), errors.Is(err, registry.ErrManifestUnknown), errors.Is(err, registry.ErrNameUnknown):
		return nil
	case err != nil:
		return fmt.Errorf("%s stays: %w", fullName(o), err)
	}
	return d.look(context.WithoutCancel(ctx), o, recorder.Entries(), above)
}

func fullName(o *retention.Candidate) string {
	if o.Tag == "" {
		return o.Repository + "@" + o.Digest.String()
	}
	return o.Repository + ":" + o.Tag
}

// errStays means that something is not any more what was judged.
var errStays = errors.New("it has changed meanwhile")

// errChanging means that what is on the disk is never what was judged.
var errChanging = errors.New("another program deletes from it, so that it is not known which tags a rule keeps")

func (d *dropper) dropTag(ctx context.Context, o *retention.Candidate) error {
	now, err := d.c.reg.ResolveTag(ctx, o.Repository, o.Tag)
	if err == nil && now.Digest != o.Digest {
		err = errStays
	}
	if err != nil {
		return err
	}
	return d.c.reg.DeleteTag(ctx, o.Repository, o.Tag)
}

func (d *dropper) dropManifest(ctx context.Context, o *retention.Candidate) error {
	tags, err := d.c.disk.TagsOf(ctx, o.Repository, o.Digest)
	if err == nil && len(tags) > 0 {
		err = errStays
	}
	if err != nil {
		return err
	}
	return d.c.reg.DeleteManifest(ctx, o.Repository, o.Digest)
}

// look brings back what went although it was pushed, or tagged, in the moment
// between the last look and the delete: the records of the trash say what went,
// and the index, that a tag needs it now which did not before.
func (d *dropper) look(ctx context.Context, o *retention.Candidate, gone []trash.Entry, above int) error {
	now, err := d.c.ix.Sharing(ctx, []registry.Digest{o.Digest})
	wrong := o.Tag == "" && (err != nil || now[o.Digest] > above)
	wrong = wrong || slices.ContainsFunc(gone, func(e trash.Entry) bool {
		return e.Tag != o.Tag || e.Digest != o.Digest || e.Tag != "" && e.Pushed.Sub(o.Pushed) > time.Second
	})
	if !wrong {
		d.mu.Lock()
		d.dropped++
		d.mu.Unlock()
		return nil
	}
	var failed []error
	for _, e := range gone {
		if err := d.c.bringBack(ctx, e, ""); err != nil && !errors.Is(err, trash.ErrUnknown) {
			failed = append(failed, fmt.Errorf("%s was pushed while a rule dropped it, and is in the trash (berth restore %s): %w", e.Name(), e.ID, err))
		}
	}
	return errors.Join(failed...)
}
