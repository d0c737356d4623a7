package app

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestGivingMemoryBackLeavesOnlyCodeThatRuns(t *testing.T) {
	t.Parallel()
	before := fileMemory(t)
	if err := GiveBack(); err != nil {
		t.Fatal(err)
	}
	if after := fileMemory(t); after >= before {
		t.Errorf("%d kB of files are in memory, %d before", after, before)
	}
}

func TestOnlyTheProgramsOwnUnchangeableMappingsAreGivenBack(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]mapping{
		"00400000-00c17000 r-xp 00000000 fe:00 998    /opt/a b/berth":       {0x400000, 0xc17000},
		"00c17000-013c1000 r--p 00817000 fe:00 998    /opt/a b/berth":       {0xc17000, 0x13c1000},
		"013c1000-01449000 rw-p 00fc1000 fe:00 998    /opt/a b/berth":       {},
		"7f0000000000-7f0000001000 r--p 00000000 00:00 9    /lib/b":         {},
		"7f0000000000-7f0000001000 r--s 00000000 00:00 9    /opt/a b/berth": {},
		"7f0000002000-7f0000003000 r-xp 00000000 00:00 0 ":                  {},
	} {
		if got, ok := parseMapping(line, "/opt/a b/berth"); !ok || got != want {
			t.Errorf("%q gives %v, %v", line, got, ok)
		}
	}
	for _, line := range []string{"Anonymous:             0 kB", "VmFlags: rd ex mr mw me", ""} {
		if _, ok := parseMapping(line, "/opt/a b/berth"); ok {
			t.Errorf("%q is no mapping", line)
		}
	}
}

func fileMemory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "RssFile:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb
}
