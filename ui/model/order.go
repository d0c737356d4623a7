package model

import (
	"cmp"
	"strings"
)

// CompareNatural orders names as people count: v2 before v10, 1.9 before 1.10,
// and a pre-release (1.0-rc1) before its release (1.0). Names that differ only
// in leading zeros or case still have one order.
func CompareNatural(a, b string) int {
	x, y := strings.ToLower(a), strings.ToLower(b)
	for x != "" && y != "" {
		cx, cy := chunk(x), chunk(y)
		x, y = x[len(cx):], y[len(cy):]
		if c := compareChunks(cx, cy); c != 0 {
			return c
		}
	}
	switch {
	case x == "" && y == "":
		return cmp.Compare(a, b)
	case x == "":
		return preRelease(y, 1)
	}
	return preRelease(x, -1)
}

// preRelease says how a name that is rest longer compares; sign is the answer
// when rest makes it earlier.
func preRelease(rest string, sign int) int {
	if strings.HasPrefix(rest, "-") {
		for _, word := range []string{"-rc", "-alpha", "-beta", "-pre", "-dev", "-snapshot"} {
			if strings.HasPrefix(rest, word) {
				return sign
			}
		}
	}
	return -sign
}

// chunk is the leading run of digits, or of anything else.
func chunk(s string) string {
	digit := isDigit(s[0])
	for i := range len(s) {
		if isDigit(s[i]) != digit {
			return s[:i]
		}
	}
	return s
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func compareChunks(a, b string) int {
	if !isDigit(a[0]) || !isDigit(b[0]) {
		return cmp.Compare(a, b)
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return cmp.Compare(a, b)
}
