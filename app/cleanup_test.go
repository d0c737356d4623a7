package app_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"berth/app"
)

// hardlyAny is a grace that is over at once. With none at all a push that is
// under way keeps what it has for a moment.
const hardlyAny = time.Nanosecond

// withoutGrace is an instance that frees what nothing needs at once.
func withoutGrace(t *testing.T) *instance {
	t.Helper()
	o := options(t, t.TempDir(), "127.0.0.1:0")
	o.Config.Berth.Cleanup.Grace = hardlyAny
	return start(t, o)
}

// blobBytes is what lies on disk.
func blobBytes(t *testing.T, data string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(data, "docker/registry/v2/blobs"), func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		n += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// drop deletes tags, and lets go of them for good.
func (i *instance) drop(repo string, tags ...string) {
	i.t.Helper()
	if _, err := i.Delete(i.t.Context(), app.DeleteRequest{Repository: repo, Tags: tags}); err != nil {
		i.t.Fatal(err)
	}
	if _, err := i.EmptyTrash(i.t.Context(), app.EmptyTrashRequest{}); err != nil {
		i.t.Fatal(err)
	}
}

// cleanUp runs a clean-up to its end.
func (i *instance) cleanUp(r app.RunCleanupRequest) (app.Job, app.CleanupReceipt) {
	i.t.Helper()
	reply, err := i.RunCleanup(i.t.Context(), r)
	if err != nil {
		i.t.Fatal(err)
	}
	job := i.finished(reply.ID)
	if job.Receipt == nil {
		i.t.Fatalf("no receipt: %+v", job)
	}
	return job, *job.Receipt
}

func TestWhatAPlanShowsIsWhatTheCleanUpFreesToTheByte(t *testing.T) {
	t.Parallel()
	i := withoutGrace(t)
	i.push("team/app", "v1", strings.Repeat("a", 9000), "shared")
	i.push("team/app", "v2", "b", "shared")
	i.pushBlob("other", []byte("nothing uses this"))
	i.drop("team/app", "v1")
	before := blobBytes(t, i.data)
	plan, err := i.PlanCleanup(t.Context(), app.PlanCleanupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got := blobBytes(t, i.data); got != before {
		t.Errorf("the plan changed the disk: %d, was %d", got, before)
	}
	if plan.Blobs != 4 || plan.Manifests != 1 || plan.Frees < 9000 || len(plan.Repositories) != 2 || plan.Repositories[0].Name != "team/app" {
		t.Errorf("plan %+v", plan)
	}
	if len(plan.Items) != 4 || plan.Items[0].Size < 9000 || plan.Items[0].Repository != "team/app" || plan.Cut != 0 {
		t.Errorf("items %+v", plan.Items)
	}
	var sum int64
	for _, why := range plan.Why {
		sum += why.Bytes
	}
	if sum != plan.Frees || plan.InUse != before-plan.Frees {
		t.Errorf("reasons %d, frees %d, in use %d of %d", sum, plan.Frees, plan.InUse, before)
	}
	job, receipt := i.cleanUp(app.RunCleanupRequest{Plan: plan.ID})
	if job.State != app.JobDone || receipt.Freed != plan.Frees || receipt.Blobs != 4 || receipt.Manifests != 1 || len(receipt.Kept) > 0 {
		t.Errorf("job %s, receipt %+v", job.State, receipt)
	}
	if got := blobBytes(t, i.data); got != before-plan.Frees {
		t.Errorf("%d bytes on disk, want %d", got, before-plan.Frees)
	}
	i.do("GET", "/v2/team/app/manifests/v2", "", nil, http.StatusOK)
	usage, err := i.Usage(t.Context(), app.UsageRequest{})
	if err != nil || usage.Usage.Freeable != 0 || usage.Usage.Used != before-plan.Frees || usage.Last == nil || usage.Last.Job != job.ID {
		t.Errorf("usage %+v, %v", usage, err)
	}
	// It can be carried out once.
	_, err = i.RunCleanup(t.Context(), app.RunCleanupRequest{Plan: plan.ID})
	if p := app.AsProblem(err); p == nil || p.Code != "plan_gone" {
		t.Errorf("again: %v", err)
	}
}

func TestANewPlanTakesThePlaceOfTheOneBefore(t *testing.T) {
	t.Parallel()
	i := withoutGrace(t)
	var ids []string
	for range 2 {
		plan, err := i.PlanCleanup(t.Context(), app.PlanCleanupRequest{})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, plan.ID)
	}
	_, err := i.RunCleanup(t.Context(), app.RunCleanupRequest{Plan: ids[0]})
	if p := app.AsProblem(err); p == nil || p.Code != "plan_gone" {
		t.Errorf("the old plan: %v", err)
	}
	i.cleanUp(app.RunCleanupRequest{Plan: ids[1]})
}

func TestSoonAfterTheStartTheReceiptSaysWhyNothingWentAndWhenItWill(t *testing.T) {
	t.Parallel()
	i := start(t, options(t, used(t), "127.0.0.1:0"))
	content := []byte("nothing uses this")
	name := digestOf(content)
	dir := filepath.Join(i.data, "docker/registry/v2/blobs/sha256", name[7:9], name[7:])
	if err := errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(filepath.Join(dir, "data"), content, 0o666)); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * time.Hour)
	err := filepath.WalkDir(i.data, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(path, "docker/registry") {
			return os.Chtimes(path, old, old)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := i.PlanCleanup(t.Context(), app.PlanCleanupRequest{})
	if err != nil || plan.Frees != 0 || len(plan.Items) != 0 || len(plan.Stays) == 0 || plan.Stays[0].Bytes != 17 {
		t.Fatalf("plan %+v, %v", plan, err)
	}
	for _, r := range []app.RunCleanupRequest{{Plan: plan.ID}, {}} {
		_, receipt := i.cleanUp(r)
		if receipt.Freed != 0 || len(receipt.Kept) != 1 || receipt.Kept[0].Count != 1 || receipt.Kept[0].Bytes != 17 {
			t.Fatalf("receipt %+v", receipt)
		}
		if text := receipt.Kept[0].Text; !strings.Contains(text, "cannot know what it promised") || !strings.Contains(text, "it can go from ") {
			t.Errorf("kept: %s", text)
		}
	}
}

func TestAGraceThatIsTakenAwayWhileItRunsActsAtOnce(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	if _, err := i.Apply(t.Context(), app.ApplyRequest{Values: map[string]string{"berth.cleanup.grace": "1ns"}}); err != nil {
		t.Fatal(err)
	}
	i.pushBlob("team/app", []byte("nothing uses this"))
	if _, receipt := i.cleanUp(app.RunCleanupRequest{}); receipt.Freed != 17 {
		t.Errorf("receipt %+v", receipt)
	}
}

func TestAbandonedUploadsGoWithACleanUpAndThoseThatAreWrittenStay(t *testing.T) {
	t.Parallel()
	i := withoutGrace(t)
	left := filepath.Join(i.data, "docker/registry/v2/repositories/team/app/_uploads/0a7c1d3e-2f4b-4c5d-8e6f-9a8b7c6d5e4f")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-200 * time.Hour)
	for name, content := range map[string][]byte{"data": bytes.Repeat([]byte("x"), 700), "startedat": []byte(old.UTC().Format(time.RFC3339))} {
		file := filepath.Join(left, name)
		if err := errors.Join(os.WriteFile(file, content, 0o600), os.Chtimes(file, old, old), os.Chtimes(left, old, old)); err != nil {
			t.Fatal(err)
		}
	}
	fresh := i.do("POST", "/v2/team/app/blobs/uploads/", "", nil, http.StatusAccepted).Header.Get("Location")
	plan, err := i.PlanCleanup(t.Context(), app.PlanCleanupRequest{})
	if err != nil || plan.Uploads != 1 || plan.Frees != 700 || plan.Items[0].Kind != "upload" {
		t.Fatalf("plan %+v, %v", plan, err)
	}
	_, receipt := i.cleanUp(app.RunCleanupRequest{Plan: plan.ID})
	if receipt.Uploads != 1 || receipt.Freed != 700 {
		t.Errorf("receipt %+v", receipt)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("the upload is still there: %v", err)
	}
	i.do("PATCH", strings.TrimPrefix(fresh, i.base), "application/octet-stream", []byte("goes on"), http.StatusAccepted)
	i.do("DELETE", strings.TrimPrefix(fresh, i.base), "", nil, http.StatusNoContent)
}

func TestHistorySurvivesARestartAndADamagedOneBeginsAnew(t *testing.T) {
	t.Parallel()
	i := withoutGrace(t)
	i.pushBlob("team/app", []byte("loose"))
	job, _ := i.cleanUp(app.RunCleanupRequest{})
	again := func() app.CleanupsReply {
		if err := i.end(); err != nil {
			t.Fatal(err)
		}
		if err := i.Close(); err != nil {
			t.Fatal(err)
		}
		i = start(t, options(t, i.data, "127.0.0.1:0"))
		reply, err := i.Cleanups(t.Context(), app.CleanupsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	reply := again()
	if len(reply.Receipts) != 1 || reply.Receipts[0].Job != job.ID || reply.Receipts[0].Freed != 5 || reply.Schedule != "off" || !reply.Next.IsZero() {
		t.Errorf("history %+v", reply)
	}
	if err := os.WriteFile(filepath.Join(i.data, "berth/cleanup/history.json"), []byte(`{"receipts":[{`), 0o600); err != nil {
		t.Fatal(err)
	}
	if reply := again(); reply.Receipts == nil || len(reply.Receipts) != 0 {
		t.Errorf("damaged: %+v", reply)
	}
	if i.cleanUp(app.RunCleanupRequest{}); len(again().Receipts) != 1 {
		t.Error("it does not begin anew")
	}
}

func TestAReadOnlyRegistrySaysThatNothingCanBeFreed(t *testing.T) {
	t.Parallel()
	i := withoutGrace(t)
	if _, err := i.Apply(t.Context(), app.ApplyRequest{Values: map[string]string{"storage.maintenance.readonly.enabled": "true"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := i.PlanCleanup(t.Context(), app.PlanCleanupRequest{}); err != nil {
		t.Errorf("a plan only reads: %v", err)
	}
	_, err := i.RunCleanup(t.Context(), app.RunCleanupRequest{})
	if p := app.AsProblem(err); p == nil || p.Code != "read_only" || !strings.Contains(p.Text, "deleted or freed") {
		t.Errorf("problem %v", err)
	}
}

func TestAFolderThatNoInstanceOwnsWaitsForNobody(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	i.push("team/app", "v1", "layer")
	i.drop("team/app", "v1")
	if err := i.end(); err != nil {
		t.Fatal(err)
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	o := options(t, i.data, "")
	o.Alone = true
	c := open(t, o)
	i = &instance{Core: c, t: t, data: i.data}
	none := time.Duration(0)
	if _, receipt := i.cleanUp(app.RunCleanupRequest{}); receipt.Freed != 0 {
		t.Errorf("younger than the grace: %+v", receipt)
	}
	if _, receipt := i.cleanUp(app.RunCleanupRequest{Grace: &none}); receipt.Blobs != 3 || blobBytes(t, i.data) != 0 {
		t.Errorf("receipt %+v", receipt)
	}
	if receipts := must(i.Cleanups(t.Context(), app.CleanupsRequest{})).Receipts; len(receipts) != 2 || slices.ContainsFunc(receipts, func(r app.CleanupReceipt) bool { return r.By == "" }) {
		t.Errorf("receipts %+v", receipts)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestACleanUpWithRulesDropsIntoTheTrashAndFreesWhatThePlanHad(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	if _, err := i.Apply(t.Context(), app.ApplyRequest{Values: map[string]string{"berth.cleanup.grace": hardlyAny.String()}}); err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"v1", "v2", "v3"} {
		i.push("team/app", tag, "layer of "+tag, "shared")
	}
	i.pushBlob("team/app", []byte("nothing uses this"))
	i.setRules(app.Rule{Name: "newest", Newest: 1})
	plan, err := i.PlanCleanup(t.Context(), app.PlanCleanupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	job, receipt := i.cleanUp(app.RunCleanupRequest{Plan: plan.ID, Rules: true})
	if job.State != app.JobDone || receipt.Dropped != 2 || receipt.Freed != 17 || receipt.Blobs != 1 || len(receipt.Problems)+len(receipt.Kept) > 0 {
		t.Errorf("job %s, receipt %+v", job.State, receipt)
	}
	if tags := i.tags("team/app"); !slices.Equal(tags, []string{"v3"}) {
		t.Errorf("tags %q", tags)
	}
	trash := must(i.Trash(t.Context(), app.TrashRequest{}))
	if len(trash.Entries) != 2 {
		t.Fatalf("trash %+v", trash)
	}
	if _, again := i.cleanUp(app.RunCleanupRequest{Rules: true}); again.Dropped != 0 || again.Freed != 0 {
		t.Errorf("what is in the trash went: %+v", again)
	}
	if _, err := i.EmptyTrash(t.Context(), app.EmptyTrashRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, last := i.cleanUp(app.RunCleanupRequest{}); last.Manifests != 2 || last.Blobs == 0 {
		t.Errorf("receipt %+v", last)
	}
	i.do("GET", "/v2/team/app/manifests/v3", "", nil, http.StatusOK)
}

func TestAPlanSaysThatManifestsWithoutATagHoldWhatIsNoImages(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	i.push("team/app", "v1", strings.Repeat("a", 5000))
	i.drop("team/app", "v1")
	for text, r := range map[string]app.PlanCleanupRequest{
		"it is younger than the grace: all of it can go from ": {}, "it has no tag, and what has none is kept": {KeepUntagged: true},
	} {
		plan, err := i.PlanCleanup(t.Context(), r)
		if err != nil || plan.InUse != 0 || plan.Frees != 0 || len(plan.Stays) != 1 || !strings.HasPrefix(plan.Stays[0].Text, text) || plan.Stays[0].Bytes != blobBytes(t, i.data) {
			t.Errorf("%s: plan %+v, %v", text, plan, err)
		}
	}
}
