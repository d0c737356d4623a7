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

// judge settles what is not judged as a tag, and reports whether it stays. What
// asks in a circle stays.
func (e *evaluation) judge(place int32) bool {
	if _, ok := e.fates[place]; ok {
		v := e.verdict(int(place))
		return v.Keep || v.Because == ""
	}
	e.fates[place] = true
	c := e.candidate(int(place))
	if c.Tag == "" && e.tag[e.number[place]] >= 0 {
		e.settle(int(place), true, "a tag names it", "")
		return true
	}
	owners, what := e.owners(c)
	if len(owners) == 0 {
		return e.judgeUntagged(int(place))
	}
	for _, id := range owners {
		if e.stay(id) {
			e.settle(int(place), true, what+" "+e.name(id)+", stays with it", "")
			return true
		}
	}
	rule := ""
	if places := e.with[owners[0]]; len(places) > 0 {
		rule = e.verdict(int(places[0])).Rule
	}
	e.settle(int(place), false, what+" "+e.name(owners[0])+", goes with it", rule)
	return false
}

// stay reports whether the manifest of a number stays.
func (e *evaluation) stay(id int32) bool {
	if e.stays[id] {
		return true
	}
	for _, place := range e.with[id] {
		if e.judge(place) {
			return true
		}
	}
	return false
}

// owners gives what a candidate lives and dies with, as far as it is there.
func (e *evaluation) owners(c *Candidate) (ids []int32, what string) {
	add := func(d registry.Digest, as string) {
		if id, ok := e.ids[d]; ok && d != "" && d != c.Digest {
			ids = append(ids, id)
			if what == "" {
				what = as
			}
		}
	}
	if algorithm, rest, ok := attachment(c.Tag); ok {
		as := "list of what refers to"
		switch {
		case strings.HasSuffix(rest, ".sig"):
			as = "signature of"
		case strings.HasSuffix(rest, ".att"):
			as = "attestation of"
		case strings.HasSuffix(rest, ".sbom"):
			as = "SBOM of"
		case len(rest) > 64:
			as = "refers to"
		}
		add(e.whole(algorithm, rest[:64]), as)
	}
	add(c.Subject, "refers to")
	if c.Tag == "" {
		for _, parent := range c.Parents {
			add(parent, "part of")
		}
	}
	return ids, what
}

// whole gives the digest of a fallback tag.
func (e *evaluation) whole(algorithm, hex string) registry.Digest {
	if algorithm == "sha256" {
		return registry.Digest("sha256:" + hex)
	}
	for d := range e.ids {
		if strings.HasPrefix(string(d), "sha512:"+hex) {
			return d
		}
	}
	return ""
}

// name is what users call a manifest: by a tag, or by its short digest.
func (e *evaluation) name(id int32) string {
	if place := e.tag[id]; place >= 0 {
		return e.candidate(int(place)).Tag
	}
	for _, place := range e.with[id] {
		d := string(e.candidate(int(place)).Digest)
		return d[:min(len(d), len("sha256:")+12)]
	}
	return "a manifest"
}

// judgeUntagged asks the rules about a manifest that no tag names and that
// belongs to nothing, or about a fallback tag whose subject is gone.
func (e *evaluation) judgeUntagged(place int) bool {
	c := e.candidate(place)
	why, dropped := "no tag names it", (*rule)(nil)
	if c.Tag != "" {
		why = "what it refers to is gone"
	}
	for _, r := range e.rules {
		if r.Untagged <= 0 {
			continue
		}
		because := used(c, e.clock, time.Duration(r.Untagged))
		if c.Pushed.IsZero() {
			because = "when it was pushed is not known"
		}
		if because != "" {
			e.settle(place, true, why+", but "+because, r.name)
			return true
		}
		if dropped == nil {
			dropped = r
		}
	}
	if dropped == nil {
		e.settle(place, true, "no rule speaks of it", "")
		return true
	}
	e.settle(place, false, why+", "+e.clock.pushed(c)+" (longer than "+dropped.Untagged.String()+")", dropped.name)
	return false
}
