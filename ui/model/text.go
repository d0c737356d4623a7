package model

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Size writes bytes as people read them, in powers of a thousand: "0 B",
// "96 kB", "9.2 MB", "612 MB", "1.3 GB".
func Size(n int64) string {
	if n < 0 {
		n = 0
	}
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, units := float64(n), "kMGTPE"
	for i := range len(units) {
		v /= 1000
		if r := rounded(v); r < 1000 || i == len(units)-1 {
			return strconv.FormatFloat(r, 'f', -1, 64) + " " + units[i:i+1] + "B"
		}
	}
	return ""
}

// rounded keeps one decimal below ten and none above.
func rounded(v float64) float64 {
	if r := math.Round(v*10) / 10; r < 10 {
		return r
	}
	return math.Round(v)
}

// Of writes how much of a whole is done in one unit: "31 of 48 MB".
func Of(done, total int64) string {
	d, t := Size(done), Size(total)
	number, unit, _ := strings.Cut(d, " ")
	if _, u, _ := strings.Cut(t, " "); u == unit {
		return number + " of " + t
	}
	return d + " of " + t
}

// Rate writes bytes a second: "52 MB/s"; nothing below one.
func Rate(n int64) string {
	if n <= 0 {
		return ""
	}
	return Size(n) + "/s"
}

// Count writes a number with its noun, which gets an s unless n is 1:
// "1 tag", "14 tags".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// Ago writes how long ago t was, in the calendar of now: "just now",
// "2 min ago", "3 h ago", "yesterday", "6 days ago", "last week",
// "2 weeks ago", "last month", "5 months ago", "last year", "3 years ago". A
// zero time is empty; one in the future, beyond a clock's drift, is its date.
func Ago(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(now.Location())
	d := now.Sub(t)
	days := dayNumber(now) - dayNumber(t)
	switch {
	case d < -2*time.Minute:
		return t.Format("2 Jan 2006")
	case d < 45*time.Second:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", max(1, int(d/time.Minute)))
	case days == 0 || d < 6*time.Hour:
		return fmt.Sprintf("%d h ago", int(d/time.Hour))
	case days <= 1:
		return "yesterday"
	case days < 7:
		return fmt.Sprintf("%d days ago", days)
	case days < 14:
		return "last week"
	case days < 31:
		return fmt.Sprintf("%d weeks ago", days/7)
	case days < 61:
		return "last month"
	case days < 365:
		return fmt.Sprintf("%d months ago", days/30)
	case days < 730:
		return "last year"
	}
	return fmt.Sprintf("%d years ago", days/365)
}

// dayNumber counts calendar days, so that a clock change makes no half ones.
func dayNumber(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Absolute writes the date of a tooltip: "21 Nov 2026, 14:05:09"; empty for a
// zero time.
func Absolute(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(now.Location()).Format("2 Jan 2006, 15:04:05")
}

// Took writes a duration as a result says it: "0.4 s", "2 s", "1 min 12 s".
func Took(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < time.Second:
		return strconv.FormatFloat(math.Round(d.Seconds()*10)/10, 'f', -1, 64) + " s"
	case d < time.Minute:
		return strconv.Itoa(int(math.Round(d.Seconds()))) + " s"
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d/time.Minute), int(d%time.Minute/time.Second))
	}
	return fmt.Sprintf("%d h %d min", int(d/time.Hour), int(d%time.Hour/time.Minute))
}

// ShortDigest is the first eight characters after the algorithm: "9f2c41d7".
func ShortDigest(d string) string {
	_, hex, ok := strings.Cut(d, ":")
	if !ok {
		hex = d
	}
	return hex[:min(8, len(hex))]
}

// DigestLabel keeps both ends: "sha256:9f2c41d7…e08b".
func DigestLabel(d string) string {
	alg, hex, ok := strings.Cut(d, ":")
	if !ok || len(hex) <= 12 {
		return d
	}
	return alg + ":" + hex[:8] + "…" + hex[len(hex)-4:]
}

// Platforms writes platforms for a narrow column: linux goes unsaid, other
// systems are named, and what builders attach ("unknown/unknown") is left out:
// "amd64 arm64", "windows/amd64".
func Platforms(list []string) string {
	var out []string
	for _, p := range list {
		if strings.HasPrefix(p, "unknown") || p == "" {
			continue
		}
		p = strings.TrimPrefix(p, "linux/")
		if p == "arm64/v8" {
			p = "arm64"
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return strings.Join(out, " ")
}

// Percent is done of total between 0 and 100; 0 while total is unknown.
func Percent(done, total int64) int {
	if total <= 0 || done <= 0 {
		return 0
	}
	return int(min(100, done*100/total))
}

// Part is done of total between 0 and 1; 0 while total is unknown.
func Part(done, total int64) float32 {
	if total <= 0 || done <= 0 {
		return 0
	}
	return float32(min(1, float64(done)/float64(total)))
}
