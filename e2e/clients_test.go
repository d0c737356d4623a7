//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDockerPushesMountsAndPulls(t *testing.T) {
	t.Parallel()
	e, b := docker(t), serve(t)
	app, base := b.addr+"/team/app:v1", layer(t, 1, 3<<20)
	id := e.load(t, app, base, program(t))
	e.run(t, "push", app)

	if out := e.run(t, "push", app); !strings.Contains(out, "Layer already exists") {
		t.Errorf("a second push sent layers again: %s", out)
	}
	other := b.addr + "/team/other:v1"
	e.load(t, other, base, layer(t, 2, 1<<20))
	if out := e.run(t, "push", other); !strings.Contains(out, "Mounted from team/app") {
		t.Errorf("a shared layer was sent again: %s", out)
	}

	e.run(t, "rmi", "-f", app, other)
	e.run(t, "pull", "-q", app)
	if got := e.id(t, app); got != id {
		t.Errorf("pulled %s, pushed %s", got, id)
	}
	if got := b.names(t); !slices.Equal(got, []string{"team/app:v1", "team/other:v1"}) {
		t.Errorf("the registry lists %v", got)
	}
}

func TestSkopeoCopiesAnIndexWithAllItsImages(t *testing.T) {
	t.Parallel()
	b, l := serve(t), newLayout(t)
	index := l.index(l.image("amd64", layer(t, 10, 1<<20)), l.image("arm64", layer(t, 11, 1<<20)))
	there := "docker://" + b.addr + "/multi/app:v1"
	must(t, nil, "skopeo", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false", "oci:"+l.tag(index, "v1")+":v1", there)

	var tags struct {
		Tags []struct {
			Name, Digest string
			Platforms    []string
		}
	}
	b.cli(t, &tags, "tags", "multi/app")
	if len(tags.Tags) != 1 || tags.Tags[0].Digest != index.Digest || !slices.Equal(tags.Tags[0].Platforms, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("tags are %+v, want the index %s with two platforms", tags.Tags, index.Digest)
	}
	back := t.TempDir()
	must(t, nil, "skopeo", "copy", "--all", "--preserve-digests", "--src-tls-verify=false", there, "oci:"+back+":v1")
	if _, err := os.Stat(filepath.Join(back, "blobs", "sha256", index.Digest[7:])); err != nil {
		t.Errorf("the index did not come back: %v", err)
	}
	// Docker schema 2 and its manifest list.
	must(t, nil, "skopeo", "copy", "--all", "--format", "v2s2", "--src-tls-verify=false", "--dest-tls-verify=false", there, "docker://"+b.addr+"/multi/docker:v1")
	raw := must(t, nil, "skopeo", "inspect", "--raw", "--tls-verify=false", "docker://"+b.addr+"/multi/docker:v1")
	if !strings.Contains(raw, "application/vnd.docker.distribution.manifest.list.v2+json") {
		t.Errorf("no manifest list came back: %s", raw)
	}
}

func TestPodmanPushesAndPulls(t *testing.T) {
	t.Parallel()
	b, store := serve(t), t.TempDir()
	podman := func(args ...string) string {
		return must(t, nil, append([]string{"podman", "--root", filepath.Join(store, "root"), "--runroot", filepath.Join(store, "run"), "--storage-driver", "vfs", "--events-backend", "none"}, args...)...)
	}
	name := b.addr + "/pod/app:v1"
	podman("load", "-q", "-i", dockerArchive(t, name, layer(t, 20, 1<<20), layer(t, 21, 1<<20)))
	id := podman("image", "inspect", "--format", "{{.Id}}", name)
	podman("push", "-q", "--tls-verify=false", name)
	podman("rmi", "-f", name)
	podman("pull", "-q", "--tls-verify=false", name)
	if got := podman("image", "inspect", "--format", "{{.Id}}", name); got != id {
		t.Errorf("pulled %s, pushed %s", got, id)
	}
}

func TestCranePushesCopiesAndPulls(t *testing.T) {
	t.Parallel()
	b := serve(t)
	crane := func(args ...string) string { return must(t, nil, append([]string{tool("crane")}, args...)...) }
	name := b.addr + "/crane/app"
	crane("push", dockerArchive(t, "app:v1", layer(t, 30, 1<<20), layer(t, 31, 1<<20)), name+":v1")
	digest := strings.TrimSpace(crane("digest", name+":v1"))
	crane("tag", name+":v1", "v2")
	crane("copy", name+":v1", b.addr+"/crane/copy:v1")
	if got := strings.Fields(crane("ls", name)); !slices.Equal(got, []string{"v1", "v2"}) {
		t.Errorf("crane lists the tags %v", got)
	}
	if got := strings.Fields(crane("catalog", b.addr)); !slices.Equal(got, []string{"crane/app", "crane/copy"}) {
		t.Errorf("crane lists the repositories %v", got)
	}
	crane("pull", name+"@"+digest, filepath.Join(t.TempDir(), "app.tar"))
	crane("validate", "--remote", name+":v2")
	crane("delete", name+":v2")
	if got := strings.Fields(crane("ls", name)); !slices.Equal(got, []string{"v1"}) {
		t.Errorf("after the delete of v2 crane lists %v", got)
	}
}

func TestRegctlKeepsArtifactsAndReferrers(t *testing.T) {
	t.Parallel()
	b, l := serve(t), newLayout(t)
	env := []string{"REGCTL_CONFIG=" + filepath.Join(t.TempDir(), "regctl.json")}
	regctl := func(args ...string) string { return must(t, env, append([]string{tool("regctl")}, args...)...) }
	regctl("registry", "set", "--tls", "disabled", b.addr)
	name := b.addr + "/reg/app:v1"
	regctl("image", "copy", "ocidir://"+l.tag(l.image("amd64", layer(t, 40, 1<<20)), "v1")+":v1", name)

	note := filepath.Join(t.TempDir(), "sbom.json")
	writeFile(t, note, `{"spdxVersion":"SPDX-2.3"}`)
	regctl("artifact", "put", "--subject", name, "--artifact-type", "application/spdx+json", "-f", note)
	var attached struct {
		Descriptors []descriptor `json:"descriptors"`
	}
	list := regctl("artifact", "list", "--format", "{{json .}}", name)
	if err := json.Unmarshal([]byte(list), &attached); err != nil {
		t.Fatal(err)
	}
	if len(attached.Descriptors) != 1 || attached.Descriptors[0].ArtifactType != "application/spdx+json" {
		t.Fatalf("what is attached: %s", list)
	}
	if got := regctl("artifact", "get", "--subject", name); got != `{"spdxVersion":"SPDX-2.3"}` {
		t.Errorf("the artifact came back as %q", got)
	}
	regctl("image", "copy", "--referrers", name, b.addr+"/reg/copy:v1")
	if got := regctl("artifact", "list", b.addr+"/reg/copy:v1"); !strings.Contains(got, attached.Descriptors[0].Digest) {
		t.Errorf("the copy has nothing attached: %s", got)
	}
	var seen struct{ Attached []struct{ Digest string } }
	b.cli(t, &seen, "inspect", "reg/app:v1")
	if len(seen.Attached) != 1 || seen.Attached[0].Digest != attached.Descriptors[0].Digest {
		t.Errorf("berth inspect shows attached %+v", seen.Attached)
	}
}

func TestContainerdPushesAndPulls(t *testing.T) {
	t.Parallel()
	b, dir := serve(t), t.TempDir()
	socket := filepath.Join(dir, "c.sock")
	settings := filepath.Join(dir, "config.toml")
	writeFile(t, settings, "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n")
	daemon, err := start("containerd", nil, "containerd", "--config", settings, "--address", socket, "--root", filepath.Join(dir, "root"), "--state", filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(daemon.end)
	ctr := func(args ...string) string {
		return must(t, nil, append([]string{"ctr", "--address", socket}, args...)...)
	}
	waitFor(t, 30*time.Second, "containerd answers", func() bool {
		_, _, err := execute(t.Context(), nil, "ctr", "--address", socket, "version")
		return err == nil
	})
	name := b.addr + "/ctr/app:v1"
	ctr("images", "import", "--no-unpack", dockerArchive(t, name, layer(t, 50, 1<<20), layer(t, 51, 1<<20)))
	ctr("images", "push", "--plain-http", name)
	digest := b.expect(t, 200, "HEAD", "/v2/ctr/app/manifests/v1", map[string]string{"Accept": "*/*"}, nil).header.Get("Docker-Content-Digest")
	ctr("images", "rm", "--sync", name)
	ctr("content", "fetch", "--plain-http", name)
	if list := ctr("images", "ls"); !strings.Contains(list, name) || !strings.Contains(list, digest) {
		t.Errorf("containerd has not got %s back: %s", digest, list)
	}
}
