//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// foreignFolder makes what distribution would have made of so many pushes,
// with hard links for what is the same everywhere. It gives the folder and the
// manifests that the tags of each repository name in turn.
func foreignFolder(t testing.TB, repos, tags, manifests int) (data string, images []pushed) {
	t.Helper()
	base := "/dev/shm" // making 200,000 folders on a disk would be what takes the time
	if _, err := os.Stat(base); err != nil {
		base = ""
	}
	data, err := os.MkdirTemp(base, "berth-foreign-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(data) })
	b, err := startBerth(data)
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{t: t, b: b}
	for range manifests {
		s.image("seed", "", mediaManifest)
	}
	b.proc.end()
	if err := os.RemoveAll(filepath.Join(data, "berth")); err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(data, "docker/registry/v2/repositories")
	link := func(from, to string) {
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for r := range repos {
		repo := filepath.Join(in, "team", fmt.Sprintf("app%04d", r))
		for _, p := range s.all {
			rest := filepath.Join("_manifests/revisions/sha256", p.digest[7:], "link")
			link(filepath.Join(in, "seed", rest), filepath.Join(repo, rest))
			for d := range p.blobs {
				rest := filepath.Join("_layers/sha256", d[7:], "link")
				link(filepath.Join(in, "seed", rest), filepath.Join(repo, rest))
			}
		}
		for n := range tags {
			from := filepath.Join(in, "seed/_manifests/revisions/sha256", s.all[n%manifests].digest[7:], "link")
			link(from, filepath.Join(repo, "_manifests/tags", fmt.Sprintf("v%04d", n), "current", "link"))
		}
	}
	return data, s.all
}

// TestAForeignFolderOf100000TagsIsServedAtOnce asks for lists and images from
// the first moment on, until the index knows all.
func TestAForeignFolderOf100000TagsIsServedAtOnce(t *testing.T) {
	const repos, tags = 200, 500
	data, images := foreignFolder(t, repos, tags, 20)
	began := time.Now()
	b := serveOn(t, data)
	ready := time.Since(began)
	var first, slowest, filled time.Duration
	for n := 0; filled == 0; n++ {
		asked := time.Now()
		repo, tag := fmt.Sprintf("team/app%04d", n*37%repos), n*101%tags
		want := images[tag%len(images)]
		r := b.expect(t, 200, "GET", fmt.Sprintf("/v2/%s/manifests/v%04d", repo, tag), map[string]string{"Accept": everyManifest}, nil)
		if got := r.header.Get("Docker-Content-Digest"); got != want.digest {
			t.Fatalf("%s:v%04d is %s, want %s", repo, tag, got, want.digest)
		}
		for d := range want.blobs {
			b.expect(t, 200, "HEAD", "/v2/"+repo+"/blobs/"+d, nil, nil)
		}
		var list struct{ Tags []string }
		r = b.expect(t, 200, "GET", "/v2/"+repo+"/tags/list?n=1000", nil, nil)
		if err := json.Unmarshal(r.body, &list); err != nil || len(list.Tags) != tags || list.Tags[tags-1] != fmt.Sprintf("v%04d", tags-1) {
			t.Fatalf("round %d: %s lists %d tags, want %d (%v)", n, repo, len(list.Tags), tags, err)
		}
		var catalog struct{ Repositories []string }
		r = b.expect(t, 200, "GET", "/v2/_catalog?n=1000", nil, nil)
		if err := json.Unmarshal(r.body, &catalog); err != nil || len(catalog.Repositories) != repos+1 {
			t.Fatalf("round %d: the catalog has %d repositories, want %d (%v)", n, len(catalog.Repositories), repos+1, err)
		}
		took := time.Since(asked)
		if n == 0 {
			first = time.Since(began)
		}
		slowest = max(slowest, took)
		if n%20 != 0 {
			continue
		}
		var snap struct {
			Repositories []struct{ Tags int }
		}
		b.cli(t, &snap, "ls")
		known := 0
		for _, r := range snap.Repositories {
			known += r.Tags
		}
		switch {
		case known == repos*tags:
			filled = time.Since(began)
		case time.Since(began) > 2*time.Minute:
			t.Fatalf("after two minutes the index knows %d tags", known)
		}
	}
	t.Logf("ready after %v, first answers after %v, slowest round %v, index filled after %v", ready, first, slowest, filled)
	if first > 5*time.Second || slowest > 5*time.Second {
		t.Errorf("the first answers came after %v, the slowest round took %v", first, slowest)
	}
}
