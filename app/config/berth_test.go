package config_test

import (
	"strings"
	"testing"
	"time"

	"berth/app/config"
	"berth/registry/retention"
)

const berthFile = `version: 0.1
storage: filesystem
berth:
  cleanup:
    schedule: Weekly
    at: 3:30
    weekday: Monday
    low: 10%
    rules:
      - name: releases
        tags: [v*]
        keep: {versions: 5, younger: 30d}
      - untagged: 2w
        off: true
  immutable:
    - {tags: [v*], except: [v*-rc]}
`

func TestBerthsOwnSectionIsRead(t *testing.T) {
	t.Parallel()
	c := load(t, berthFile)
	clean := c.Berth.Cleanup
	if hour, minute := clean.Clock(); hour != 3 || minute != 30 || clean.Day() != time.Monday || clean.Schedule != config.ScheduleWeekly {
		t.Errorf("the schedule is %s at %d:%d on %s", clean.Schedule, hour, minute, clean.Day())
	}
	if got := clean.LowBytes(5000); got != 500 {
		t.Errorf("low is %d of 5000", got)
	}
	if len(clean.Rules) != 2 || clean.Rules[0].Keep.Younger != retention.Age(30*24*time.Hour) || !clean.Rules[1].Off {
		t.Errorf("the rules are %+v", clean.Rules)
	}
	if o := c.Origin("berth.cleanup.rules.1.untagged"); o.Line != 13 {
		t.Errorf("the second rule comes from %s", o)
	}
	p, err := retention.NewProtection(c.Berth.Immutable)
	if err != nil {
		t.Fatal(err)
	}
	if _, held := p.Rule("app", "v1"); !held {
		t.Error("v1 is not immutable")
	}
	if len(c.Warnings) > 0 {
		t.Errorf("warned of %q", c.Warnings)
	}
}

func TestVariablesReplaceListsOrTheirElements(t *testing.T) {
	t.Parallel()
	whole := load(t, berthFile, "REGISTRY_BERTH_CLEANUP_RULES=[{name: all, keep: {newest: 3}}]", "REGISTRY_BERTH_CLEANUP_LOW=5GiB").Berth.Cleanup
	if len(whole.Rules) != 1 || whole.Rules[0].Name != "all" || whole.Rules[0].Keep.Newest != 3 || whole.LowBytes(0) != 5<<30 {
		t.Errorf("the whole list: %+v", whole)
	}
	parts := load(t, berthFile, "REGISTRY_BERTH_CLEANUP_RULES_0_KEEP_VERSIONS=7", "REGISTRY_BERTH_CLEANUP_RULES_2_UNTAGGED=1d").Berth.Cleanup.Rules
	if len(parts) != 3 || parts[0].Keep.Versions != 7 || parts[0].Keep.Younger == 0 || parts[2].Untagged == 0 {
		t.Errorf("elements: %+v", parts)
	}
	section := load(t, berthFile, "REGISTRY_BERTH_CLEANUP={schedule: daily}").Berth.Cleanup
	if section.Grace != time.Hour || !section.Untagged || section.Rules != nil || section.Schedule != "daily" {
		t.Errorf("the whole section: %+v", section)
	}
}

func TestWhatBerthsOwnKeysCannotBeIsSaidWithItsLine(t *testing.T) {
	t.Parallel()
	for _, wrong := range []struct {
		name, was, now string
		want           []string
	}{
		{"schedule", "Weekly", "hourly", []string{"berth.cleanup.schedule", "config.yml:5", "off, daily, weekly"}},
		{"at", "3:30", "25:00", []string{"berth.cleanup.at", "config.yml:6", "03:00"}},
		{"weekday", "Monday", "mo", []string{"berth.cleanup.weekday", ":7", "monday"}},
		{"low without a unit", "10%", "10", []string{"berth.cleanup.low", ":8", "5GB"}},
		{"low of all", "10%", "100%", []string{"berth.cleanup.low", "10%"}},
		{"low in words", "10%", "little", []string{"berth.cleanup.low", "10%"}},
		{"unknown word of a rule", "keep: {versions", "keep: {version", []string{"line 12", "version", "versions"}},
		{"pattern of a rule", "tags: [v*]\n        keep", "tags: ['v*{']\n        keep", []string{"berth.cleanup.rules.0", ":10", "braces"}},
		{"empty rule", "untagged: 2w", "untagged: 0", []string{"berth.cleanup.rules.1", ":13", "keep"}},
		{"two of a name", "- untagged: 2w", "- name: releases\n        untagged: 2w", []string{"berth.cleanup.rules", ":10", "releases"}},
		{"age of a rule", "30d", "1y", []string{"30d", "2w"}},
		{"immutable pattern", "{tags: [v*], e", "{tags: ['re:('], e", []string{"berth.immutable.0", ":16", "regular expression"}},
		{"immutable without words", "{tags: [v*], except: [v*-rc]}", "{name: x}", []string{"berth.immutable.0", ":16", "tags"}},
		{"unknown word of an immutable rule", "except: [v*-rc]", "unless: [v*-rc]", []string{"line 16", "unless", "except"}},
	} {
		t.Run(wrong.name, func(t *testing.T) {
			t.Parallel()
			file := strings.Replace(berthFile, wrong.was, wrong.now, 1)
			if file == berthFile {
				t.Fatal("the file is as it was")
			}
			_, err := config.Load(write(t, file), nil, config.Flags{})
			if err == nil {
				t.Fatal("it was taken")
			}
			for _, word := range wrong.want {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
		})
	}
}

func TestARateIsASizeOrANumberOfBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]config.Bytes{"64MB": 64e6, "64MiB": 64 << 20, "64000": 64000, "1.5 GB": 15e8, "0": 32 << 20} {
		file := load(t, "version: 0.1\nstorage: filesystem\nberth: {verify: {rate: "+text+"}}\n")
		variable := load(t, berthFile, "REGISTRY_BERTH_VERIFY_RATE="+text)
		made := set(t, berthFile, config.Made{"berth.verify.rate": text})
		for from, c := range map[string]*config.Config{"the file": file, "a variable": variable, "a setting": made} {
			if got := c.Berth.Verify.Rate; got != want {
				t.Errorf("%s from %s: %d", text, from, got)
			}
		}
	}
	for n, want := range map[config.Bytes]string{64e6: "64MB", 32 << 20: "32MiB", 64001: "64001", 0: "0", 2 << 30: "2GiB"} {
		var again config.Bytes
		if err := again.UnmarshalText([]byte(n.String())); n.String() != want || err != nil || again != n {
			t.Errorf("%d is written as %s, and read as %d, %v", n, n, again, err)
		}
	}
}

func TestARateThatNeverEndsIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"12", "63KB", "fast", "-5MB", "[64MB]", "99999999999EB"} {
		_, err := config.Load(write(t, "version: 0.1\nstorage: filesystem\nberth: {verify: {rate: "+text+"}}\n"), nil, config.Flags{Data: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), "64") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestARoomIsASizeAShareOrManyBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"5GB": 5e9, "5GiB": 5 << 30, "5000000000": 5e9, "10%": 100} {
		if got := load(t, berthFile, "REGISTRY_BERTH_CLEANUP_LOW="+text).Berth.Cleanup.LowBytes(1000); got != want {
			t.Errorf("%s is %d", text, got)
		}
	}
	if _, err := config.Load(write(t, berthFile), []string{"REGISTRY_BERTH_CLEANUP_LOW=10"}, config.Flags{Data: t.TempDir()}); err == nil {
		t.Error("10 bytes are room enough")
	}
}
