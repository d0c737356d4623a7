package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/retention"
)

// mostVerdicts is how many verdicts one reply lists, when nobody says.
const mostVerdicts = 1000

// PreviewRules says what rules would do; see [Service]. It answers from memory
// as long as nothing has changed.
func (c *Core) PreviewRules(ctx context.Context, r PreviewRulesRequest) (PreviewRulesReply, error) {
	policies := c.conf().Berth.Cleanup.Rules
	if r.Rules != nil {
		var err error
		if policies, err = policiesOf(*r.Rules); err != nil {
			return PreviewRulesReply{}, rulesProblem(err)
		}
	}
	rules, err := retention.Compile(policies)
	if err != nil {
		return PreviewRulesReply{}, rulesProblem(err)
	}
	reply := PreviewRulesReply{Rules: make([]RulePreview, rules.Len())}
	if c.blind() {
		reply.Indexing = true
		return reply, nil
	}
	ask := []question{asks(rules)}
	for i := range rules.Len() {
		ask = append(ask, asks(rules.Alone(i)))
	}
	for round := 0; ; round++ {
		wait, err := c.previewOnce(ctx, r, ask, r.Measured && round < measureRounds, &reply)
		if err != nil {
			return reply, AsProblem(err)
		}
		if wait == nil {
			return reply, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return reply, AsProblem(ctx.Err())
		}
	}
}

// measureRounds is how often one preview waits for figures, while the registry
// changes beneath them.
const measureRounds = 3

// previewOnce fills in a reply. Where figures are still to come and patient is
// true, it gives what to wait for.
func (c *Core) previewOnce(ctx context.Context, r PreviewRulesRequest, ask []question, patient bool, reply *PreviewRulesReply) (<-chan struct{}, error) {
	j, now := &c.judge, time.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.used()
	if err := c.tally(ctx, ask, now); err != nil {
		return nil, err
	}
	reply.Measuring = false
	for i, q := range ask {
		row, _, exact, err := c.row(ctx, q, true, patient)
		if err != nil {
			return nil, err
		}
		reply.Measuring = reply.Measuring || !exact
		if i == 0 {
			reply.All = row
		} else {
			reply.Rules[i-1] = row
		}
	}
	if reply.Measuring && patient {
		return j.measured, nil
	}
	if r.Verdicts {
		reply.Verdicts, reply.Cut = nil, 0
		return nil, c.verdicts(ctx, r, ask[0], now, reply)
	}
	return nil, nil
}

// verdicts lists what becomes of each tag. The caller holds judge.mu.
func (c *Core) verdicts(ctx context.Context, r PreviewRulesRequest, q question, now time.Time, reply *PreviewRulesReply) error {
	l := listing{limit: r.Limit, search: strings.ToLower(r.Search), at: retention.NewClock(now), now: now, reply: reply}
	if l.limit <= 0 {
		l.limit = mostVerdicts
	}
	names, err := c.judgedAs(r.Repository)
	if err != nil {
		return err
	}
	// Those that drop come first, of all repositories.
	for _, drops := range []bool{true, false} {
		if r.Dropped && !drops {
			break
		}
		for _, name := range names {
			if err := c.verdictsOf(ctx, name, q, drops, &l); err != nil {
				return err
			}
		}
	}
	return c.measureVerdicts(ctx, reply.Verdicts)
}

// judgedAs gives the repositories that a pattern matches, by name. The caller
// holds judge.mu. Errors: a [*Problem].
func (c *Core) judgedAs(pattern string) (names []string, err error) {
	matches := func(string) bool { return true }
	if pattern != "" {
		if matches, err = retention.Repositories(pattern); err != nil {
			return nil, BadRequest(err)
		}
	}
	for name := range c.judge.repos {
		if matches(name) {
			names = append(names, name)
		}
	}
	if pattern != "" && len(names) == 0 {
		return nil, &Problem{
			Code: "not_found", Severity: severityError, Title: "No repository is called " + pattern, Text: "A pattern is as in a rule: team/* is what lies in team, team/** what lies below it as well.",
			Fix: "These are there:", Command: "berth ls", Exit: exitNotFound,
		}
	}
	slices.Sort(names)
	return names, nil
}

// listing is what is asked of verdicts, and how far it is.
type listing struct {
	limit  int
	search string
	at     *retention.Clock
	now    time.Time
	reply  *PreviewRulesReply
}

// wants reports whether a candidate is one that was searched for.
func (l *listing) wants(name string, c *retention.Candidate) bool {
	return l.search == "" || strings.Contains(strings.ToLower(name+":"+c.Tag+"@"+c.Digest.String()), l.search)
}

// verdictsOf lists those of one repository that drop, or those that keep.
func (c *Core) verdictsOf(ctx context.Context, name string, q question, drops bool, l *listing) (err error) {
	of := c.judge.repos[name]
	row := of.rows[q.key]
	left := row.tags + row.manifests
	if !drops {
		left = row.of - left
	}
	if left == 0 {
		return nil
	}
	if l.search == "" && len(l.reply.Verdicts) >= l.limit {
		l.reply.Cut += left // not one of them is told, and their number is known
		return nil
	}
	group, judgment := of.group, row.judgment
	if group == nil {
		if group, err = c.readGroup(ctx, name, c.judge.held[name]); err != nil {
			return err
		}
		judgment = nil
	}
	if judgment == nil {
		judgment = group.Judge(q.rules.For(name), l.now)
	}
	for place := range group.Len() {
		if judgment.Drops(place) != drops {
			continue
		}
		candidate := group.Candidate(place)
		if !l.wants(name, candidate) {
			continue
		}
		if len(l.reply.Verdicts) >= l.limit {
			l.reply.Cut++
			continue
		}
		v := judgment.Verdict(place, l.at)
		l.reply.Verdicts = append(l.reply.Verdicts, Verdict{
			Repository: name, Tag: candidate.Tag, Digest: candidate.Digest.String(), Pushed: candidate.Pushed, Pulled: candidate.Pulled,
			Keep: v.Keep, Because: v.Because, Rule: v.Rule,
		})
	}
	return nil
}

// measureVerdicts fills in how large things are. The caller holds judge.mu.
func (c *Core) measureVerdicts(ctx context.Context, verdicts []Verdict) error {
	j := &c.judge
	var unknown []index.In
	for _, v := range verdicts {
		if _, ok := j.sizes[measured(v)]; !ok {
			unknown = append(unknown, measured(v))
		}
	}
	if len(unknown) > 0 {
		sizes, err := c.ix.Sizes(ctx, unknown...)
		if err != nil {
			return fmt.Errorf("measure tags: %w", err)
		}
		if j.sizes == nil || len(j.sizes) > mostSizes {
			j.sizes = map[index.In]int64{}
		}
		for d, n := range sizes {
			j.sizes[d] = n
		}
	}
	for i := range verdicts {
		verdicts[i].Size = j.sizes[measured(verdicts[i])]
	}
	return nil
}

// measured is what is measured of a verdict.
func measured(v Verdict) index.In {
	return index.In{Repository: v.Repository, Digest: registry.Digest(v.Digest)}
}

// mostSizes bounds the sizes that are remembered.
const mostSizes = 20_000

// pendingDrops says how many tags and manifests the rules in effect would drop.
// It never waits long: what changed lately may be counted in the background, and
// then a notice tells that there is a new count.
func (c *Core) pendingDrops(context.Context) int {
	policies := c.conf().Berth.Cleanup.Rules
	if !slices.ContainsFunc(policies, func(p retention.Policy) bool { return !p.Off }) || c.blind() {
		return 0
	}
	rules, err := retention.Compile(policies)
	if err != nil {
		return 0
	}
	q, j := asks(rules), &c.judge
	last := j.last.Load()
	if last != nil && last.key == q.key && last.basis == c.basisNow() && (last.until.IsZero() || time.Now().Before(last.until)) {
		return last.drops
	}
	if j.busy.CompareAndSwap(false, true) && !c.inBackground(func() {
		defer j.busy.Store(false)
		if err := c.countDrops(c.life, q); err != nil && c.life.Err() == nil {
			c.log.Warn("what rules would drop was not counted", "error", err)
		}
	}) {
		j.busy.Store(false)
	}
	if last == nil || last.key != q.key {
		return 0
	}
	return last.drops
}

func (c *Core) countDrops(ctx context.Context, q question) error {
	j := &c.judge
	j.mu.Lock()
	defer j.mu.Unlock()
	j.used()
	if err := c.tally(ctx, []question{q}, time.Now()); err != nil {
		return err
	}
	row, until, _, err := c.row(ctx, q, false, false)
	if err != nil {
		return err
	}
	was := j.last.Swap(&lastCount{basis: j.basis, key: q.key, until: until, drops: row.Tags + row.Manifests})
	if was == nil || was.drops != row.Tags+row.Manifests {
		c.notify(Notice{Kind: NoticeUpkeep})
	}
	return nil
}
