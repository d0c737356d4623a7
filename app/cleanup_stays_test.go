package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"berth/app"
	"berth/registry/retention"
)

// stays gives the row of what stays that begins with why, which must be the only
// one beside what images need.
func (i *instance) stays(why string) app.CleanupReason {
	i.t.Helper()
	plan, err := i.PlanCleanup(i.t.Context(), app.PlanCleanupRequest{})
	if err != nil {
		i.t.Fatal(err)
	}
	if len(plan.Stays) != 1 || !strings.HasPrefix(plan.Stays[0].Text, why) {
		i.t.Fatalf("stays %+v, want because %q", plan.Stays, why)
	}
	return plan.Stays[0]
}

func TestWhatIsYoungerThanTheRulesIsNotCalledYoungerThanTheGrace(t *testing.T) {
	t.Parallel()
	i, d := aged(t, retention.Policy{Name: "leftovers", Untagged: retention.Age(2 * month)})
	row := i.stays("it has no tag, and was pushed or pulled more lately than the rules say: all of it can go from ")
	if row.Count == 0 || row.Bytes == 0 || !strings.Contains(row.Text, time.Now().Add(month).Format("2006")) {
		t.Errorf("%+v", row)
	}
	i.pull("team/app", d)
}

// TestWhatIsLeftAloneOnDoubtSaysSo has a manifest be damaged: nobody knows what
// of its repository it needs.
func TestWhatIsLeftAloneOnDoubtSaysSo(t *testing.T) {
	t.Parallel()
	i, d := aged(t)
	file := filepath.Join(i.data, "docker/registry/v2/blobs/sha256", d[7:9], d[7:], "data")
	if err := os.WriteFile(file, []byte("not what it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	if row := i.stays("something could not be read, so it may be needed"); row.Count == 0 || row.Bytes == 0 {
		t.Errorf("%+v", row)
	}
}
