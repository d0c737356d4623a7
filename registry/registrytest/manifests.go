package registrytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry"
)

const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

func checkManifest(t *testing.T, reg registry.Registry, repo string, want registry.Manifest) {
	t.Helper()
	got, err := reg.Manifest(t.Context(), repo, want.Digest)
	must(t, "read manifest", err)
	if got.MediaType != want.MediaType || got.Digest != want.Digest || !bytes.Equal(got.Content, want.Content) {
		t.Errorf("read %s %s of %d bytes, want %s %s of %d bytes", got.MediaType, got.Digest, len(got.Content), want.MediaType, want.Digest, len(want.Content))
	}
	stat, err := reg.StatManifest(t.Context(), repo, want.Digest)
	must(t, "stat manifest", err)
	checkDescriptor(t, stat, want)
}

func checkDescriptor(t *testing.T, got registry.Descriptor, want registry.Manifest) {
	t.Helper()
	if w := Descriptor(want); got.MediaType != w.MediaType || got.Digest != w.Digest || got.Size != w.Size {
		t.Errorf("described as %s %s of %d bytes, want %s %s of %d", got.MediaType, got.Digest, got.Size, w.MediaType, w.Digest, w.Size)
	}
}

func checkTag(t *testing.T, reg registry.Registry, repo, tag string, want registry.Manifest) {
	t.Helper()
	desc, err := reg.ResolveTag(t.Context(), repo, tag)
	must(t, "resolve "+tag, err)
	checkDescriptor(t, desc, want)
}

func manifestRoundTrip(t *testing.T, reg registry.Registry) {
	m := Image(t, reg, "team/app", "x")
	desc, err := reg.PutManifest(t.Context(), "team/app", registry.Manifest{MediaType: m.MediaType, Content: m.Content}, "v1")
	must(t, "push", err)
	checkDescriptor(t, desc, m)
	checkManifest(t, reg, "team/app", m)
	checkTag(t, reg, "team/app", "v1", m)
}

// docker turns an OCI manifest into Docker's form of it.
func docker(t *testing.T, m registry.Manifest, mediaType string) registry.Manifest {
	t.Helper()
	var doc map[string]any
	must(t, "unmarshal", json.Unmarshal(m.Content, &doc))
	doc["mediaType"] = mediaType
	if config, ok := doc["config"].(map[string]any); ok {
		config["mediaType"] = "application/vnd.docker.container.image.v1+json"
		for _, l := range doc["layers"].([]any) {
			l.(map[string]any)["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip"
		}
	}
	return marshal(t, mediaType, doc)
}

func manifestFormats(t *testing.T, reg registry.Registry) {
	oci := Image(t, reg, "a", "x")
	v2 := docker(t, oci, dockerManifest)
	artifact := Artifact(t, reg, "a", "application/x-thing", registry.Descriptor{MediaType: oci.MediaType, Digest: someDigest, Size: 7}, nil)
	child := Descriptor(v2)
	child.Platform = nil
	for _, m := range []registry.Manifest{
		oci, v2, artifact,
		Index(t, Descriptor(oci), Descriptor(artifact)), Index(t),
		docker(t, Index(t, child), dockerList),
	} {
		_, err := reg.PutManifest(t.Context(), "a", m)
		must(t, "push "+m.MediaType, err)
		checkManifest(t, reg, "a", m)
	}
}

func manifestInferred(t *testing.T, reg registry.Registry) {
	image := Image(t, reg, "a", "x")
	_, err := reg.PutManifest(t.Context(), "a", image)
	must(t, "push", err)
	for _, m := range []registry.Manifest{image, Index(t, Descriptor(image))} {
		var doc map[string]any
		must(t, "unmarshal", json.Unmarshal(m.Content, &doc))
		delete(doc, "mediaType")
		bare := marshal(t, m.MediaType, doc)
		for _, claimed := range []string{"", m.MediaType} {
			_, err := reg.PutManifest(t.Context(), "a", registry.Manifest{MediaType: claimed, Content: bare.Content})
			must(t, "push without mediaType", err)
			checkManifest(t, reg, "a", bare)
		}
	}
}

func sha512Manifest(t *testing.T, reg registry.Registry) {
	m := Image(t, reg, "a", "x")
	m.Digest = digest.SHA512.FromBytes(m.Content)
	desc, err := reg.PutManifest(t.Context(), "a", m, "v1")
	must(t, "push", err)
	checkDescriptor(t, desc, m)
	checkManifest(t, reg, "a", m)
	checkTag(t, reg, "a", "v1", m)
}

// image512 pushes blobs by their sha512, and gives a manifest of them, which is
// not pushed yet, under its sha512.
func image512(t *testing.T, reg registry.Registry, repo string) registry.Manifest {
	t.Helper()
	m := Image(t, reg, repo, "sha512")
	var doc map[string]any
	must(t, "unmarshal", json.Unmarshal(m.Content, &doc))
	for i, part := range []any{doc["config"], doc["layers"].([]any)[0]} {
		content := Bytes(uint64(40+i), 500)
		desc, err := push(t, reg, repo, content, digest.SHA512.FromBytes(content))
		must(t, "push by sha512", err)
		part.(map[string]any)["digest"], part.(map[string]any)["size"] = string(desc.Digest), desc.Size
	}
	m = marshal(t, m.MediaType, doc)
	m.Digest = digest.SHA512.FromBytes(m.Content)
	return m
}

// sha512Throughout has nothing but sha512: blobs, manifests, their index, and
// who refers to it.
func sha512Throughout(t *testing.T, reg registry.Registry) {
	m := image512(t, reg, "a")
	index := Index(t, Descriptor(m))
	index.Digest = digest.SHA512.FromBytes(index.Content)
	_, err := reg.PutManifest(t.Context(), "a", index, "v1")
	wantErr(t, "push an index before its child", err, registry.ErrManifestBlobUnknown)
	_, err = reg.PutManifest(t.Context(), "a", m)
	must(t, "push", err)
	_, err = reg.PutManifest(t.Context(), "a", index, "v1", "v2")
	must(t, "push index", err)
	checkManifest(t, reg, "a", m)
	checkManifest(t, reg, "a", index)
	checkTag(t, reg, "a", "v1", index)
	checkTag(t, reg, "a", "v2", index)
	_, err = reg.Manifest(t.Context(), "a", digest.FromBytes(m.Content))
	wantErr(t, "read by a digest that it was not pushed by", err, registry.ErrManifestUnknown)
	must(t, "delete", reg.DeleteManifest(t.Context(), "a", index.Digest))
	if got := names(t, reg.Tags(t.Context(), "a", "")); len(got) != 0 {
		t.Errorf("the tags are %q", got)
	}
}

func manifestMissing(t *testing.T, reg registry.Registry) {
	m := Image(t, reg, "has/all", "x")
	PushBlob(t, reg, "has/none", []byte("something else"))
	_, err := reg.PutManifest(t.Context(), "has/none", m, "v1")
	wantErr(t, "push", err, registry.ErrManifestBlobUnknown)
	if es := registry.AsErrors(err); len(es) != 2 {
		t.Errorf("config and layer are missing, the errors are %v", es)
	}
	_, err = reg.PutManifest(t.Context(), "has/all", Index(t, Descriptor(m)), "v1")
	wantErr(t, "push an index before its child", err, registry.ErrManifestBlobUnknown)
	_, err = reg.ResolveTag(t.Context(), "has/none", "v1")
	wantErr(t, "resolve", err, registry.ErrManifestUnknown, registry.ErrNameUnknown)
	_, err = reg.Manifest(t.Context(), "has/none", m.Digest)
	wantErr(t, "read", err, registry.ErrManifestUnknown, registry.ErrNameUnknown)
}

func manifestInvalid(t *testing.T, reg registry.Registry) {
	good := Image(t, reg, "a", "x")
	for what, m := range map[string]registry.Manifest{
		"nothing":             {MediaType: good.MediaType},
		"no JSON":             {MediaType: good.MediaType, Content: []byte("not json")},
		"an array":            {MediaType: good.MediaType, Content: []byte("[]")},
		"another media type":  {MediaType: dockerManifest, Content: good.Content},
		"no known media type": {MediaType: "application/json", Content: []byte(`{"schemaVersion":2}`)},
		"both at once": {MediaType: good.MediaType, Content: bytes.Replace(good.Content, []byte(`"schemaVersion"`),
			[]byte(`"manifests":[{"mediaType":"x","size":1,"digest":"`+someDigest+`"}],"schemaVersion"`), 1)},
	} {
		_, err := reg.PutManifest(t.Context(), "a", m, "v1")
		wantErr(t, what, err, registry.ErrManifestInvalid)
	}
}

func manifestDigest(t *testing.T, reg registry.Registry) {
	m := Image(t, reg, "a", "x")
	for _, d := range []registry.Digest{someDigest, digest.SHA512.FromString("other"), "sha256:12", "v1"} {
		m.Digest = d
		_, err := reg.PutManifest(t.Context(), "a", m)
		wantErr(t, "push as "+string(d), err, registry.ErrDigestInvalid)
	}
}

func manifestSize(t *testing.T, reg registry.Registry) {
	pad := func(size int) registry.Manifest {
		m := Image(t, reg, "a", "x")
		head := strings.Replace(string(m.Content), "{", `{"annotations":{"pad":"`, 1)
		at := strings.Index(head, `"pad":"`) + len(`"pad":"`)
		rest := `"},` + head[at:]
		m.Content = []byte(head[:at] + strings.Repeat("x", size-at-len(rest)) + rest)
		m.Digest = digest.FromBytes(m.Content)
		return m
	}
	m := pad(registry.MaxManifestSize)
	_, err := reg.PutManifest(t.Context(), "a", m, "v1")
	must(t, "push 4 MiB", err)
	checkManifest(t, reg, "a", m)
	_, err = reg.PutManifest(t.Context(), "a", pad(registry.MaxManifestSize+1), "v2")
	wantErr(t, "push 4 MiB and one byte", err, registry.ErrSizeInvalid, registry.ErrManifestInvalid)
}

func manifestManyTags(t *testing.T, reg registry.Registry) {
	m := Image(t, reg, "a", "x")
	tags := make([]string, 12)
	for i := range tags {
		tags[i] = fmt.Sprintf("v%d", i)
	}
	_, err := reg.PutManifest(t.Context(), "a", m, tags...)
	must(t, "push", err)
	for _, tag := range tags {
		checkTag(t, reg, "a", tag, m)
	}
}

func manifestBadTag(t *testing.T, reg registry.Registry) {
	m := Image(t, reg, "a", "x")
	_, err := reg.PutManifest(t.Context(), "a", m, "good", ".bad")
	wantErr(t, "push", err, registry.ErrTagInvalid)
	_, err = reg.ResolveTag(t.Context(), "a", "good")
	wantErr(t, "resolve the good one", err, registry.ErrManifestUnknown, registry.ErrNameUnknown)
}

func tagOverwrite(t *testing.T, reg registry.Registry) {
	first := PushImage(t, reg, "a", "v1", "latest")
	second := PushImage(t, reg, "a", "v2", "latest")
	checkTag(t, reg, "a", "latest", second)
	checkTag(t, reg, "a", "v1", first)
	third := Image(t, reg, "a", "third")
	_, err := reg.PutManifest(t.Context(), "a", third, "v1")
	must(t, "push", err)
	checkManifest(t, reg, "a", first)
	checkTag(t, reg, "a", "v1", third)
	_, err = reg.PutManifest(t.Context(), "a", first, "v1")
	must(t, "push the first again", err)
	checkTag(t, reg, "a", "v1", first)
}

func tagCase(t *testing.T, reg registry.Registry) {
	lower := PushImage(t, reg, "a", "latest")
	upper := PushImage(t, reg, "a", "LATEST")
	mixed := PushImage(t, reg, "a", "Latest")
	checkTag(t, reg, "a", "latest", lower)
	checkTag(t, reg, "a", "LATEST", upper)
	checkTag(t, reg, "a", "Latest", mixed)
	must(t, "delete", reg.DeleteTag(t.Context(), "a", "LATEST"))
	if got := names(t, reg.Tags(t.Context(), "a", "")); strings.Join(got, " ") != "Latest latest" {
		t.Errorf("the tags are %q", got)
	}
}
