package retention

import (
	"time"

	"berth/registry"
)

// evaluation judges the candidates of one repository. A place is a position in
// group; a number stands for a digest.
type evaluation struct {
	candidates []Candidate
	out        []Verdict
	clock      *clock
	group      []int32
	rules      []*rule

	ids     map[registry.Digest]int32 // number of each digest
	number  []int32                   // by place
	stays   []bool                    // by number: whatever the verdict, the manifest is not deleted
	tag     []int32                   // by number: place of a tag that names it, -1: none
	settled []bool                    // by place: pinned or held
	rest    []int32                   // places that are not judged as tags
	with    map[int32][]int32         // by number: places of rest
	fates   map[int32]bool            // by place in rest: being judged, or judged
}

func (e *evaluation) run() {
	n := len(e.group)
	e.ids = make(map[registry.Digest]int32, n)
	e.number, e.settled = make([]int32, n), make([]bool, n)
	for place := range e.group {
		d := e.candidate(place).Digest
		id, ok := e.ids[d]
		if !ok {
			id = int32(len(e.ids)) //nolint:gosec // an index
			e.ids[d] = id
		}
		e.number[place] = id
	}
	e.stays, e.tag = make([]bool, len(e.ids)), make([]int32, len(e.ids))
	for id := range e.tag {
		e.tag[id] = -1
	}
	plain := make([]int32, 0, n)
	for place := range e.group {
		if e.sort(place) {
			plain = append(plain, int32(place)) //nolint:gosec // an index
		}
	}
	e.judgeTags(plain)
	for _, place := range e.rest {
		e.judge(place)
	}
}

func (e *evaluation) candidate(place int) *Candidate { return &e.candidates[e.group[place]] }

func (e *evaluation) verdict(place int) *Verdict { return &e.out[e.group[place]] }

func (e *evaluation) settle(place int, keep bool, because, rule string) {
	*e.verdict(place) = Verdict{Candidate: e.candidate(place), Keep: keep, Because: because, Rule: rule}
}

// sort tells tags, for which it gives true, from what is judged afterwards.
func (e *evaluation) sort(place int) bool {
	c, id := e.candidate(place), e.number[place]
	if c.Pinned || c.Held != "" {
		because := "pinned"
		if !c.Pinned {
			because = c.Held
		}
		e.settle(place, true, because, "")
		e.settled[place], e.stays[id] = true, true
	}
	if c.Tag != "" && !e.belongs(c) {
		// A tag that goes leaves its manifest, which goes as one without a tag.
		e.stays[id] = true
		if was := e.tag[id]; was < 0 || c.Tag < e.candidate(int(was)).Tag {
			e.tag[id] = int32(place) //nolint:gosec // an index
		}
		return true
	}
	if !e.settled[place] {
		if e.with == nil {
			e.with, e.fates = map[int32][]int32{}, map[int32]bool{}
		}
		e.rest = append(e.rest, int32(place))         //nolint:gosec // an index
		e.with[id] = append(e.with[id], int32(place)) //nolint:gosec // an index
	}
	return false
}

// belongs reports whether a tag is not judged by itself: it is a fallback tag,
// or what it names refers to something that is there.
func (e *evaluation) belongs(c *Candidate) bool {
	if _, _, ok := attachment(c.Tag); ok {
		return true
	}
	if c.Subject == "" || c.Subject == c.Digest {
		return false
	}
	_, there := e.ids[c.Subject]
	return there
}

// judgeTags asks the rules about tags.
func (e *evaluation) judgeTags(plain []int32) {
	decided := make([]*rule, len(e.group)) // the rule that keeps a tag, or the first that would drop it
	kept := make([]bool, len(e.group))
	for _, r := range e.rules {
		if !r.speaksOfTags() {
			continue
		}
		var chosen []int32
		for _, place := range plain {
			if r.selects(e.candidate(int(place)).Tag) {
				chosen = append(chosen, place)
			}
		}
		newest := e.best(chosen, r.Keep.Newest, byPush)
		versions := e.best(chosen, r.Keep.Versions, byVersion)
		for _, place := range chosen {
			if e.settled[place] || kept[place] {
				continue
			}
			id := e.number[place]
			because := r.keeps(e.candidate(int(place)), e.clock, newest.has(id), versions.has(id))
			if because != "" {
				kept[place] = true
				e.settle(int(place), true, because, r.name)
			} else if decided[place] == nil {
				decided[place] = r
			}
		}
	}
	for _, place := range plain {
		switch r := decided[place]; {
		case e.settled[place] || kept[place]:
		case r == nil:
			e.settle(int(place), true, "no rule speaks of it", "")
		default:
			e.settle(int(place), false, r.drops(e.candidate(int(place)), e.clock), r.name)
		}
	}
}

// keeps says why a rule keeps a tag that it selects; empty: it does not.
func (r *rule) keeps(c *Candidate, at *clock, newest, version bool) string {
	k := &r.Keep
	if text, ok := r.force.first(c.Tag); ok {
		return "always kept: it matches " + text
	}
	switch {
	case newest:
		return r.because.newest
	case version:
		return r.because.version
	case c.Pushed.IsZero() && (k.Newest > 0 || k.Younger > 0 || k.Pulled > 0):
		return "when it was pushed is not known"
	case k.Younger > 0 && at.now.Sub(c.Pushed) < time.Duration(k.Younger):
		return at.pushed(c)
	case k.Pulled > 0:
		return used(c, at, time.Duration(k.Pulled))
	}
	return ""
}

// used says why a candidate counts as used within an age; empty: it does not.
func used(c *Candidate, at *clock, within time.Duration) string {
	switch {
	case !c.Pulled.IsZero() && at.now.Sub(c.Pulled) < within:
		return at.pulled(c)
	case at.now.Sub(c.Pushed) < within:
		return at.pushed(c) + ", which counts as a pull"
	case !c.PullsSince.IsZero() && at.now.Sub(c.PullsSince) < within:
		return "whether it was pulled is known only since " + at.ago(c.PullsSince)
	}
	return ""
}
