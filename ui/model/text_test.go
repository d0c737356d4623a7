package model

import (
	"slices"
	"testing"
	"time"
)

func TestSizesReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		-1: "0 B", 0: "0 B", 999: "999 B", 1000: "1 kB", 96_000: "96 kB", 999_499: "999 kB", 999_999: "1 MB",
		9_160_000: "9.2 MB", 9_960_000: "10 MB", 612e6: "612 MB", 1_300_000_000: "1.3 GB", 4_000_000_000: "4 GB", 2e12: "2 TB",
		9_223_372_036_854_775_807: "9.2 EB",
	} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestProgressOfALayerNamesItsUnitOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		done, total int64
		want        string
	}{
		{31e6, 48e6, "31 of 48 MB"}, {2e6, 9e6, "2 of 9 MB"}, {500e3, 9e6, "500 kB of 9 MB"}, {0, 9e6, "0 B of 9 MB"},
	} {
		if got := Of(c.done, c.total); got != c.want {
			t.Errorf("Of(%d, %d) = %q, want %q", c.done, c.total, got, c.want)
		}
	}
}

func TestDatesAreSaidInTheCalendarOfTheReader(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 20, 14, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		ago  time.Duration
		want string
	}{
		{0, "just now"},
		{-time.Minute, "just now"},
		{44 * time.Second, "just now"},
		{50 * time.Second, "1 min ago"},
		{2 * time.Minute, "2 min ago"},
		{59*time.Minute + 59*time.Second, "59 min ago"},
		{time.Hour, "1 h ago"},
		{14 * time.Hour, "14 h ago"},
		{15 * time.Hour, "yesterday"},
		{38 * time.Hour, "yesterday"},
		{39 * time.Hour, "2 days ago"},
		{6 * 24 * time.Hour, "6 days ago"},
		{7 * 24 * time.Hour, "last week"},
		{13 * 24 * time.Hour, "last week"},
		{15 * 24 * time.Hour, "2 weeks ago"},
		{40 * 24 * time.Hour, "last month"},
		{100 * 24 * time.Hour, "3 months ago"},
		{400 * 24 * time.Hour, "last year"},
		{3 * 366 * 24 * time.Hour, "3 years ago"},
		{-48 * time.Hour, "22 Nov 2026"},
	} {
		if got := Ago(now.Add(-c.ago), now); got != c.want {
			t.Errorf("%v ago is %q, want %q", c.ago, got, c.want)
		}
	}
	if got := Ago(time.Time{}, now); got != "" {
		t.Errorf("no time is %q, want nothing", got)
	}
	midnight := time.Date(2026, time.November, 20, 0, 30, 0, 0, time.UTC)
	if got := Ago(midnight.Add(-2*time.Hour), midnight); got != "2 h ago" {
		t.Errorf("two hours before half past midnight is %q, want 2 h ago", got)
	}
	east := midnight.In(time.FixedZone("east", 9*3600))
	if got := Ago(midnight.Add(-12*time.Hour), east); got != "yesterday" {
		t.Errorf("in another zone: %q, want yesterday", got)
	}
}

func TestDurationsOfResults(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 430 * time.Millisecond: "0.4 s", 2*time.Second + 300*time.Millisecond: "2 s",
		72 * time.Second: "1 min 12 s", 2*time.Hour + 5*time.Minute: "2 h 5 min",
	} {
		if got := Took(d); got != want {
			t.Errorf("Took(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestDigestsAreShortOrKeepBothEnds(t *testing.T) {
	t.Parallel()
	d := "sha256:9f2c41d7aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaae08b"
	if got := ShortDigest(d); got != "9f2c41d7" {
		t.Errorf("short: %q", got)
	}
	if got := DigestLabel(d); got != "sha256:9f2c41d7…e08b" {
		t.Errorf("label: %q", got)
	}
	for _, odd := range []string{"", "x", "sha256:", "sha256:abc"} {
		_ = ShortDigest(odd)
		if got := DigestLabel(odd); got != odd {
			t.Errorf("DigestLabel(%q) = %q, want it as it is", odd, got)
		}
	}
}

func TestPlatformsLeaveOutWhatGoesWithoutSaying(t *testing.T) {
	t.Parallel()
	got := Platforms([]string{"linux/amd64", "unknown/unknown", "linux/arm64/v8", "linux/arm64", "windows/amd64", ""})
	if want := "amd64 arm64 windows/amd64"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestVersionsSortAsPeopleCount(t *testing.T) {
	t.Parallel()
	want := []string{"", "1.9", "1.10", "2.0-alpha", "2.0-rc1", "2.0-rc2", "2.0-rc10", "2.0", "2.0-alpine", "2.0.1", "latest", "v2", "v010", "v10", "v10.0"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, CompareNatural)
	// alpine is a flavour, alpha a pre-release: only the second comes before.
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, a := range want {
		for _, b := range want {
			if CompareNatural(a, b) != -CompareNatural(b, a) {
				t.Errorf("%q and %q have no one order", a, b)
			}
		}
	}
}

func TestNamesAreCheckedAsTheyAreTyped(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"app", "acme/app:dev", "a-b/c_d.e:V1.0_x", "a__b", "library/postgres:16"} {
		if why := CheckName(good); why != "" {
			t.Errorf("%q is fine, but: %s", good, why)
		}
	}
	for bad, why := range map[string]string{
		"": "Type a name, such as team/app:dev", "Acme/app": "Repository names are lower-case: acme/app", "/app": "A slash needs a name on both sides",
		"a//b": "A slash needs a name on both sides", ":dev": "The name before the colon is missing", "app:": "The tag after the colon is missing",
		"app:-x": "A tag starts with a letter, a digit or _", "app:a/b": "Tags are letters, digits, and _ . -", "my app": "Names have no spaces",
		"a@sha256:x": "A name here ends with a tag, not with a digest", "a..b": "Use a–z and 0–9, with single . _ - or / between them",
	} {
		if got := CheckName(bad); got != why {
			t.Errorf("%q: %q, want %q", bad, got, why)
		}
	}
}

func FuzzCheckedNamesSplit(f *testing.F) {
	f.Add("acme/app:dev")
	f.Add("a")
	f.Fuzz(func(t *testing.T, name string) {
		if CheckName(name) != "" {
			return
		}
		repo, tag := SplitName(name)
		if !repositoryName.MatchString(repo) || !tagName.MatchString(tag) {
			t.Errorf("%q was let through", name)
		}
	})
}
