package app_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"berth/app"
)

// left gives the codes of what a repair did not mend, by image.
func left(j app.Job) map[string]string {
	out := map[string]string{}
	for _, r := range j.Repairs {
		if r.Problem != nil {
			out[r.Finding.Repository+":"+r.Finding.Tag] = r.Problem.Code
		}
	}
	return out
}

func TestWhatIsLostComesBackFromAnotherRegistry(t *testing.T) {
	t.Parallel()
	bad, good, want := wrecked(t)
	bad.verified(app.VerifyRequest{})
	j := bad.repaired(app.RepairRequest{From: good.base})
	if j.State != app.JobDone || j.Kind != app.JobRepair || len(j.Repairs) != len(want) || j.Done == 0 {
		t.Fatalf("the repair ended as %+v", j)
	}
	if got := left(j); len(got) != 2 || got["team/app:untagged"] != "fix_needed" || got["team/app:"] != "not_at_source" {
		t.Errorf("there is left %v", got)
	}
	if v := bad.verification(); len(v.Findings) != 2 {
		t.Errorf("there stand %+v", v.Findings)
	}
	i := slices.IndexFunc(j.Repairs, func(r app.Repair) bool { return r.Finding.Tag == "untagged" })
	dangling := j.Repairs[i].Finding
	if j := bad.repaired(app.RepairRequest{Findings: []string{dangling.ID}, Fix: app.FixRelink}); j.State != app.JobDone || len(left(j)) > 0 {
		t.Errorf("relinking left %+v", j)
	}
	v := bad.verified(app.VerifyRequest{Restart: true})
	if len(v.Findings) != 1 || v.Findings[0].Digest != digestOf([]byte("nowhere")) {
		t.Errorf("in the end there stands %+v", v.Findings)
	}
	for _, tag := range []string{"flipped", "cut", "unlinked", "untagged", "whole", "bare"} {
		bad.do("GET", "/v2/team/app/manifests/"+tag, "", nil, http.StatusOK)
		bad.do("GET", "/v2/team/app/blobs/"+digestOf([]byte("layer of "+tag)), "", nil, http.StatusOK)
	}
	bad.do("GET", "/v2/team/multi/manifests/all", "", nil, http.StatusOK)
}

func TestADanglingTagIsRemovedOnlyWhenThatIsAskedFor(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	d := i.push("app", "v1", "a layer")
	i.push("app", "v2", "another")
	lose(t, i.repoFile("app", "_manifests/revisions", d))
	v := i.verified(app.VerifyRequest{})
	if len(v.Findings) != 1 || i.unwell() != "1 link or tag needs mending" {
		t.Fatalf("found %+v, health %q", v.Findings, i.unwell())
	}
	if fixes := v.Findings[0].Fixes; !slices.Equal(fixes, []app.Fix{app.FixRelink, app.FixRemoveTag}) {
		t.Errorf("what is on disk is brought back first: %v", fixes)
	}
	if j := i.repaired(app.RepairRequest{}); left(j)["app:v1"] != "fix_needed" || !strings.HasSuffix(j.Repairs[0].Problem.Command, "--fix relink") {
		t.Errorf("unasked: %+v", j.Repairs)
	}
	j := i.repaired(app.RepairRequest{Fix: app.FixRemoveTag})
	if len(j.Repairs) != 1 || len(left(j)) > 0 {
		t.Fatalf("asked: %+v", j.Repairs)
	}
	tags, err := i.Tags(t.Context(), app.TagsRequest{Repository: "app"})
	if err != nil || len(tags.Tags) != 1 || tags.Tags[0].Name != "v2" {
		t.Errorf("tags %+v, %v", tags.Tags, err)
	}
	if v := i.verified(app.VerifyRequest{}); len(v.Findings) > 0 || i.unwell() != "" {
		t.Errorf("there stand %+v, health %q", v.Findings, i.unwell())
	}
	// The trash keeps its bytes, and brings it back whole.
	grace := time.Duration(0)
	cleaned, err := i.RunCleanup(t.Context(), app.RunCleanupRequest{Grace: &grace})
	if err != nil {
		t.Fatal(err)
	}
	if j := i.finished(cleaned.ID); j.State != app.JobDone {
		t.Fatalf("the clean-up ended as %+v", j)
	}
	if back, err := i.Restore(t.Context(), app.RestoreRequest{Entries: []string{j.Repairs[0].Entry}}); err != nil || len(back.Restored) != 1 {
		t.Fatalf("restored %+v, %v", back, err)
	}
	i.do("GET", "/v2/app/manifests/v1", "", nil, http.StatusOK)
	i.do("GET", "/v2/app/blobs/"+digestOf([]byte("a layer")), "", nil, http.StatusOK)
}

func TestASourceThatCannotHelpIsSaidWithTheWayOut(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	i.push("app", "v1", "a layer")
	spoil(t, i.blobFile(digestOf([]byte("a layer"))), "rotten!")
	id := i.verified(app.VerifyRequest{}).Findings[0].ID
	stranger, liar := fresh(t), httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("rubbish")) }))
	defer liar.Close()
	closed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer closed.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for from, want := range map[string]string{
		stranger.base: "not_at_source", stranger.base + "/mirror/of": "not_at_source", liar.URL: "source_differs", closed.URL: "source_denied", gone.URL: "source_unreachable",
	} {
		j := i.repaired(app.RepairRequest{Findings: []string{id}, From: from})
		if len(j.Repairs) != 1 || j.Repairs[0].Problem == nil || j.Repairs[0].Problem.Code != want || j.Repairs[0].Problem.Fix == "" {
			t.Errorf("%s: want %s, got %+v", from, want, j.Repairs)
			continue
		}
		if whole := want == "source_denied" || want == "source_unreachable"; whole != (j.State == app.JobFailed) {
			t.Errorf("%s: the job is %s", want, j.State)
		}
	}
	i.do("HEAD", "/v2/app/blobs/"+digestOf([]byte("a layer")), "", nil, http.StatusNotFound)
	for name, r := range map[string]app.RepairRequest{
		"source_unknown": {From: "ftp://x"}, "name_invalid": {From: "https://x/UPPER"}, "bad_request": {Fix: "magic"}, "not_found": {Findings: []string{"nope"}},
	} {
		if _, err := i.Repair(t.Context(), r); err == nil || app.AsProblem(err).Code != name {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestWhoAsksAnUpstreamMayGiveItsNameInTheAddress(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	i.push("app", "v1", "a layer")
	spoil(t, i.blobFile(digestOf([]byte("a layer"))), "rotten!")
	i.verified(app.VerifyRequest{})
	var asked string
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ada" || password != "s3cret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		asked = r.URL.Path
		_, _ = w.Write([]byte("a layer"))
	}))
	defer up.Close()
	j := i.repaired(app.RepairRequest{From: strings.Replace(up.URL, "://", "://ada:s3cret@", 1) + "/mirror"})
	if len(j.Repairs) != 1 || len(left(j)) > 0 || asked != "/v2/mirror/app/blobs/"+digestOf([]byte("a layer")) {
		t.Errorf("asked for %q, %+v", asked, j)
	}
	if text, _ := json.Marshal(j); strings.Contains(string(text), "s3cret") {
		t.Errorf("the job tells the password: %s", text)
	}
}

// savedTar is what docker save writes for an image with one unpacked layer.
func savedTar(t *testing.T, name string, config, layer []byte) []byte {
	t.Helper()
	list, _ := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}}})
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for file, content := range map[string][]byte{"manifest.json": list, "config.json": config, "layer.tar": layer} {
		err := w.WriteHeader(&tar.Header{Name: file, Mode: 0o600, Size: int64(len(content))})
		_, werr := w.Write(content)
		if err = errors.Join(err, werr); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, content []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, level)
	if err == nil {
		_, err = z.Write(content)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unzipped(t *testing.T, content []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pushedByDocker pushes an image whose engine has its one layer unpacked. The
// engine knows it by the digest of its config, and under a name.
func pushedByDocker(t *testing.T, level int) (i *instance, layer []byte, config []byte) {
	t.Helper()
	plain := bytes.Repeat([]byte("a file of the layer "), 500)
	config, _ = json.Marshal(map[string]any{"os": "linux", "architecture": "amd64", "rootfs": map[string]any{"type": "layers", "diff_ids": []string{digestOf(plain)}}})
	e := &engines{images: []app.EngineImage{
		{ID: digestOf([]byte("another")), Names: []string{"other:latest"}},
		{ID: digestOf(config), Names: []string{"localhost:5000/team/app:v1"}},
	}}
	e.save = func(image string) (io.ReadCloser, error) {
		if image != digestOf(config) {
			return nil, errors.New("there is no need to read " + image)
		}
		return io.NopCloser(bytes.NewReader(savedTar(t, "localhost:5000/team/app:v1", config, plain))), nil
	}
	o := options(t, t.TempDir(), "127.0.0.1:0")
	o.Engines = e
	i = start(t, o)
	i.engine = e
	layer = zipped(t, plain, level)
	_, manifest := image()
	m := manifest(i.pushBlob("team/app", config), []map[string]any{i.pushBlob("team/app", layer)})
	i.do("PUT", "/v2/team/app/manifests/v1", mediaManifest, m, http.StatusCreated)
	return i, layer, config
}

func TestALayerComesBackOutOfDocker(t *testing.T) {
	t.Parallel()
	i, layer, config := pushedByDocker(t, gzip.DefaultCompression)
	spoil(t, i.blobFile(digestOf(layer)), "rotten")
	spoil(t, i.blobFile(digestOf(config)), "rotten too")
	if v := i.verified(app.VerifyRequest{}); len(v.Findings) != 2 {
		t.Fatalf("found %+v", v.Findings)
	}
	j := i.repaired(app.RepairRequest{})
	if j.State != app.JobDone || len(j.Repairs) != 2 || len(left(j)) > 0 {
		t.Errorf("the repair ended as %+v", j)
	}
	i.do("GET", "/v2/team/app/blobs/"+digestOf(layer), "", nil, http.StatusOK)
	i.do("GET", "/v2/team/app/blobs/"+digestOf(config), "", nil, http.StatusOK)
	if v := i.verified(app.VerifyRequest{}); len(v.Findings) > 0 {
		t.Errorf("there stand %+v", v.Findings)
	}
}

func TestAManifestOfDockerPushIsWrittenAgain(t *testing.T) {
	t.Parallel()
	i, layer, config := pushedByDocker(t, gzip.DefaultCompression)
	content := fmt.Sprintf(`{
   "schemaVersion": 2,
   "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
   "config": {
      "mediaType": "application/vnd.docker.container.image.v1+json",
      "size": %d,
      "digest": "%s"
   },
   "layers": [
      {
         "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
         "size": %d,
         "digest": "%s"
      }
   ]
}`, len(config), digestOf(config), len(layer), digestOf(layer))
	m := digestOf([]byte(content))
	i.do("PUT", "/v2/team/app/manifests/docker", "application/vnd.docker.distribution.manifest.v2+json", []byte(content), http.StatusCreated)
	spoil(t, i.blobFile(m), "rotten")
	if v := i.verified(app.VerifyRequest{}); len(v.Findings) != 1 || v.Findings[0].Tag != "docker" {
		t.Fatalf("found %+v", v.Findings)
	}
	if j := i.repaired(app.RepairRequest{}); left(j)["team/app:docker"] != "not_at_source" {
		t.Errorf("an engine that never pushed it gave it: %+v", j)
	}
	i.engine.images[1].Digests = []string{"localhost:5000/team/app@" + m}
	if j := i.repaired(app.RepairRequest{}); len(j.Repairs) != 1 || len(left(j)) > 0 {
		t.Errorf("the repair ended as %+v", j)
	}
	i.do("GET", "/v2/team/app/manifests/docker", "", nil, http.StatusOK)
}

func TestALayerThatDockerPacksOtherwiseIsNotTaken(t *testing.T) {
	t.Parallel()
	i, layer, _ := pushedByDocker(t, gzip.BestSpeed)
	spoil(t, i.blobFile(digestOf(layer)), "rotten")
	i.verified(app.VerifyRequest{LookOnly: true})
	j := i.repaired(app.RepairRequest{From: "docker"})
	if len(j.Repairs) != 1 || left(j)["team/app:v1"] != "docker_repacks" || j.Repairs[0].Problem.Command != "berth push localhost:5000/team/app:v1 team/app:v1" {
		t.Errorf("the repair ended as %+v", j)
	}
	i.do("HEAD", "/v2/team/app/blobs/"+digestOf(layer), "", nil, http.StatusNotFound)
	if v := i.verification(); len(v.Findings) != 1 || len(v.Quarantined) != 1 {
		t.Errorf("there stand %+v", v)
	}
}

func TestWithoutAnEngineTheRepairSaysSo(t *testing.T) {
	t.Parallel()
	o := options(t, t.TempDir(), "127.0.0.1:0")
	o.Engines = &engines{absent: &app.Problem{Code: "docker_absent", Title: "No container engine answers", Exit: 5}}
	i := start(t, o)
	i.push("app", "v1", "a layer")
	spoil(t, i.blobFile(digestOf([]byte("a layer"))), "rotten!")
	i.verified(app.VerifyRequest{})
	j := i.repaired(app.RepairRequest{})
	if j.State != app.JobFailed || j.Problem.Code != "docker_absent" || left(j)["app:v1"] != "docker_absent" {
		t.Errorf("the repair ended as %+v", j)
	}
}
