package model

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Number writes a count with its thousands apart: "1,214".
func Number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Numbered is Count with the thousands apart: "1,214 blobs".
func Numbered(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Number(n) + " " + noun + "s"
}

// Soon writes when t will be, in the calendar of now: "today 15:00", "tonight
// 03:00", "tomorrow 12:00", "Sunday 03:00", "5 Dec 03:00".
func Soon(t, now time.Time) string {
	t = t.In(now.Location())
	at := t.Format(clock)
	days := dayNumber(t) - dayNumber(now)
	switch {
	case days <= 0 && t.Hour() >= 18, days == 1 && t.Hour() < 6:
		return "tonight " + at
	case days <= 0:
		return "today " + at
	case days == 1:
		return "tomorrow " + at
	case days < 7:
		return t.Weekday().String() + " " + at
	}
	return t.Format("2 Jan ") + at
}

// NextRun says when a clean-up is due by itself.
func NextRun(schedule string, next, now time.Time) string {
	if next.IsZero() || schedule == "off" {
		return "No schedule"
	}
	return "Next run " + Soon(next, now)
}

// Age writes an age of the configuration in words: "7d" is "7 days". What is no
// age stays as it is.
func Age(s string) string {
	if len(s) < 2 {
		return s
	}
	if s == "1w" {
		return "7 days"
	}
	n, err := strconv.Atoi(s[:len(s)-1])
	unit, ok := map[byte]string{'h': "hour", 'd': "day", 'w': "week", 'm': "minute", 'y': "year"}[s[len(s)-1]]
	if err != nil || !ok {
		return s
	}
	return Count(n, unit)
}

// since is an age after «in the last»: "30 days", "day".
func since(s string) string { return strings.TrimPrefix(Age(s), "1 ") }

// For writes a stay: "7 days", "36 hours", "an hour".
func For(d time.Duration) string {
	switch day := 24 * time.Hour; {
	case d <= 0:
		return "no time"
	case d%day == 0:
		return Count(int(d/day), "day")
	case d%time.Hour == 0:
		return Count(int(d/time.Hour), "hour")
	}
	return fmt.Sprint(d.Round(time.Minute))
}
