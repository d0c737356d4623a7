package retention

import (
	"cmp"
	"strings"
)

// This file orders tags as people order versions; the lists of the index have
// the same idea. A version is read as words: runs of digits, which compare by
// their value, and runs of letters. What ends first is older, so 1.0 comes
// before 1.0.1 and 1.0-alpine, unless the other goes on with the word of a
// pre-release: 1.0-rc1 comes before 1.0. Calendar versions need nothing more.

// stages are the words of pre-releases, the oldest first.
var stages = map[string]int{
	"dev": 1, "snapshot": 1, "nightly": 1, "canary": 1, "alpha": 2, "a": 2, "beta": 3, "b": 3,
	"milestone": 4, "pre": 5, "preview": 5, "rc": 6, "cr": 6,
}

// core cuts what stands before the first digit off: nothing, "v", or what ends
// in a separator, with or without a "v": "release-v1.2". False for no version.
func core(tag string) (string, bool) {
	i := 0
	for i < len(tag) && !digit(tag[i]) {
		i++
	}
	if i == len(tag) {
		return "", false
	}
	before := strings.TrimSuffix(strings.ToLower(tag[:i]), "v")
	return tag[i:], before == "" || separator(before[len(before)-1])
}

// isVersion tells versions from hashes of commits and from names that happen
// to have a digit.
func isVersion(tag string) bool {
	c, ok := core(tag)
	if !ok {
		return false
	}
	word := c[:wordEnd(c)]
	if len(word) >= 7 && !allDigits(word) && isHex(word) {
		return false
	}
	// Behind the digits comes nothing, a separator, or a stage: 1.0rc1.
	for c != "" {
		switch {
		case digit(c[0]), c[0] == '.':
			c = c[1:]
			continue
		case separator(c[0]):
			return true
		}
		n := 0
		for n < len(c) && letter(c[n]) {
			n++
		}
		stage := stages[strings.ToLower(c[:n])]
		return stage > 0 && (n > 1 || n < len(c) && digit(c[n]))
	}
	return true
}

// token is a word of a version and its rank beside others in its place.
type token struct {
	class int // 0 stage of a pre-release, 1 end, 2 letters, 3 digits
	stage int
	text  string
}

func next(s string) (token, string) {
	for s != "" && !digit(s[0]) && !letter(s[0]) {
		s = s[1:]
	}
	if s == "" {
		return token{class: 1}, ""
	}
	n := 1
	for n < len(s) && digit(s[n]) == digit(s[0]) && letter(s[n]) == letter(s[0]) {
		n++
	}
	if digit(s[0]) {
		return token{class: 3, text: strings.TrimLeft(s[:n], "0")}, s[n:]
	}
	word := s[:n]
	if n <= len("milestone") {
		if stage := stages[strings.ToLower(word)]; stage > 0 && (n > 1 || n < len(s) && digit(s[n])) {
			return token{stage: stage}, s[n:]
		}
	}
	return token{class: 2, text: word}, s[n:]
}

func (t token) compare(o token) int {
	if c := cmp.Or(cmp.Compare(t.class, o.class), cmp.Compare(t.stage, o.stage)); c != 0 {
		return c
	}
	if t.class == 3 {
		if c := cmp.Compare(len(t.text), len(o.text)); c != 0 {
			return c
		}
	}
	return strings.Compare(t.text, o.text)
}

// compareVersions orders two tags that are versions; 0 when both say the same,
// such as v1.0 and 1.0.
func compareVersions(a, b string) int {
	a, _ = core(a)
	b, _ = core(b)
	// What both begin with says nothing, up to the last separator.
	same := 0
	for i := 0; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		if separator(a[i]) {
			same = i
		}
	}
	a, b = a[same:], b[same:]
	for {
		var x, y token
		x, a = next(a)
		y, b = next(b)
		if c := x.compare(y); c != 0 {
			return c
		}
		if x.class == 1 {
			return 0
		}
	}
}

func wordEnd(s string) int {
	for i := range len(s) {
		if separator(s[i]) {
			return i
		}
	}
	return len(s)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return true
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !digit(c) && !('a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

func digit(c byte) bool     { return '0' <= c && c <= '9' }
func letter(c byte) bool    { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func separator(c byte) bool { return c == '.' || c == '-' || c == '_' }
