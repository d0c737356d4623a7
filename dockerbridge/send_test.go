package dockerbridge_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/dockerbridge"
	"berth/dockerbridge/dockertest"
	"berth/registry"
	"berth/registry/registrytest"
)

// savedTar is what an engine saves of an image with one layer.
func savedTar(t *testing.T) (content []byte, id digest.Digest) {
	t.Helper()
	layer := bytes.Repeat([]byte("layer"), 50_000)
	config := []byte(`{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["` + digest.FromBytes(layer).String() + `"]}}`)
	list, err := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": nil, "Layers": []string{"1/layer.tar"}}})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range []struct {
		name    string
		content []byte
	}{{"config.json", config}, {"1/layer.tar", layer}, {"manifest.json", list}} {
		err := w.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.content)), Mode: 0o600, Typeflag: tar.TypeReg})
		_, werr := w.Write(f.content)
		if err := errors.Join(err, werr); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), digest.FromBytes(config)
}

var (
	refused = dockertest.Failure{Status: http.StatusInternalServerError, Message: "connect: connection refused"}
	there   = dockertest.Failure{Status: http.StatusNotFound, Message: "manifest unknown"}
)

// configOf gives the digest of the config of what a tag names.
func configOf(t *testing.T, reg registry.Registry, repo, tag string) digest.Digest {
	t.Helper()
	desc, err := reg.ResolveTag(t.Context(), repo, tag)
	if err != nil {
		t.Fatal(err)
	}
	m, err := reg.Manifest(t.Context(), repo, desc.Digest)
	if err != nil {
		t.Fatal(err)
	}
	var body struct{ Config registry.Descriptor }
	if err := json.Unmarshal(m.Content, &body); err != nil {
		t.Fatal(err)
	}
	return body.Config.Digest
}

func TestAnImageIsCarriedWhenTheEngineCannotBringIt(t *testing.T) {
	t.Parallel()
	content, id := savedTar(t)
	unreachable := `{"error":"dial tcp 127.0.0.1:5000: connect: connection refused"}`
	for what, o := range map[string]dockertest.Options{
		"it does not reach us":                    {Desktop: true, Distribution: refused, Images: []dockertest.Image{app("acme/app:dev")}},
		"it turns out not to reach us":            {Images: []dockertest.Image{app("acme/app:dev")}, Push: unreachable},
		"the image has no name":                   {Images: []dockertest.Image{app()}},
		"another registry listens over there":     {Desktop: true, Distribution: there, Images: []dockertest.Image{app("acme/app:dev")}, Push: dockertest.Stream(t, "push")},
		"Podman, which insists on TLS everywhere": {Podman: true, Images: []dockertest.Image{app("acme/app:dev")}},
	} {
		o.Archive = content
		before := o.Images[0].Names
		d, e := open(t, o)
		dst, opts := registrytest.NewFake(), options(idApp)
		opts.TempDir = t.TempDir()
		var notes []string
		got, err := dockerbridge.Send(t.Context(), e, dst, opts, func(p dockerbridge.Progress) {
			if !slices.Contains(notes, p.Note) {
				notes = append(notes, p.Note)
			}
			if p.Total > 0 && p.Done > p.Total {
				t.Errorf("%s: %d of %d", what, p.Done, p.Total)
			}
		})
		if err != nil || !got.Carried {
			t.Errorf("%s: %+v, %v", what, got, err)
			continue
		}
		if config := configOf(t, dst, "acme/app", "v1"); config != id {
			t.Errorf("%s: the registry has config %s, want %s", what, config, id)
		}
		if n := len(notes); n < 2 || notes[n-2] != "reading" || notes[n-1] != "storing" {
			t.Errorf("%s: notes %v", what, notes)
		}
		if !slices.Equal(d.Names(), before) {
			t.Errorf("%s: the engine has %v", what, d.Names())
		}
		if left, err := os.ReadDir(opts.TempDir); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind %v, %v", what, left, err)
		}
	}
}

func TestWhatTheEngineBroughtIsNotCarriedAgain(t *testing.T) {
	t.Parallel()
	dst := registrytest.NewFake()
	m := registrytest.PushImage(t, dst, "acme/app", "v1")
	d := digest.FromBytes(m.Content)
	_, e := open(t, dockertest.Options{
		Images: []dockertest.Image{app("acme/app:dev")},
		Push:   `{"progressDetail":{},"aux":{"Tag":"v1","Digest":"` + d.String() + `","Size":7}}`,
	})
	got, err := dockerbridge.Send(t.Context(), e, dst, options("acme/app:dev"), nil)
	if err != nil || got.Carried || got.Digest != d {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestADeniedPushIsNotCarriedPastTheRefusal(t *testing.T) {
	t.Parallel()
	_, e := open(t, dockertest.Options{
		Images: []dockertest.Image{app("acme/app:dev")}, Push: `{"error":"denied: requested access to the resource is denied"}`,
	})
	_, err := dockerbridge.Send(t.Context(), e, registrytest.NewFake(), options("acme/app:dev"), nil)
	wantKind(t, err, dockerbridge.KindDenied)
}

func TestABrokenSaveLeavesNothing(t *testing.T) {
	t.Parallel()
	content, _ := savedTar(t)
	for what, archive := range map[string][]byte{"cut off": content[:len(content)/2], "empty": {}, "no tar": bytes.Repeat([]byte("no"), 999)} {
		_, e := open(t, dockertest.Options{Images: []dockertest.Image{app("a:b")}, Archive: archive})
		dst, opts := registrytest.NewFake(), options(idApp)
		opts.TempDir = t.TempDir()
		_, err := dockerbridge.Carry(t.Context(), e, dst, opts, nil)
		wantKind(t, err, dockerbridge.KindOther)
		if _, err := dst.ResolveTag(t.Context(), "acme/app", "v1"); err == nil {
			t.Errorf("%s: the tag was set", what)
		}
		if left, err := os.ReadDir(opts.TempDir); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind %v, %v", what, left, err)
		}
	}
	_, e := open(t, dockertest.Options{Fail: map[string]dockertest.Failure{"GET /images/get": {Status: 404, Message: "No such image: x"}}})
	_, err := dockerbridge.Carry(t.Context(), e, registrytest.NewFake(), options("x"), nil)
	wantKind(t, err, dockerbridge.KindNotFound)
}
