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
	for x != "" || y != "" {
		cx, cy := chunk(x), chunk(y)
		x, y = x[len(cx):], y[len(cy):]
		if c := cmp.Or(cmp.Compare(rank(cx), rank(cy)), compareChunks(cx, cy)); c != 0 {
			return c
		}
	}
	return cmp.Compare(a, b)
}

// rank puts a pre-release before the end of the name, and all else after it.
func rank(chunk string) int {
	switch strings.TrimRight(chunk, ".-") {
	case "-rc", "-alpha", "-beta", "-pre", "-preview", "-dev", "-snapshot":
		return 0
	case "":
		if chunk == "" {
			return 1
		}
	}
	return 2
}

// chunk is the leading run of digits, or of anything else.
func chunk(s string) string {
	if s == "" {
		return ""
	}
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
	if a == "" || b == "" || !isDigit(a[0]) || !isDigit(b[0]) {
		return cmp.Compare(a, b)
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return cmp.Compare(a, b)
}
