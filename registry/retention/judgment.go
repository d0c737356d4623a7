package retention

import (
	"iter"
	"time"
)

// fate is what became of a candidate.
type fate struct {
	kind  fateKind
	loose bool  // it stays only until the clean-up frees it
	rule  int16 // that decided; -1: none
	with  int32 // number of the manifest that decided
}

type fateKind uint8

const (
	undecided    fateKind = iota // no rule speaks of it, and it stays
	pinned                       // or held
	kept                         // by a rule
	dropped                      // by a rule
	named                        // a manifest that a tag names
	stays                        // with what it belongs to
	goes                         // with what it belongs to
	keptLoose                    // no tag names it; a rule keeps it
	droppedLoose                 // no tag names it; a rule drops it
)

func (k fateKind) drops() bool { return k == dropped || k == goes || k == droppedLoose }

// Judgment is what rules say of a group at some moment. It is safe for
// concurrent use.
type Judgment struct {
	// Tags and Manifests count what goes; the latter have no tag.
	Tags, Manifests int
	// At is the moment, and Until the one up to which the verdicts are the same,
	// but for the words of their reasons; zero means for ever.
	At, Until time.Time

	group *Group
	rules []rule
	fates []fate
}

// Judge asks rules, which may be nil, about a group. Only those that are for its
// repository, which [Rules.For] gives, are to be asked.
func (g *Group) Judge(rules *Rules, now time.Time) *Judgment {
	j := &Judgment{At: now, group: g, fates: make([]fate, len(g.candidates))}
	if rules != nil {
		j.rules = rules.rules
	}
	for i := range g.candidates {
		if g.settled(int32(i)) { //nolint:gosec // an index
			j.fates[i] = fate{kind: pinned, rule: -1, with: 0}
		}
	}
	for i := range j.rules {
		if j.rules[i].speaksOfTags() {
			j.judgeTags(int16(i)) //nolint:gosec // as many as a person writes
		}
	}
	for i := range g.rest {
		j.judge(g.rest[i].place, &resting{})
	}
	for i := range j.fates {
		switch {
		case !j.fates[i].kind.drops():
		case g.candidates[i].Tag != "":
			j.Tags++
		default:
			j.Manifests++
		}
	}
	return j
}

// judgeTags asks one rule about the tags.
func (j *Judgment) judgeTags(which int16) {
	g, r := j.group, &j.rules[which]
	s := g.scope(r)
	for _, place := range s.chosen {
		if f := &j.fates[place]; f.kind == undecided {
			*f = fate{kind: dropped, rule: which, with: 0}
		}
	}
	// Of the chosen, those that are not open stay.
	open := s.open
	for _, place := range s.chosen {
		f := &j.fates[place]
		isOpen := len(open) > 0 && open[0] == place
		if isOpen {
			open = open[1:]
		}
		if f.kind != dropped {
			continue
		}
		if !isOpen {
			*f = fate{kind: kept, rule: which, with: 0}
			continue
		}
		c := &g.candidates[place]
		if c.Pushed.IsZero() && (r.Keep.Newest > 0 || r.Keep.Younger > 0 || r.Keep.Pulled > 0) {
			*f = fate{kind: kept, rule: which, with: 0}
			continue
		}
		var until time.Time
		if r.Keep.Younger > 0 {
			until = c.Pushed.Add(time.Duration(r.Keep.Younger))
		}
		if r.Keep.Pulled > 0 {
			until = later(until, usedUntil(c, time.Duration(r.Keep.Pulled)))
		}
		if j.At.Before(until) {
			*f = fate{kind: kept, rule: which, with: 0}
			j.holds(until)
		}
	}
}

// holds notes a moment at which a verdict may change.
func (j *Judgment) holds(until time.Time) {
	if j.Until.IsZero() || until.Before(j.Until) {
		j.Until = until
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// usedUntil is up to when a candidate counts as used within an age.
func usedUntil(c *Candidate, within time.Duration) time.Time {
	until := c.Pushed.Add(within)
	if !c.Pulled.IsZero() {
		until = later(until, c.Pulled.Add(within))
	}
	if !c.PullsSince.IsZero() {
		until = later(until, c.PullsSince.Add(within))
	}
	return until
}

// Holds reports whether the verdicts are the same at another moment.
func (j *Judgment) Holds(now time.Time) bool {
	return !now.Before(j.At) && (j.Until.IsZero() || now.Before(j.Until))
}

// Drops reports whether the candidate at a place goes.
func (j *Judgment) Drops(place int) bool { return j.fates[place].kind.drops() }

// Dropped lists the places of what goes.
func (j *Judgment) Dropped() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range j.fates {
			if j.fates[i].kind.drops() && !yield(i) {
				return
			}
		}
	}
}

// Verdict says what becomes of the candidate at a place, in the words of a
// clock's moment, at which the judgment must hold.
func (j *Judgment) Verdict(place int, at *Clock) Verdict {
	return j.verdict(int32(place), at) //nolint:gosec // an index
}

func (j *Judgment) verdict(place int32, at *Clock) Verdict {
	g, f := j.group, j.fates[place]
	v := Verdict{Candidate: &g.candidates[place], Keep: !f.kind.drops(), Because: "no rule speaks of it"}
	var r *rule
	if f.rule >= 0 && f.kind != undecided {
		r = &j.rules[f.rule]
		v.Rule = r.name
	}
	c := v.Candidate
	switch f.kind {
	case undecided:
		if c.Tag == "" && !c.Loose.IsZero() {
			v.Because += "; a clean-up frees it once nothing needs it"
		}
	case pinned:
		v.Because = c.Held
		if c.Pinned {
			v.Because = "pinned"
		}
	case kept:
		s, id := g.scope(r), g.number[place]
		v.Because = r.keeps(c, at, s.newest.has(id), s.versions.has(id))
	case dropped:
		v.Because = r.drops(c, at)
	case named:
		v.Because = "a tag names it"
	case stays:
		v.Because = g.rest[g.nth[place]].what + " " + g.name(f.with) + ", stays with it"
	case goes:
		v.Because = g.rest[g.nth[place]].what + " " + g.name(f.with) + ", goes with it"
	case keptLoose, droppedLoose:
		v.Because = loose(c) + ", " + r.untagged(c, at)
	}
	return v
}
