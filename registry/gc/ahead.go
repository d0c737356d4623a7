package gc

import (
	"fmt"
	"time"
)

// slack is how far ahead of the clock a date may be before a plan tells it:
// what is ahead by less goes with the clean-ups of the day.
const slack = time.Hour

// A date in the future was written by a clock that was wrong, or is compared
// with one that is: how old such a file is nobody knows. So it counts as written
// just now until its date has come, whatever the grace.

// dated notes the date of something that nothing needs, and that is too young.
func (m *marker) dated(written time.Time) {
	if written.After(m.ahead) && time.Until(written) > slack {
		m.ahead = written
	}
}

// tellAhead says what a person can do about dates in the future.
func (m *marker) tellAhead() {
	if m.ahead.IsZero() {
		return
	}
	m.plan.problem("", "", fmt.Sprintf("files that nothing needs are dated in the future, up to %s UTC, and stay at least until then: if a clock was "+
		"wrong, give them the date of now, for example in the data folder with: find docker -newermt now -exec touch {} +", m.ahead.UTC().Format("2006-01-02 15:04")))
}
