package app_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"berth/app"
	"berth/registry/retention"
)

const month = 30 * 24 * time.Hour

// aged gives an instance with an image that has no tag. All was pushed a month
// ago, and pulls have been counted for a year.
func aged(t *testing.T, rules ...retention.Policy) (i *instance, digest string) {
	t.Helper()
	o := options(t, t.TempDir(), "127.0.0.1:0")
	o.Config.Berth.Cleanup.Grace, o.Config.Berth.Cleanup.Rules = hardlyAny, rules
	i = start(t, o)
	i.push("team/app", "other", "stays")
	digest = i.push("team/app", "v1", "run by its digest")
	i.drop("team/app", "v1")
	i.age(digest)
	app.CountPullsSince(i.Core, time.Now().Add(-12*month))
	return i, digest
}

// age has a manifest be pushed a month ago, as all that is on the disk.
func (i *instance) age(digest string) {
	i.t.Helper()
	at := time.Now().Add(-month)
	err := filepath.WalkDir(filepath.Join(i.data, "docker"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(path, at, at)
	})
	if err != nil {
		i.t.Fatal(err)
	}
	i.linkedAt(digest, at)
}

func (i *instance) linkedAt(digest string, at time.Time) {
	i.t.Helper()
	if err := app.LinkedAt(i.t.Context(), i.Core, "team/app", digest, at); err != nil {
		i.t.Fatal(err)
	}
}

func (i *instance) pull(repo, reference string) {
	i.t.Helper()
	i.do("GET", "/v2/"+repo+"/manifests/"+reference, "", nil, http.StatusOK)
}

func leftovers() retention.Policy {
	return retention.Policy{Name: "leftovers", Untagged: retention.Age(14 * 24 * time.Hour)}
}

// becauseOf gives what the preview says of a manifest without a tag.
func (i *instance) becauseOf(digest string) (because string, keep bool) {
	i.t.Helper()
	for _, v := range i.preview(app.PreviewRulesRequest{Verdicts: true}).Verdicts {
		if v.Digest == digest && v.Tag == "" {
			return v.Because, v.Keep
		}
	}
	i.t.Fatalf("the preview does not speak of %s", digest)
	return "", false
}

func TestWhatARuleKeepsSinceItIsPulledByItsDigestIsNotFreed(t *testing.T) {
	t.Parallel()
	i, d := aged(t, leftovers())
	i.pull("team/app", d)
	_, r := i.cleanUp(app.RunCleanupRequest{})
	if because, keep := i.becauseOf(d); !keep || !strings.Contains(because, "pulled just now") {
		t.Errorf("the preview: %v, %s", keep, because)
	}
	if r.Manifests != 0 || r.Freed != 0 {
		t.Errorf("freed: %+v", r)
	}
	i.pull("team/app", d)
}

func TestWhatNobodyPullsIsFreedAfterTheTimeOfTheRule(t *testing.T) {
	t.Parallel()
	i, d := aged(t, leftovers())
	if _, keep := i.becauseOf(d); keep {
		t.Error("the preview keeps it")
	}
	if _, r := i.cleanUp(app.RunCleanupRequest{}); r.Manifests != 1 {
		t.Errorf("freed: %+v", r)
	}
	i.do("GET", "/v2/team/app/manifests/"+d, "", nil, http.StatusNotFound)
}

func TestWithARuleADoubtAboutPullsFreesNoManifest(t *testing.T) {
	t.Parallel()
	for name, doubt := range map[string]func(i *instance, d string){
		"pulls are counted since yesterday":       func(i *instance, d string) { app.CountPullsSince(i.Core, time.Now().AddDate(0, 0, -1)) },
		"the index does not reflect the disk":     func(i *instance, d string) { app.Blind(i.Core, true) },
		"when it was pushed is not known":         func(i *instance, d string) { i.linkedAt(d, time.Time{}) },
		"it was pushed again, and its link stays": func(i *instance, d string) { i.linkedAt(d, time.Now().AddDate(0, 0, -1)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i, d := aged(t, leftovers())
			doubt(i, d)
			if _, r := i.cleanUp(app.RunCleanupRequest{}); r.Manifests != 0 {
				t.Errorf("freed: %+v", r)
			}
			i.pull("team/app", d)
		})
	}
}

func TestWithoutARuleADoubtAboutPullsHoldsNothingUp(t *testing.T) {
	t.Parallel()
	i, _ := aged(t)
	app.CountPullsSince(i.Core, time.Now())
	app.Blind(i.Core, true)
	if _, r := i.cleanUp(app.RunCleanupRequest{}); r.Manifests != 1 {
		t.Errorf("freed: %+v", r)
	}
}

func TestWithoutARuleWhatWasPulledWithinTheGraceStays(t *testing.T) {
	t.Parallel()
	i, d := aged(t)
	i.pull("team/app", d)
	hour := time.Hour
	if _, r := i.cleanUp(app.RunCleanupRequest{Grace: &hour}); r.Manifests != 0 {
		t.Errorf("freed: %+v", r)
	}
	i.pull("team/app", d)
}

func TestWhatIsPulledSinceThePlanWasShownStays(t *testing.T) {
	t.Parallel()
	i, d := aged(t)
	plan, err := i.PlanCleanup(t.Context(), app.PlanCleanupRequest{})
	if err != nil || plan.Manifests != 1 {
		t.Fatalf("plan: %+v, %v", plan, err)
	}
	i.pull("team/app", d)
	_, r := i.cleanUp(app.RunCleanupRequest{Plan: plan.ID})
	if r.Manifests != 0 || r.Freed != 0 || len(r.Kept) == 0 {
		t.Errorf("receipt: %+v", r)
	}
	i.pull("team/app", d)
}

func TestALowDiskTakesNothingFromTheTrashThatIsPulledByItsDigest(t *testing.T) {
	t.Parallel()
	i, d := aged(t, leftovers())
	i.push("team/app", "v1", "run by its digest")
	if _, err := i.Delete(t.Context(), app.DeleteRequest{Repository: "team/app", Tags: []string{"v1"}}); err != nil {
		t.Fatal(err)
	}
	i.age(d)
	empty := func(want int) {
		t.Helper()
		if n, err := app.EmptyOldest(t.Context(), i.Core); n != want || err != nil {
			t.Errorf("%d entries went, want %d; %v", n, want, err)
		}
	}
	i.pull("team/app", d)
	empty(0)
	i.linkedAt(d, time.Now().Add(-month))
	app.CountPullsSince(i.Core, time.Now())
	empty(0)
	app.CountPullsSince(i.Core, time.Now().Add(-12*month))
	empty(1)
}

func TestUsageDoesNotCountOnWhatMayHaveBeenPulled(t *testing.T) {
	t.Parallel()
	i, _ := aged(t, retention.Policy{Name: "leftovers", Untagged: retention.Age(hardlyAny)})
	freeable := func() int64 {
		t.Helper()
		reply, err := i.Usage(t.Context(), app.UsageRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return reply.Usage.Freeable
	}
	if freeable() <= 0 {
		t.Error("nothing is freeable where pulls are known")
	}
	app.CountPullsSince(i.Core, time.Now().Add(time.Hour))
	if n := freeable(); n != 0 {
		t.Errorf("%d bytes, although pulls are not known", n)
	}
}

func TestWhatIsPushedAgainByItsDigestIsNotAsOldAsItsLink(t *testing.T) {
	t.Parallel()
	i, d := aged(t, leftovers())
	if again := i.push("team/app", d, "run by its digest"); again != d {
		t.Fatalf("pushed %s", again)
	}
	_, r := i.cleanUp(app.RunCleanupRequest{})
	if because, keep := i.becauseOf(d); !keep || !strings.Contains(because, "pushed just now") {
		t.Errorf("the preview: %v, %s", keep, because)
	}
	if r.Manifests != 0 {
		t.Errorf("freed: %+v", r)
	}
	i.pull("team/app", d)
}
