package app_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"berth/app"
	"berth/dockerbridge/dockertest"
)

// TestALayerComesBackOverTheSocketOfAnEngine is not parallel: DOCKER_HOST is
// that of the whole program.
func TestALayerComesBackOverTheSocketOfAnEngine(t *testing.T) {
	donor, layer, config := pushedByDocker(t, gzip.DefaultCompression)
	name := "localhost:5000/team/app:v1"
	d := dockertest.Start(t, dockertest.Options{
		Images:  []dockertest.Image{{ID: digestOf(config), Names: []string{name}}},
		Archive: savedTar(t, name, config, unzipped(t, layer)),
	})
	t.Setenv("DOCKER_HOST", d.Host)
	if err := donor.end(); err != nil {
		t.Fatal(err)
	}
	if err := donor.Close(); err != nil {
		t.Fatal(err)
	}
	o := options(t, donor.data, "127.0.0.1:0")
	o.Engines = nil // the real ones
	i := start(t, o)
	spoil(t, i.blobFile(digestOf(layer)), "rotten")
	i.verified(app.VerifyRequest{})
	j := i.repaired(app.RepairRequest{})
	if j.State != app.JobDone || len(j.Repairs) != 1 || len(left(j)) > 0 || j.Source != "Docker" {
		t.Errorf("the repair ended as %+v", j)
	}
	i.do("GET", "/v2/team/app/blobs/"+digestOf(layer), "", nil, http.StatusOK)
	if names := d.Names(); !slices.Equal(names, []string{name}) {
		t.Errorf("the engine has %q now", names)
	}
}

// asDockerPushes puts the manifest of docker push for an image with one layer.
func (i *instance) asDockerPushes(repo, tag string, layer, config []byte) (digest string) {
	i.t.Helper()
	content := fmt.Appendf(nil, `{
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
	i.do("PUT", "/v2/"+repo+"/manifests/"+tag, "application/vnd.docker.distribution.manifest.v2+json", content, http.StatusCreated)
	return digestOf(content)
}

func TestAManifestAndItsLayerThatAreBothLostComeBackOutOfDocker(t *testing.T) {
	t.Parallel()
	i, layer, config := pushedByDocker(t, gzip.DefaultCompression)
	old := i.do("HEAD", "/v2/team/app/manifests/v1", "", nil, http.StatusOK).Header.Get("Docker-Content-Digest")
	m := i.asDockerPushes("team/app", "v1", layer, config)
	lose(t, i.repoFile("team/app", "_manifests/revisions", old))
	i.engine.images[1].Digests = []string{"localhost:5000/team/app@" + m}
	for _, d := range []string{m, digestOf(layer), digestOf(config)} {
		spoil(t, i.blobFile(d), "rotten")
	}
	if v := i.verified(app.VerifyRequest{}); len(v.Findings) != 3 {
		t.Fatalf("found %+v", v.Findings)
	}
	if j := i.repaired(app.RepairRequest{}); j.State != app.JobDone || len(j.Repairs) != 3 || len(left(j)) > 0 {
		t.Errorf("the repair ended as %+v, left %v", j, left(j))
	}
	i.do("GET", "/v2/team/app/manifests/v1", "", nil, http.StatusOK)
	i.do("GET", "/v2/team/app/blobs/"+digestOf(layer), "", nil, http.StatusOK)
}

func TestOnlyTheImageOfATagIsOfferedToBePushedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		image app.EngineImage
		want  string
	}{
		"another tag":                   {app.EngineImage{ID: "sha256:1", Names: []string{"localhost:5000/team/app:aaa"}}, ""},
		"the tag itself":                {app.EngineImage{ID: "sha256:1", Names: []string{"team/app:v1"}}, "berth push team/app:v1 team/app:v1"},
		"the tag of another host":       {app.EngineImage{ID: "sha256:1", Names: []string{"registry.example.com/team/app:v1"}}, ""},
		"the tag, built anew":           {app.EngineImage{ID: "sha256:1", Names: []string{"team/app:v1"}, Digests: []string{"team/app@" + digestOf(nil)}}, ""},
		"another name, known by digest": {app.EngineImage{ID: "sha256:1", Names: []string{"mine:dev"}, Digests: []string{"x/y@DIGEST"}}, "berth push mine:dev team/app:v1"},
		"no name, known by id":          {app.EngineImage{ID: "DIGEST"}, "berth push DIGEST team/app:v1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t, t.TempDir(), "127.0.0.1:0")
			e := &engines{}
			o.Engines = e
			i := start(t, o)
			d := i.push("team/app", "v1", "a layer")
			c.image.ID = strings.ReplaceAll(c.image.ID, "DIGEST", d)
			for n := range c.image.Digests {
				c.image.Digests[n] = strings.ReplaceAll(c.image.Digests[n], "DIGEST", d)
			}
			e.images = []app.EngineImage{c.image}
			other, _ := json.Marshal(map[string]any{"os": "linux", "rootfs": map[string]any{"type": "layers", "diff_ids": []string{digestOf([]byte("layer"))}}})
			e.save = func(string) (io.ReadCloser, error) {
				return io.NopCloser(bytes.NewReader(savedTar(t, "other:latest", other, []byte("layer")))), nil
			}
			spoil(t, i.blobFile(d), "rotten")
			i.verified(app.VerifyRequest{})
			j := i.repaired(app.RepairRequest{})
			if len(j.Repairs) != 1 || j.Repairs[0].Problem == nil {
				t.Fatalf("the repair ended as %+v", j)
			}
			got := j.Repairs[0].Problem.Command
			if want := strings.ReplaceAll(c.want, "DIGEST", d); want != got && (want != "" || strings.Contains(got, "push")) {
				t.Errorf("it says %q, want %q", got, want)
			}
		})
	}
}
