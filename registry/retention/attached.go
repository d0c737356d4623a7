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
		*f = fate{named, -1, 0}
		return true
	}
	owners := g.rest[g.nth[place]].owners
	if len(owners) == 0 {
		return j.judgeLoose(place)
	}
	for _, id := range owners {
		if j.stay(id, c, asked) {
			*f = fate{stays, -1, id}
			return true
		}
	}
	*f = fate{goes, -1, owners[0]}
	if places := g.with[owners[0]]; len(places) > 0 {
		f.rule = j.fates[places[0]].rule
	}
	return false
}

// stay reports whether the manifest of a number stays, as far as c is concerned.
func (j *Judgment) stay(id int32, c *Candidate, asked *resting) bool {
	if j.group.stays[id] {
		return true
	}
	for _, place := range j.group.with[id] {
		if !j.judge(place, asked) {
			continue
		}
		// A tag that is attached must not be left behind where its subject goes.
		loose := j.group.candidates[place].Loose
		if c.Tag == "" || loose.IsZero() || j.fates[place].kind != undecided {
			return true
		}
		if j.At.Before(loose) {
			j.holds(loose)
			return true
		}
	}
	return false
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
			*f = fate{keptLoose, int16(i), 0} //nolint:gosec // as many as a person writes
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
		*f = fate{droppedLoose, drops, 0}
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
func (r *rule) untagged(c *Candidate, at *clock) string {
	if c.Pushed.IsZero() {
		return "but when it was pushed is not known"
	}
	if because := used(c, at, time.Duration(r.Untagged)); because != "" {
		return "but " + because
	}
	return at.pushed(c) + " (longer than " + r.Untagged.String() + ")"
}
