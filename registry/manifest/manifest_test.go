package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"berth/registry"

	"github.com/opencontainers/go-digest"
)

func desc(mediaType, of string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, digest.FromString(of), len(of))
}

func image(extra string) string {
	return `{"schemaVersion":2,` + extra + `"config":` + desc("application/vnd.oci.image.config.v1+json", "c") +
		`,"layers":[` + desc("application/vnd.oci.image.layer.v1.tar+gzip", "l1") + `,` + desc("x/y", "l2") + `]}`
}

func mediaTypeField(t string) string { return fmt.Sprintf(`"mediaType":%q,`, t) }

func TestMediaTypeComesFromThePayload(t *testing.T) {
	t.Parallel()
	child := desc(OCIManifest, "child")
	for _, c := range []struct{ name, pushed, content, want string }{
		{"docker", DockerManifest, image(mediaTypeField(DockerManifest)), DockerManifest},
		{"docker, not said", "", image(mediaTypeField(DockerManifest)), DockerManifest},
		{"list", DockerManifestList, `{"schemaVersion":2,` + mediaTypeField(DockerManifestList) + `"manifests":[` + child + `]}`, DockerManifestList},
		{"oci", OCIManifest, image(mediaTypeField(OCIManifest)), OCIManifest},
		{"oci with parameters", OCIManifest + "; charset=utf-8", image(mediaTypeField(OCIManifest)), OCIManifest},
		{"oci inferred", "", image(""), OCIManifest},
		{"oci inferred and said", OCIManifest, image(""), OCIManifest},
		{"index inferred", OCIIndex, `{"schemaVersion":2,"manifests":[` + child + `]}`, OCIIndex},
		{"index of nothing", "", `{"schemaVersion":2,"manifests":[]}`, OCIIndex},
		{"index that says null elsewhere", "", `{"schemaVersion":2,"manifests":[],"config":null,"layers":null}`, OCIIndex},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := Parse(c.pushed, []byte(c.content))
			if err != nil || p.MediaType != c.want {
				t.Fatalf("got %q, %v; want %q", p.MediaType, err, c.want)
			}
		})
	}
}

func TestWhatIsNotAManifestIsRefused(t *testing.T) {
	t.Parallel()
	bad := `{"schemaVersion":2,"config":%s,"layers":[%s]}`
	ok := desc("x/y", "a")
	for name, c := range map[string]struct{ pushed, content string }{
		"no JSON":                   {"", `nope`},
		"an array":                  {"", `[]`},
		"nothing":                   {"", ``},
		"no schema version":         {"", `{"config":` + ok + `}`},
		"schema 1":                  {"", `{"schemaVersion":1,"fsLayers":[]}`},
		"schema 1 by type":          {dockerSchema1Signed, image("")},
		"unknown pushed type":       {"text/plain", image("")},
		"unknown own type":          {"", image(mediaTypeField("a/b"))},
		"disagreement":              {OCIManifest, image(mediaTypeField(DockerManifest))},
		"docker without own type":   {DockerManifest, image("")},
		"index pushed as image":     {OCIManifest, `{"schemaVersion":2,"manifests":[]}`},
		"index with layers":         {"", `{"schemaVersion":2,"manifests":[],"layers":[]}`},
		"index with config":         {"", `{"schemaVersion":2,"manifests":[],"config":` + ok + `}`},
		"image with manifests":      {OCIManifest, image(mediaTypeField(OCIManifest) + `"manifests":[],`)},
		"no config":                 {"", `{"schemaVersion":2,"layers":[]}`},
		"config is not an object":   {"", fmt.Sprintf(bad, `7`, ok)},
		"bad digest":                {"", fmt.Sprintf(bad, ok, `{"digest":"sha256:abc"}`)},
		"negative size":             {"", fmt.Sprintf(bad, `{"digest":"`+digest.FromString("").String()+`","size":-1}`, ok)},
		"layers are not a list":     {"", `{"schemaVersion":2,"config":` + ok + `,"layers":{}}`},
		"bad subject":               {"", image(`"subject":{"digest":"x"},`)},
		"foreign layer without url": {"", fmt.Sprintf(bad, ok, desc(dockerForeignLayer, "f"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if p, err := Parse(c.pushed, []byte(c.content)); !errors.Is(err, registry.ErrManifestInvalid) {
				t.Fatalf("got %+v, %v; want ErrManifestInvalid", p, err)
			}
		})
	}
}

func TestAnImageUsesItsConfigAndThenItsLayers(t *testing.T) {
	t.Parallel()
	p, err := Parse("", []byte(image("")))
	if err != nil {
		t.Fatal(err)
	}
	var got []registry.Digest
	for _, b := range p.Blobs {
		if b.Elsewhere {
			t.Errorf("%s need not exist", b.Digest)
		}
		got = append(got, b.Digest)
	}
	want := []registry.Digest{digest.FromString("c"), digest.FromString("l1"), digest.FromString("l2")}
	if !slices.Equal(got, want) || p.Config.Digest != want[0] {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestOnlyAForeignLayerWithURLsMayBeElsewhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mediaType, urls string
		elsewhere, bad  bool
	}{
		{mediaType: dockerForeignLayer, urls: `["https://a/b"]`, elsewhere: true},
		{mediaType: ociForeignLayers + "+gzip", urls: `["http://a/b"]`, elsewhere: true},
		{mediaType: ociForeignLayers, urls: `[]`},
		{mediaType: "application/vnd.oci.image.layer.v1.tar", urls: `["https://a/b"]`},
		{mediaType: ociForeignLayers, urls: `["ftp://a/b"]`, bad: true},
		{mediaType: ociForeignLayers, urls: `["https://a/b#c"]`, bad: true},
		{mediaType: ociForeignLayers, urls: `["/b"]`, bad: true},
	} {
		layer := strings.TrimSuffix(desc(c.mediaType, "f"), "}") + `,"urls":` + c.urls + `}`
		p, err := Parse("", []byte(`{"schemaVersion":2,"config":`+desc("x/y", "c")+`,"layers":[`+layer+`]}`))
		if (err != nil) != c.bad {
			t.Errorf("%s %s: %v", c.mediaType, c.urls, err)
		} else if err == nil && p.Blobs[1].Elsewhere != c.elsewhere {
			t.Errorf("%s %s: elsewhere is %v", c.mediaType, c.urls, p.Blobs[1].Elsewhere)
		}
	}
}

func TestArtifactTypeFallsBackToTheConfigOfAnImageOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ content, want string }{
		{image(""), "application/vnd.oci.image.config.v1+json"},
		{image(`"artifactType":"a/sbom",`), "a/sbom"},
		{`{"schemaVersion":2,"manifests":[]}`, ""},
		{`{"schemaVersion":2,"artifactType":"a/b","manifests":[]}`, "a/b"},
	} {
		if p, err := Parse("", []byte(c.content)); err != nil || p.ArtifactType != c.want {
			t.Errorf("got %q, %v; want %q", p.ArtifactType, err, c.want)
		}
	}
}

func TestPlatformsLeaveOutAttestations(t *testing.T) {
	t.Parallel()
	child := func(of, platform string) string {
		return strings.TrimSuffix(desc(OCIManifest, of), "}") + `,"platform":` + platform + `}`
	}
	p, err := Parse("", []byte(`{"schemaVersion":2,"manifests":[`+strings.Join([]string{
		child("1", `{"os":"linux","architecture":"amd64"}`),
		child("2", `{"os":"linux","architecture":"arm","variant":"v7"}`),
		child("3", `{"os":"unknown","architecture":"unknown"}`),
		child("4", `{"os":"linux","architecture":"amd64"}`),
		desc(OCIManifest, "5"),
	}, ",")+`]}`))
	if err != nil || !slices.Equal(p.Platforms(), []string{"linux/amd64", "linux/arm/v7"}) || len(p.Children) != 5 {
		t.Fatalf("got %v, %d children, %v", p.Platforms(), len(p.Children), err)
	}
}

func TestConfigOfAnImageIsSummarised(t *testing.T) {
	t.Parallel()
	s, err := Config([]byte(`{"os":"linux","architecture":"arm64","variant":"v8","created":"2024-05-06T07:08:09Z",
		"config":{"Env":["A=b"],"Entrypoint":["/x"],"ExposedPorts":{"80/tcp":{},"443/tcp":{}},"Labels":{"k":"v"}},
		"rootfs":{"type":"layers","diff_ids":["sha256:1"]},
		"history":[{"created_by":"RUN x"},{"created_by":"ENV y","empty_layer":true}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if s.Platform() != "linux/arm64/v8" || s.Created.Year() != 2024 || len(s.DiffIDs) != 1 || s.Labels["k"] != "v" ||
		!slices.Equal(s.ExposedPorts, []string{"443/tcp", "80/tcp"}) {
		t.Errorf("got %+v", s)
	}
	if len(s.History) != 2 || s.History[0].Empty || !s.History[1].Empty || s.History[0].CreatedBy != "RUN x" {
		t.Errorf("history %+v", s.History)
	}
}

func TestConfigOfAnArtifactSaysNothingAndIsNoError(t *testing.T) {
	t.Parallel()
	for _, c := range []string{`{}`, `{"created":"yesterday","os":7,"history":"long"}`} {
		if s, err := Config([]byte(c)); err != nil || s.Platform() != "" || !s.Created.IsZero() {
			t.Errorf("%s: %+v, %v", c, s, err)
		}
	}
	if _, err := Config([]byte("tar")); !errors.Is(err, registry.ErrManifestInvalid) {
		t.Errorf("no JSON: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(OCIManifest, image(""))
	f.Add("", `{"schemaVersion":2,"manifests":[`+desc(OCIManifest, "a")+`]}`)
	f.Add(DockerManifest, image(mediaTypeField(DockerManifest)))
	f.Add("", `{"schemaVersion":2,"config":null}`)
	f.Fuzz(func(t *testing.T, mediaType, content string) {
		p, err := Parse(mediaType, []byte(content))
		if err != nil {
			if !errors.Is(err, registry.ErrManifestInvalid) {
				t.Fatalf("unexpected kind of error: %v", err)
			}
			return
		}
		again, err := Parse(p.MediaType, []byte(content))
		if err != nil || again.MediaType != p.MediaType {
			t.Fatalf("not stable: %q then %q, %v", p.MediaType, again.MediaType, err)
		}
		if IsIndex(p.MediaType) == (p.Config != nil) || IsIndex(p.MediaType) && len(p.Blobs) > 0 {
			t.Fatalf("both index and image: %+v", p)
		}
		for _, d := range append(slices.Clone(p.Children), blobs(p)...) {
			if _, err := registry.ParseDigest(d.Digest.String()); err != nil || d.Size < 0 {
				t.Fatalf("let through %+v", d)
			}
		}
		p.Platforms()
	})
}

func blobs(p Parsed) (out []registry.Descriptor) {
	for _, b := range p.Blobs {
		out = append(out, b.Descriptor)
	}
	return out
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"os":"linux","history":[{"created":null}]}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		s, err := Config(content)
		if err == nil && !json.Valid(content) {
			t.Fatalf("took what is no JSON: %q", content)
		}
		s.Platform()
	})
}
