package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"berth/app"
	"berth/registry/verify"
)

// blobFile is where the bytes of a digest lie.
func (i *instance) blobFile(d string) string {
	_, hex, _ := strings.Cut(d, ":")
	return filepath.Join(i.data, "docker/registry/v2/blobs/sha256", hex[:2], hex, "data")
}

// repoFile is a path in a repository; a digest in it becomes its folders.
func (i *instance) repoFile(repo string, parts ...string) string {
	path := filepath.Join(append([]string{i.data, "docker/registry/v2/repositories", repo}, parts...)...)
	return strings.ReplaceAll(path, "sha256:", "sha256/")
}

func spoil(t *testing.T, path, content string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func lose(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// verified verifies as fast as it goes, and gives what is found.
func (i *instance) verified(r app.VerifyRequest) app.Verification {
	i.t.Helper()
	if r.Rate == 0 {
		r.Rate = -1
	}
	reply, err := i.Verify(i.t.Context(), r)
	if err != nil {
		i.t.Fatal(err)
	}
	if j := i.finished(reply.ID); j.State != app.JobDone || j.Kind != app.JobVerify {
		i.t.Fatalf("the job ended as %+v, %v", j, j.Problem)
	}
	return i.verification()
}

func (i *instance) verification() app.Verification {
	i.t.Helper()
	app.LookAgain(i.Core)
	v, err := i.Verification(i.t.Context(), app.VerificationRequest{})
	if err != nil {
		i.t.Fatal(err)
	}
	return v
}

func (i *instance) repaired(r app.RepairRequest) app.Job {
	i.t.Helper()
	reply, err := i.Repair(i.t.Context(), r)
	if err != nil {
		i.t.Fatal(err)
	}
	return i.finished(reply.ID)
}

func (i *instance) unwell() string {
	i.t.Helper()
	h, err := i.Health(i.t.Context(), app.HealthRequest{})
	if err != nil {
		i.t.Fatal(err)
	}
	for _, p := range h.Problems {
		if p.Code == "damaged" {
			return p.Title
		}
	}
	return ""
}

// wrecked pushes images to an instance, and to another that stays whole, and
// damages the first in every way.
func wrecked(t *testing.T) (bad, good *instance, want map[string]string) {
	t.Helper()
	bad, good = fresh(t), fresh(t)
	digests := map[string]string{}
	for _, i := range []*instance{bad, good} {
		for _, tag := range []string{"flipped", "cut", "unlinked", "untagged", "whole", "bare"} {
			digests[tag] = i.push("team/app", tag, "layer of "+tag)
		}
		a := i.push("team/multi", "a", "layer of a")
		index, _ := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []any{
			map[string]any{"mediaType": mediaManifest, "digest": a, "size": 1, "platform": map[string]any{"os": "linux", "architecture": "arm64"}},
		}})
		i.do("PUT", "/v2/team/multi/manifests/all", "application/vnd.oci.image.index.v1+json", index, http.StatusCreated)
		digests["child"] = a
	}
	layer := func(tag string) string { return digestOf([]byte("layer of " + tag)) }
	spoil(t, bad.blobFile(layer("flipped")), "lAyer of flipped")
	spoil(t, bad.blobFile(layer("cut")), "layer")
	lose(t, bad.repoFile("team/app", "_layers", layer("unlinked")))
	lose(t, bad.repoFile("team/app", "_manifests/revisions", digests["untagged"]))
	lose(t, bad.blobFile(digests["bare"]))
	nowhere := digestOf([]byte("nowhere"))
	spoil(t, bad.repoFile("team/app", "_layers", nowhere, "link"), nowhere)
	lose(t, bad.repoFile("team/multi", "_manifests/revisions", digests["child"]))
	lose(t, bad.repoFile("team/multi", "_manifests/tags/a"))
	lose(t, bad.blobFile(digests["child"]))
	spoil(t, filepath.Join(filepath.Dir(bad.blobFile(nowhere)), "..", "..", "README"), "what is this?")
	return bad, good, map[string]string{
		"team/app:flipped": "blob missing", "team/app:cut": "blob missing", "team/app:unlinked": "blob not in the repository",
		"team/app:untagged": "dangling tag", "team/app:bare": "manifest missing", "team/app:": "blob missing", "team/multi:all": "child missing",
	}
}

func TestEveryDamageIsToldInWordsAndNothingIsDeleted(t *testing.T) {
	t.Parallel()
	bad, _, want := wrecked(t)
	v := bad.verified(app.VerifyRequest{})
	got := map[string]string{}
	for _, f := range v.Findings {
		got[f.Repository+":"+f.Tag] = f.Kind
		if f.ID == "" || f.Text == "" || !strings.HasSuffix(f.Text, ".") || f.Digest == "" {
			t.Errorf("it is not said well: %+v", f)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(v.Findings) != len(want) {
		t.Errorf("found %v\nwant  %v", got, want)
	}
	if v.State != app.VerifyDone || !v.Complete || v.Blobs != v.TotalBlobs || v.Bytes != v.TotalBytes || v.Ended.IsZero() || v.Links == 0 || v.Repositories != 2 {
		t.Errorf("at the end %+v", v)
	}
	if len(v.Quarantined) != 2 || v.Quarantined[0].At.IsZero() || v.Quarantined[0].Size+v.Quarantined[1].Size != int64(len("lAyer of flipped")+len("layer")) {
		t.Errorf("aside lies %+v", v.Quarantined)
	}
	if title := bad.unwell(); title != "6 images are damaged" {
		t.Errorf("health says %q", title)
	}
	again := bad.verified(app.VerifyRequest{Restart: true})
	for n, f := range again.Findings {
		if f.ID != v.Findings[n].ID {
			t.Errorf("its id was %s and is %s", v.Findings[n].ID, f.ID)
		}
	}
	if tags, err := bad.Tags(t.Context(), app.TagsRequest{Repository: "team/app"}); err != nil || len(tags.Tags) == 0 {
		t.Errorf("%+v, %v", tags, err)
	}
}

func TestWhoOnlyLooksLeavesWhatIsDamagedWhereItIs(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	i.push("app", "v1", "a layer")
	spoil(t, i.blobFile(digestOf([]byte("a layer"))), "rotten!")
	v := i.verified(app.VerifyRequest{LookOnly: true})
	if len(v.Findings) != 1 || v.Findings[0].Kind != string(verify.BlobDamaged) || v.Findings[0].Quarantined || len(v.Quarantined) != 0 {
		t.Errorf("found %+v", v)
	}
	if b, err := os.ReadFile(i.blobFile(digestOf([]byte("a layer")))); string(b) != "rotten!" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

func TestAPushHealsWhatWasMovedAside(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	i.push("app", "v1", "a layer")
	spoil(t, i.blobFile(digestOf([]byte("a layer"))), "rotten!")
	if v := i.verified(app.VerifyRequest{}); len(v.Findings) != 1 || i.unwell() != "An image is damaged" {
		t.Fatalf("found %+v, health %q", v, i.unwell())
	}
	i.push("app", "v1", "a layer")
	if v := i.verification(); len(v.Findings) != 0 || len(v.Quarantined) != 1 {
		t.Errorf("after the push %+v", v)
	}
	if said := i.unwell(); said != "" {
		t.Errorf("health still says %q", said)
	}
	if j := i.repaired(app.RepairRequest{DropQuarantined: true}); j.State != app.JobDone || j.Done != int64(len("rotten!")) {
		t.Errorf("dropped: %+v", j)
	}
	if v := i.verification(); len(v.Quarantined) != 0 {
		t.Errorf("aside still lies %+v", v.Quarantined)
	}
}

// until waits until a verification under way fulfils a condition.
func (i *instance) until(done func(v app.Verification) bool) app.Verification {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(i.t.Context(), 10*time.Second)
	defer cancel()
	for _, err := range i.Watch(ctx, app.WatchRequest{}) {
		if v := i.verification(); err == nil && done(v) {
			return v
		}
	}
	i.t.Fatalf("it never came to that: %+v", i.verification())
	return app.Verification{}
}

// slow has an instance with ten blobs of 100 kB, in the order of their digests.
func slow(t *testing.T) (i *instance, digests []string) {
	t.Helper()
	i = fresh(t)
	for n := range 10 {
		layer := strings.Repeat(fmt.Sprint(n), 100_000)
		digests = append(digests, digestOf([]byte(layer)))
		i.push("app", fmt.Sprint("v", n), layer)
	}
	slices.Sort(digests)
	return i, digests
}

func TestAVerificationGoesOnWhereItWasPausedAlsoAfterARestart(t *testing.T) {
	t.Parallel()
	i, digests := slow(t)
	ctx := t.Context()
	first, err := i.Verify(ctx, app.VerifyRequest{Rate: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	i.until(func(v app.Verification) bool {
		return v.State == app.VerifyRunning && v.Job == first.ID && v.Bytes >= 300_000
	})
	if second, err := i.Verify(ctx, app.VerifyRequest{}); err != nil || second != first {
		t.Errorf("a second start gave %v, %v", second, err)
	}
	if _, err := i.Verify(ctx, app.VerifyRequest{Restart: true}); app.AsProblem(err).Code != "verify_running" {
		t.Errorf("a second beginning gave %v", err)
	}
	if _, err := i.Cancel(ctx, app.CancelRequest(first)); err != nil {
		t.Fatal(err)
	}
	v := i.verification()
	if v.State != app.VerifyPaused || v.Job != "" || v.Blobs < 3 || v.Blobs >= v.TotalBlobs {
		t.Fatalf("paused at %+v", v)
	}
	if err := errors.Join(i.end(), i.Close()); err != nil {
		t.Fatal(err)
	}
	spoil(t, i.blobFile(digests[0]), "rotten, but was read already")
	i = start(t, options(t, i.data, "127.0.0.1:0"))
	if now := i.verification(); now.State != app.VerifyPaused || now.Blobs != v.Blobs || now.Bytes != v.Bytes || !now.Started.Equal(v.Started) {
		t.Errorf("after the restart it stands at %+v, before at %+v", now, v)
	}
	end := i.verified(app.VerifyRequest{})
	if end.Blobs != end.TotalBlobs || end.Bytes != end.TotalBytes || len(end.Findings) != 1 || end.Findings[0].Kind != string(verify.SizeWrong) {
		t.Errorf("it was read again, or something was not read: %+v", end)
	}
	if end := i.verified(app.VerifyRequest{}); len(end.Findings) != 1 || end.Findings[0].Kind != string(verify.BlobMissing) {
		t.Errorf("anew it found %+v", end)
	}
}

func TestAVerificationThatTheEndCutsOffGoesOnByItself(t *testing.T) {
	t.Parallel()
	i, _ := slow(t)
	if _, err := i.Verify(t.Context(), app.VerifyRequest{Rate: 1_000_000, LookOnly: true}); err != nil {
		t.Fatal(err)
	}
	before := i.until(func(v app.Verification) bool { return v.Bytes >= 200_000 })
	start := time.Now()
	if err := errors.Join(i.end(), i.Close()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the end waited %v for it", took)
	}
	c := open(t, options(t, i.data, "127.0.0.1:0"))
	app.ResumeSoon(c)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer running.Wait()
	defer cancel()
	i = &instance{Core: c, t: t, data: i.data}
	v := i.until(func(v app.Verification) bool { return v.State == app.VerifyDone })
	if v.Blobs != v.TotalBlobs || !v.Started.Equal(before.Started) {
		t.Errorf("it began anew: %+v, before %+v", v, before)
	}
}

func TestWhatCannotBeReadOfAVerificationMeansThatThereWasNone(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	i.push("app", "v1", "a layer")
	i.verified(app.VerifyRequest{})
	if err := errors.Join(i.end(), i.Close()); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"checkpoint.json": "{", "findings.json": `{"version":1,"findings":[`} {
		path := filepath.Join(i.data, "berth/verify", name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		spoil(t, path, content)
		c := open(t, options(t, i.data, "127.0.0.1:0"))
		if v, err := c.Verification(t.Context(), app.VerificationRequest{}); err != nil || v.State != app.VerifyNever {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		spoil(t, path, string(whole))
	}
	i = start(t, options(t, i.data, "127.0.0.1:0"))
	if v := i.verification(); v.State != app.VerifyDone || v.Blobs != 3 {
		t.Errorf("of what is whole it says %+v", v)
	}
}

func TestAVerificationThatACrashCutsOffIsNotTakenForTheOneBefore(t *testing.T) {
	t.Parallel()
	i, _ := slow(t)
	if v := i.verified(app.VerifyRequest{}); v.State != app.VerifyDone {
		t.Fatalf("the first ended as %+v", v)
	}
	if _, err := i.Verify(t.Context(), app.VerifyRequest{Restart: true, Rate: 100_000}); err != nil {
		t.Fatal(err)
	}
	crashed := t.TempDir()
	if err := os.CopyFS(filepath.Join(crashed, "berth/verify"), os.DirFS(filepath.Join(i.data, "berth/verify"))); err != nil {
		t.Fatal(err)
	}
	c := open(t, options(t, crashed, "127.0.0.1:0"))
	v, err := c.Verification(t.Context(), app.VerificationRequest{})
	if err != nil || v.State != app.VerifyPaused || !v.Interrupted || !v.Resumes.IsZero() {
		t.Errorf("after the crash it says %+v, %v", v, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	now := start(t, options(t, crashed, "127.0.0.1:0"))
	if v := now.until(func(v app.Verification) bool { return !v.Resumes.IsZero() }); time.Until(v.Resumes) > 10*time.Second {
		t.Errorf("it goes on at %v", v.Resumes)
	}
}

func TestHealthNamesWhatHelps(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	i.push("app", "v1", "a layer")
	said := func() string {
		i.verified(app.VerifyRequest{Restart: true})
		h, err := i.Health(t.Context(), app.HealthRequest{})
		if err != nil || len(h.Problems) != 1 {
			t.Fatalf("%+v, %v", h, err)
		}
		return fmt.Sprintf("%s %s %s %s", h.Problems[0].Title, h.Problems[0].Text, h.Problems[0].Fix, h.Problems[0].Command)
	}
	lose(t, i.repoFile("app", "_layers", digestOf([]byte("a layer"))))
	if s := said(); !strings.Contains(s, "cannot be pulled") || !strings.Contains(s, "link") || strings.Contains(s, "aside") || strings.Contains(s, "Docker") {
		t.Errorf("of a lost link it says %q", s)
	}
	lose(t, i.blobFile(digestOf([]byte("a layer"))))
	if s := said(); !strings.Contains(s, "damaged") || !strings.Contains(s, "Docker") || strings.Contains(s, "aside") {
		t.Errorf("of a lost blob it says %q", s)
	}
	i.push("app", "v1", "a layer")
	spoil(t, i.blobFile(digestOf([]byte("a layer"))), "rotten!")
	if s := said(); !strings.Contains(s, "aside") || !strings.Contains(s, "Docker") {
		t.Errorf("of a damaged blob it says %q", s)
	}
}
