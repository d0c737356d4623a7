package retention

import (
	"strings"
	"time"

	"berth/registry"
)

// attachment reads the tags that stand for something else: sha256-<hex>, the
// fallback for referrers (distribution-spec, "Referrers Tag Schema"), and
// cosign's sha256-<hex>.sig, .att and .sbom. The digest of a sha512 is cut.
func attachment(tag string) (algorithm, rest string, ok bool) {
	algorithm, rest, ok = strings.Cut(tag, "-")
	if !ok || algorithm != "sha256" && algorithm != "sha512" || len(rest) < 64 || !isHex(rest[:64]) {
		return "", "", false
	}
	return algorithm, rest, len(rest) == 64 || rest[64] == '.' || rest[64] == '-'
}

// Attached gives the digest that a fallback tag, or a tag of cosign, stands
// beside; false for any other tag, and for a digest that the tag cuts.
func Attached(tag string) (registry.Digest, bool) {
	algorithm, rest, ok := attachment(tag)
	if !ok || algorithm != "sha256" {
		return "", false
	}
	return registry.Digest("sha256:" + rest[:64]), true
}

// resting are the places that are being judged.
type resting map[int32]bool

// judge settles what is not judged as a tag, and reports whether it stays. What
// asks in a circle stays.
func (j *Judgment) judge(place int32, asked *resting) bool {
	f := &j.fates[place]
	if f.kind != undecided || (*asked)[place] {
		return !f.kind.drops()
	}
	(*asked)[place] = true
	g := j.group
	c := &g.candidates[place]
	if c.Tag == "" && g.tag[g.number[place]] >= 0 {
		*f = fate{kind: named, rule: -1, with: 0}
		return true
	}
	owners := g.rest[g.nth[place]].owners
	if len(owners) == 0 {
		return j.judgeLoose(place)
	}
	loosely := int32(-1)
	for _, id := range owners {
		firm, loose := j.stay(id, asked)
		if firm {
			*f = fate{kind: stays, rule: -1, with: id}
			return true
		}
		if loose && loosely < 0 {
			loosely = id
		}
	}
	// A tag that is attached must not be left behind where its subject goes.
	if loosely >= 0 && c.Tag == "" {
		*f = fate{kind: stays, rule: -1, with: loosely, loose: true}
		return true
	}
	*f = fate{kind: goes, rule: -1, with: owners[0]}
	if places := g.with[owners[0]]; len(places) > 0 {
		f.rule = j.fates[places[0]].rule
	}
	return false
}

// stay reports whether the manifest of a number stays, and whether only until
// the clean-up frees it without being told by a rule.
func (j *Judgment) stay(id int32, asked *resting) (firm, loose bool) {
	if j.group.stays[id] {
		return true, false
	}
	for _, place := range j.group.with[id] {
		if !j.judge(place, asked) {
			continue
		}
		if !j.loose(place) {
			return true, false
		}
		loose = true
	}
	return false, loose
}

// loose reports whether the clean-up frees what stays at a place without being
// told by a rule.
func (j *Judgment) loose(place int32) bool {
	from := j.group.candidates[place].Loose
	switch {
	case j.fates[place].loose:
		return true
	case from.IsZero() || j.fates[place].kind != undecided || len(j.group.rest[j.group.nth[place]].owners) > 0:
		return false
	case j.At.Before(from):
		j.holds(from)
		return false
	}
	return true
}

// judgeLoose asks the rules about a manifest that no tag names and that belongs
// to nothing, or about a fallback tag whose subject is gone.
func (j *Judgment) judgeLoose(place int32) bool {
	c, f := &j.group.candidates[place], &j.fates[place]
	f.rule = -1
	drops := int16(-1)
	for i := range j.rules {
		r := &j.rules[i]
		if r.Untagged <= 0 {
			continue
		}
		until := usedUntil(c, time.Duration(r.Untagged))
		if c.Pushed.IsZero() || j.At.Before(until) {
			*f = fate{kind: keptLoose, rule: int16(i), with: 0} //nolint:gosec // as many as a person writes
			if !c.Pushed.IsZero() {
				j.holds(until)
			}
			return true
		}
		if drops < 0 {
			drops = int16(i) //nolint:gosec // as many as a person writes
		}
	}
	if drops >= 0 {
		*f = fate{kind: droppedLoose, rule: drops, with: 0}
	}
	return drops < 0
}

// loose says what a candidate is that belongs to nothing.
func loose(c *Candidate) string {
	if c.Tag != "" {
		return "what it refers to is gone"
	}
	return "no tag names it"
}

// untagged says what a rule says of a manifest without a tag.
func (r *rule) untagged(c *Candidate, at *Clock) string {
	if c.Pushed.IsZero() {
		return "but when it was pushed is not known"
	}
	if because := used(c, at, time.Duration(r.Untagged)); because != "" {
		return "but " + because
	}
	return at.pushed(c) + ago(r.Untagged)
}
