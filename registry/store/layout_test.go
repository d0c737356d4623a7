package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

const v2 = "docker/registry/v2/"

func keys(t testing.TB, drv *memory.Driver, prefix string) []string {
	t.Helper()
	var out []string
	for info, err := range drv.Walk(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, info.Key)
	}
	slices.Sort(out)
	return out
}

func content(t testing.TB, drv driver.Driver, key string) string {
	t.Helper()
	f, err := drv.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func put(t testing.TB, drv driver.Driver, files map[string]string) {
	t.Helper()
	for key, text := range files {
		if err := drv.Put(t.Context(), key, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
}

func blobPath(d registry.Digest) string {
	return v2 + "blobs/" + d.Algorithm().String() + "/" + d.Encoded()[:2] + "/" + d.Encoded() + "/data"
}

func linkPath(d registry.Digest) string { return d.Algorithm().String() + "/" + d.Encoded() + "/link" }

func TestAPushLeavesExactlyTheFilesOfDistribution(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	st := open(t, drv, nil, store.Options{})
	config := registrytest.PushBlob(t, st, "team/app", []byte(`{}`))
	m := registry.Manifest{Content: []byte(`{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"` + config.Digest.String() + `","size":2}}`)}
	put, err := st.PutManifest(t.Context(), "team/app", m, "v1")
	if err != nil {
		t.Fatal(err)
	}
	base := v2 + "repositories/team/app/"
	links := []string{
		base + "_layers/" + linkPath(config.Digest),
		base + "_manifests/revisions/" + linkPath(put.Digest),
		base + "_manifests/tags/v1/current/link",
		base + "_manifests/tags/v1/index/" + linkPath(put.Digest),
	}
	want := append([]string{blobPath(config.Digest), blobPath(put.Digest)}, links...)
	slices.Sort(want)
	if got := keys(t, drv, ""); !slices.Equal(got, want) {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for i, link := range links {
		d := put.Digest
		if i == 0 {
			d = config.Digest
		}
		if got := content(t, drv, link); got != d.String() {
			t.Errorf("%s holds %q", link, got)
		}
	}
}

func TestAnUploadThatWaitsLooksAsDistributionLeavesIt(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	st := open(t, drv, nil, store.Options{})
	up, err := st.StartUpload(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := up.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(up.Close(), st.Close()); err != nil {
		t.Fatal(err)
	}
	base := v2 + "repositories/app/_uploads/" + up.ID() + "/"
	want := []string{base + "data", base + "hashstates/sha256/5", base + "startedat"}
	if got := keys(t, drv, "docker"); !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if text := content(t, drv, base+"startedat"); !strings.HasSuffix(text, "Z") || len(text) != len("2006-01-02T15:04:05Z") {
		t.Errorf("startedat is %q", text)
	}
}

// foreign is a folder as distribution wrote it: a repository with a manifest, a
// tag, a layer that was pushed by its sha512 and is kept under its sha256, and
// an upload half-way.
func foreign(t testing.TB) (*memory.Driver, registry.Digest, registry.Digest) {
	t.Helper()
	drv := memory.New()
	layer, config := "layer", `{"os":"linux","architecture":"arm64"}`
	alias := digest.SHA512.FromString(layer)
	manifest := `{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",` +
		`"config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"` + digest.FromString(config).String() + `","size":37},` +
		`"layers":[{"mediaType":"a/b","digest":"` + alias.String() + `","size":5}]}`
	d := digest.FromString(manifest)
	base := v2 + "repositories/old/app/"
	put(t, drv, map[string]string{
		blobPath(digest.FromString(layer)):                      layer,
		blobPath(digest.FromString(config)):                     config,
		blobPath(d):                                             manifest,
		base + "_layers/" + linkPath(alias):                     digest.FromString(layer).String(),
		base + "_layers/" + linkPath(digest.FromString(layer)):  digest.FromString(layer).String(),
		base + "_layers/" + linkPath(digest.FromString(config)): digest.FromString(config).String(),
		base + "_manifests/revisions/" + linkPath(d):            d.String(),
		base + "_manifests/tags/latest/current/link":            d.String(),
		base + "_manifests/tags/latest/index/" + linkPath(d):    d.String(),
		base + "_uploads/0190b7a3-1111/data":                    "hel",
		base + "_uploads/0190b7a3-1111/startedat":               "2024-01-02T03:04:05Z",
	})
	return drv, d, alias
}

func TestAFolderOfDistributionIsServed(t *testing.T) {
	t.Parallel()
	drv, d, alias := foreign(t)
	st := open(t, drv, nil, store.Options{})
	ctx := t.Context()
	if got := list(t, st.Repositories(ctx, "")); !slices.Equal(got, []string{"old/app"}) {
		t.Errorf("repositories %v", got)
	}
	tag, err := st.ResolveTag(ctx, "old/app", "latest")
	if err != nil || tag.Digest != d || tag.MediaType != "application/vnd.docker.distribution.manifest.v2+json" {
		t.Errorf("tag %+v, %v", tag, err)
	}
	b, err := st.OpenBlob(ctx, "old/app", alias)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	got, err := io.ReadAll(b)
	if err != nil || string(got) != "layer" || b.Descriptor().Digest != alias {
		t.Errorf("layer by its alias: %q, %+v, %v", got, b.Descriptor(), err)
	}
	m, err := st.Manifest(ctx, "old/app", d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.PutManifest(ctx, "old/app", m, "again"); err != nil {
		t.Errorf("push it again: %v", err)
	}
	up, err := st.ResumeUpload(ctx, "old/app", "0190b7a3-1111")
	if err != nil || up.Size() != 3 {
		t.Fatalf("resume: %v", err)
	}
	if _, err := io.Copy(up, bytes.NewReader([]byte("lo"))); err != nil {
		t.Fatal(err)
	}
	if _, err := up.Commit(ctx, digest.FromString("hello")); err != nil {
		t.Errorf("commit: %v", err)
	}
}

func TestASweepSeesThroughAnAlias(t *testing.T) {
	t.Parallel()
	drv, _, alias := foreign(t)
	target := digest.FromString("layer")
	if err := drv.Delete(t.Context(), v2+"repositories/old/app/_layers/"+linkPath(target)); err != nil {
		t.Fatal(err)
	}
	st := open(t, drv, nil, store.Options{Grace: -1})
	if freed, err := st.Sweep(t.Context(), target, future()); freed != 0 || err != nil {
		t.Fatalf("freed %d, %v", freed, err)
	}
	if _, err := st.StatBlob(context.Background(), "old/app", alias); err != nil {
		t.Fatal(err)
	}
}
