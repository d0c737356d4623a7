package retention

import (
	"strconv"
	"time"
)

// reasons are the sentences of a rule that are the same for every tag.
type reasons struct {
	newest, version string // why it stays
	notNewest, old  string // parts of why it goes
	unpulled        string
}

func (r *rule) sentences() reasons {
	k := r.Keep
	s := reasons{
		newest:  "one of the newest " + strconv.Itoa(k.Newest) + " by push",
		version: "one of the newest " + strconv.Itoa(k.Versions) + " by version",
	}
	switch {
	case k.Newest > 0 && k.Versions > 0:
		s.notNewest = "not one of the newest " + strconv.Itoa(k.Newest) + " by push or " + strconv.Itoa(k.Versions) + " by version, "
	case k.Newest > 0:
		s.notNewest = "not one of the newest " + strconv.Itoa(k.Newest) + " by push, "
	case k.Versions > 0:
		s.notNewest = "not one of the newest " + strconv.Itoa(k.Versions) + " by version, "
	}
	if k.Younger > 0 {
		s.old = ago(k.Younger)
	}
	if k.Pulled > 0 {
		s.unpulled = " (not within " + k.Pulled.String() + ")"
	}
	return s
}

// ago says behind when something was pushed that this is longer ago than an
// age. Of an age that nobody counts, such as a second, «just now» is longer.
func ago(age Age) string {
	if time.Duration(age) < time.Minute {
		return " (" + age.String() + " and more ago)"
	}
	return " (longer than " + age.String() + ")"
}

// keeps says why a rule keeps a tag that it selects; empty: it does not.
func (r *rule) keeps(c *Candidate, at *Clock, newest, version bool) string {
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
func used(c *Candidate, at *Clock, within time.Duration) string {
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

// drops says why a tag goes.
func (r *rule) drops(c *Candidate, at *Clock) string {
	if r.because.unpulled == "" {
		return r.because.notNewest + at.pushed(c) + r.because.old
	}
	if c.Pulled.IsZero() {
		return r.because.notNewest + at.pushed(c) + r.because.old + ", never pulled" + r.because.unpulled
	}
	return r.because.notNewest + at.pushed(c) + r.because.old + ", " + at.pulled(c) + r.because.unpulled
}

// Clock says how long ago things were, as a person would, and remembers what it
// said of days: most of many candidates are equally many days old. It is not safe for concurrent use.
type Clock struct {
	now  time.Time
	said [2][]string // of pushes and pulls, by days
}

// NewClock makes a clock that stands at a moment.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

func (at *Clock) pushed(c *Candidate) string { return at.say(0, "pushed ", c.Pushed) }

func (at *Clock) pulled(c *Candidate) string { return at.say(1, "pulled ", c.Pulled) }

// maxSaid is up to how many days are remembered.
const maxSaid = 5000

func (at *Clock) say(which int, what string, then time.Time) string {
	days := int(at.now.Sub(then) / day)
	if days < 2 || days >= maxSaid || then.IsZero() {
		return what + at.ago(then)
	}
	for len(at.said[which]) <= days {
		at.said[which] = append(at.said[which], "")
	}
	if at.said[which][days] == "" {
		at.said[which][days] = what + at.ago(then)
	}
	return at.said[which][days]
}

func (at *Clock) ago(then time.Time) string {
	d := at.now.Sub(then)
	switch {
	case then.IsZero():
		return "at an unknown time"
	case d < time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return count(int(d/time.Minute), "minute") + " ago"
	case d < 2*day:
		return count(int(d/time.Hour), "hour") + " ago"
	}
	return count(int(d/day), "day") + " ago"
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return strconv.Itoa(n) + " " + unit + "s"
}
