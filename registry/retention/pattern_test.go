package retention

import (
	"regexp"
	"strings"
	"testing"
)

func TestPatternsMatchWholeNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern      string
		repositories bool
		yes, no      string // names, by spaces
	}{
		{"pr-*", false, "pr- pr-1 pr-a-b", "apr-1 pr PR-1"},
		{"*", false, "a latest", ""},
		{"v?.*", false, "v1.2 v1.", "v10.2 v1"},
		{"*-rc*-x", false, "a-rc-x 1-rc-rc-x", "a-rcx rc-x"},
		{"{a,b*}-1", false, "a-1 b-1 bc-1", "c-1 ab-1"},
		{"re:v[0-9]+", false, "v1 v22", "v1.2 xv1"},
		{"/a|b/", false, "a b", "ab"},
		{"**", false, "a", ""},
		{"team/*", true, "team/a team/a-b", "team team/a/b xteam/a"},
		{"team/**", true, "team/a team/a/b", "team teams/a"},
		{"**/app", true, "app a/app a/b/app", "xapp a/xapp app/a"},
		{"a/**/z", true, "a/z a/b/z a/b/c/z", "a/bz az"},
		{"*", true, "a", "a/b"},
		{"**", true, "a a/b", ""},
		{"{a,b/*}/c", true, "a/c b/x/c", "b/c"},
		{"te.m", true, "te.m", "team"},
		{"re:a/.*", true, "a/b a/b/c", "ba/b"},
	} {
		ps, err := compile([]string{c.pattern}, c.repositories)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		for _, name := range strings.Fields(c.yes) {
			if !ps.match(name) {
				t.Errorf("%s does not match %s", c.pattern, name)
			}
		}
		for _, name := range strings.Fields(c.no) {
			if ps.match(name) {
				t.Errorf("%s matches %s", c.pattern, name)
			}
		}
	}
}

// FuzzPatterns compares the glob of a tag with the same as a regular
// expression, whatever the pattern and the name are.
func FuzzPatterns(f *testing.F) {
	for _, s := range [][2]string{{"pr-*", "pr-1"}, {"{a,b}?", "ax"}, {"re:(", "a"}, {"***a*?b", "aab"}, {"/x/", "x"}, {"{a,{b}}", "a"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		_, _ = compileOne(text, true)
		p, err := compileOne(text, false)
		if err != nil || p.re != nil || strings.ContainsFunc(name, func(r rune) bool { return !inGlob(r, false) || strings.ContainsRune("{,}*?", r) }) {
			return
		}
		quoted := regexp.MustCompile(`\\\{|\\\}|,|\\\*|\\\?`).ReplaceAllStringFunc(regexp.QuoteMeta(text), func(s string) string {
			return map[string]string{`\{`: "(?:", `\}`: ")", ",": "|", `\*`: ".*", `\?`: "."}[s]
		})
		if want := regexp.MustCompile(`\A(?:` + quoted + `)\z`).MatchString(name); want != p.match(name) {
			t.Errorf("%q matches %q: %v, want %v", text, name, p.match(name), want)
		}
	})
}

func TestVersionsAreOrderedAsPeopleOrderThem(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"0.9 < 1.0-dev < 1.0-alpha < 1.0-alpha.2 < 1.0-beta1 < 1.0-beta10 < 1.0-rc1 < 1.0-rc.2 < 1.0 < 1.0-alpine < 1.0.0 < 1.0.1 < 1.9 < 1.10 < 2.0-rc1 < 2.0",
		"v1.9 < 1.10 < v1.11 < release-1.12 < release-v1.13",
		"2024.01.15 < 2024.02.01 < 2025.1.1",
		"2024-01-15 < 2024-02-01 < 2025-01-01",
		"20240115 < 20240116 < 20250101",
		"1.0a1 < 1.0b1 < 1.0b2 < 1.0rc1 < 1.0",
		"7.0.0-preview.1 < 7.0.0-preview.12 < 7.0.0 < 7.0.0-1 < 7.0.0-2",
		"1.2.3-SNAPSHOT < 1.2.3-RC1 < 1.2.3",
		"pr-9 < pr-10",
	} {
		tags := strings.Split(line, " < ")
		for i, a := range tags {
			if !isVersion(a) {
				t.Errorf("%s is no version", a)
			}
			for j, b := range tags {
				if got, want := compareVersions(a, b), compare(i, j); sign(got) != want {
					t.Errorf("%s to %s is %d, want %d", a, b, got, want)
				}
			}
		}
	}
	if compareVersions("v1.0", "1.0") != 0 || compareVersions("1_0", "1.0") != 0 {
		t.Error("the same version is not the same")
	}
	for _, tag := range []string{"latest", "main", "3f2a9c1", "deadbeef", "main-3f2a9c1", "alpine3", "x86", "1x", "1.2x", "12ab", "sha256-" + strings.Repeat("a", 64), ""} {
		if isVersion(tag) {
			t.Errorf("%s counts as a version", tag)
		}
	}
}

// FuzzVersions checks that the order is one: of three versions, in whatever
// way they are asked about.
func FuzzVersions(f *testing.F) {
	f.Add("1.0", "1.0-rc1", "v1.0.1")
	f.Add("2024-01-15", "1.0a1", "1.0-a")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if !isVersion(a) || !isVersion(b) || !isVersion(c) {
			return
		}
		if sign(compareVersions(a, b)) != -sign(compareVersions(b, a)) || compareVersions(a, a) != 0 {
			t.Errorf("%q and %q", a, b)
		}
		if compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0 && compareVersions(a, c) > 0 {
			t.Errorf("%q <= %q <= %q, but not %q <= %q", a, b, c, a, c)
		}
	})
}

func compare(i, j int) int { return sign(i - j) }

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func TestARegularExpressionThatCannotBeReadIsToldAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"re:([", "re:(", "/a\\/", "re:a)|(b", "re:[z-a]"} {
		_, err := compile([]string{text}, false)
		if err == nil || strings.Contains(err.Error(), `\z`) || strings.Contains(err.Error(), `\A`) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
