//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerConfig   = "application/vnd.docker.container.image.v1+json"
	dockerLayer    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
	mediaEmpty     = "application/vnd.oci.empty.v1+json"
)

var everyManifest = strings.Join([]string{mediaManifest, mediaIndex, dockerManifest, dockerList}, ", ")

// peer is a program of others that serves our folder.
type peer struct{ name, program string }

// peers are Debian's distribution 2 and our pinned distribution 3.
func peers(t testing.TB) []peer {
	t.Helper()
	two := tool("docker-registry")
	if found, err := exec.LookPath("docker-registry"); err == nil {
		two = found
	}
	three := tool("peers/registry")
	for _, program := range []string{two, three} {
		if _, err := os.Stat(program); err != nil {
			t.Fatalf("%v: make e2e brings it", err)
		}
	}
	return []peer{{"distribution 2", two}, {"distribution 3", three}}
}

// settings writes a config.yml for a peer on a folder.
func (p peer) settings(t testing.TB, data, addr string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yml")
	writeFile(t, path, "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: "+data+"\n  delete:\n    enabled: true\nhttp:\n  addr: "+addr+"\n  secret: interop\n")
	return path
}

// serve runs a peer on a folder, as if it were one of ours.
func (p peer) serve(t testing.TB, data string) *berth {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	proc, err := start("peer", []string{"OTEL_TRACES_EXPORTER=none"}, p.program, "serve", p.settings(t, data, addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proc.kill)
	waitFor(t, 20*time.Second, p.name+" answers", func() bool {
		answer, err := client.Get("http://" + addr + "/v2/")
		return err == nil && answer.Body.Close() == nil
	})
	return &berth{addr: addr, data: data, proc: proc}
}

// collect runs a peer's garbage collection on a folder that nobody serves.
func (p peer) collect(t testing.TB, data string, flags ...string) {
	t.Helper()
	must(t, []string{"OTEL_TRACES_EXPORTER=none"}, append(append([]string{p.program, "garbage-collect"}, flags...), p.settings(t, data, "127.0.0.1:0"))...)
}

// pushed is a manifest that a server acknowledged.
type pushed struct {
	repo, tag, digest, mediaType string
	content                      []byte
	blobs                        map[string][]byte
	tagged                       bool // also when everything without a tag is collected
}

// shelf pushes to a server, and remembers what.
type shelf struct {
	t    testing.TB
	b    *berth
	seed uint64
	all  []pushed
}

func (s *shelf) blob(repo string, content []byte) string {
	digest := digestOf(content)
	s.b.expect(s.t, 201, "PUT", with(s.b.open(s.t, repo), "digest="+digest),
		map[string]string{"Content-Type": "application/octet-stream"}, bytes.NewReader(content))
	return digest
}

// manifest pushes under a tag, or by its digest when that is empty.
func (s *shelf) manifest(repo, tag, mediaType string, content []byte, blobs map[string][]byte) descriptor {
	p := pushed{repo, tag, digestOf(content), mediaType, content, blobs, tag != ""}
	if tag == "" {
		tag = p.digest
	}
	s.b.expect(s.t, 201, "PUT", "/v2/"+repo+"/manifests/"+tag, map[string]string{"Content-Type": mediaType}, bytes.NewReader(content))
	s.all = append(s.all, p)
	return descriptor{MediaType: mediaType, Digest: p.digest, Size: len(content)}
}

// image pushes an image with two layers that no other has.
func (s *shelf) image(repo, tag, mediaType string) descriptor {
	s.seed++
	blobs := map[string][]byte{}
	kinds := [3]string{mediaConfig, mediaLayer, mediaManifest}
	if mediaType == dockerManifest {
		kinds = [3]string{dockerConfig, dockerLayer, dockerManifest}
	}
	one, two := layer(s.t, 1<<16+s.seed*2, 30<<10), layer(s.t, 1<<16+s.seed*2+1, 1<<10)
	describe := func(kind string, content []byte) descriptor {
		d := s.blob(repo, content)
		blobs[d] = content
		return descriptor{MediaType: kind, Digest: d, Size: len(content)}
	}
	return s.manifest(repo, tag, mediaType, toJSON(s.t, map[string]any{
		"schemaVersion": 2, "mediaType": kinds[2], "config": describe(kinds[0], config(s.t, "amd64", one, two)),
		"layers": []descriptor{describe(kinds[1], one), describe(kinds[1], two)},
	}), blobs)
}

func (s *shelf) index(repo, tag, mediaType string, children ...descriptor) descriptor {
	return s.manifest(repo, tag, mediaType, toJSON(s.t, map[string]any{"schemaVersion": 2, "mediaType": mediaType, "manifests": children}), nil)
}

// artifact pushes something about a subject, and the list of it under the tag
// that clients keep for registries that know no referrers.
func (s *shelf) artifact(repo string, subject descriptor, listed bool) descriptor {
	s.seed++
	empty, text := []byte("{}"), fmt.Appendf(nil, "signature %d", s.seed)
	s.blob(repo, empty)
	s.blob(repo, text)
	d := s.manifest(repo, "", mediaManifest, toJSON(s.t, map[string]any{
		"schemaVersion": 2, "mediaType": mediaManifest, "artifactType": "application/example.signature",
		"config": descriptor{MediaType: mediaEmpty, Digest: digestOf(empty), Size: 2},
		"layers": []descriptor{{MediaType: "application/example.signature", Digest: digestOf(text), Size: len(text)}}, "subject": subject,
	}), map[string][]byte{digestOf(empty): empty, digestOf(text): text})
	if listed {
		d.ArtifactType = "application/example.signature"
		s.index(repo, "sha256-"+subject.Digest[7:], mediaIndex, d)
	}
	return d
}

// fill pushes every kind of image under a prefix.
func (s *shelf) fill(prefix string, listed bool) {
	s.image(prefix, "v1", dockerManifest)
	s.image(prefix+"/b", "v1", mediaManifest)
	s.index(prefix+"/list", "v1", dockerList, s.image(prefix+"/list", "amd64", dockerManifest), s.image(prefix+"/list", "arm64", dockerManifest))
	app := s.image(prefix+"/multi", "app", mediaManifest)
	app.Platform = map[string]string{"os": "linux", "architecture": "amd64"}
	attestation := s.image(prefix+"/multi", "attestation", mediaManifest)
	attestation.Platform = map[string]string{"os": "unknown", "architecture": "unknown"}
	attestation.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": app.Digest}
	s.index(prefix+"/multi", "v1", mediaIndex, app, attestation)
	s.artifact(prefix+"/multi", app, listed)
	s.image("shared/app", "latest", mediaManifest)
	s.image("shared/app", "from-"+strings.ReplaceAll(prefix, "/", "-"), mediaManifest)
}

// pulls checks that a server gives everything, byte for byte. Of two pushes of
// one tag the later counts.
func (s *shelf) pulls(b *berth, who string) {
	s.t.Helper()
	newest := map[string]string{}
	for _, p := range s.all {
		newest[p.repo+":"+p.tag] = p.digest
	}
	accept := map[string]string{"Accept": everyManifest}
	for _, p := range s.all {
		references := []string{p.digest}
		if p.tag != "" && newest[p.repo+":"+p.tag] == p.digest {
			references = append(references, p.tag)
		}
		for _, reference := range references {
			r := b.call(s.t, "GET", "/v2/"+p.repo+"/manifests/"+reference, accept, nil)
			if r.status != 200 || !bytes.Equal(r.body, p.content) || r.header.Get("Content-Type") != p.mediaType || r.header.Get("Docker-Content-Digest") != p.digest {
				s.t.Errorf("%s gives %s@%s as %d, %s, %s: %.80s", who, p.repo, reference, r.status, r.header.Get("Content-Type"), r.header.Get("Docker-Content-Digest"), r.body)
			}
		}
		for digest, content := range p.blobs {
			if r := b.call(s.t, "GET", "/v2/"+p.repo+"/blobs/"+digest, nil, nil); r.status != 200 || !bytes.Equal(r.body, content) {
				s.t.Errorf("%s gives blob %s of %s as %d, %d bytes", who, digest, p.repo, r.status, len(r.body))
			}
		}
	}
}

// lists checks catalog and tags.
func (s *shelf) lists(b *berth, who string) {
	s.t.Helper()
	want := map[string][]string{}
	for _, p := range s.all {
		want[p.repo] = append(want[p.repo], p.tag)
	}
	for repo, tags := range want {
		tags = slices.DeleteFunc(tags, func(tag string) bool { return tag == "" })
		slices.Sort(tags)
		want[repo] = slices.Compact(tags)
	}
	err := until(20*time.Second, "", func() bool {
		var catalog struct{ Repositories []string }
		if json.Unmarshal(b.call(s.t, "GET", "/v2/_catalog?n=1000", nil, nil).body, &catalog) != nil || len(catalog.Repositories) != len(want) {
			return false
		}
		for repo, tags := range want {
			var got struct{ Tags []string }
			err := json.Unmarshal(b.call(s.t, "GET", "/v2/"+repo+"/tags/list?n=1000", nil, nil).body, &got)
			slices.Sort(got.Tags)
			if err != nil || !slices.Equal(got.Tags, tags) {
				return false
			}
		}
		return true
	})
	if err != nil {
		s.t.Errorf("%s does not list what was pushed: %s", who, b.call(s.t, "GET", "/v2/_catalog?n=1000", nil, nil).body)
	}
}

// TestOneFolderIsServedInTurnByBerthAndDistribution lets Berth and both
// distributions push every kind of image into one folder, one after the other;
// each collects garbage; each serves everything that any of them took.
func TestOneFolderIsServedInTurnByBerthAndDistribution(t *testing.T) {
	t.Parallel()
	data, all := t.TempDir(), peers(t)
	s := &shelf{t: t}
	location, begun := "", layer(t, 9000, 1<<20)
	ours := func(round int) {
		t.Helper()
		b, err := startBerth(data)
		if err != nil {
			t.Fatal(err)
		}
		defer b.proc.end()
		s.b = b
		s.pulls(b, "Berth")
		s.fill(fmt.Sprintf("ours/r%d", round), false)
		s.lists(b, "Berth")
		if location == "" {
			location = b.located(b.expect(t, 202, "PATCH", b.open(t, "shared/app"), map[string]string{"Content-Type": "application/octet-stream"}, bytes.NewReader(begun[:300_000])))
			return
		}
		// An upload that was begun before the others had the folder goes on.
		location = b.located(b.expect(t, 204, "GET", location, nil, nil))
		b.expect(t, 201, "PUT", with(location, "digest="+digestOf(begun)), map[string]string{"Content-Type": "application/octet-stream"}, bytes.NewReader(begun[300_000:]))
		b.expect(t, 200, "HEAD", "/v2/shared/app/blobs/"+digestOf(begun), nil, nil)
		location = ""
	}
	for round, p := range append(all, all...) {
		ours(round)
		theirs := p.serve(t, data)
		s.b = theirs
		s.pulls(theirs, p.name)
		s.fill(fmt.Sprintf("theirs/r%d", round), true)
		s.pulls(theirs, p.name)
		s.lists(theirs, p.name)
		theirs.proc.end()
		all[(round+1)%2].collect(t, data)
	}
	ours(len(all) * 2)
	for _, p := range all {
		theirs := p.serve(t, data)
		s.pulls(theirs, p.name)
		s.lists(theirs, p.name)
		theirs.proc.end()
	}
}

// TestWhatDistributionCollectsIsGoneAndNothingElse has each distribution remove
// what has no tag, behind Berth's back, while it is down and while it runs.
func TestWhatDistributionCollectsIsGoneAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, p := range peers(t) {
		for _, running := range []bool{false, true} {
			data := t.TempDir()
			b, err := startBerth(data)
			if err != nil {
				t.Fatal(err)
			}
			s := &shelf{t: t, b: b}
			s.fill("some/app", false)
			lost := s.image("some/app", "", mediaManifest)
			s.pulls(b, "Berth")
			if !running {
				b.proc.end()
			}
			p.collect(t, data, "--delete-untagged")
			if !running {
				b = serveOn(t, data)
			} else {
				t.Cleanup(b.proc.end)
			}
			b.expect(t, 404, "GET", "/v2/some/app/manifests/"+lost.Digest, map[string]string{"Accept": everyManifest}, nil)
			s.all = slices.DeleteFunc(s.all, func(p pushed) bool { return !p.tagged })
			s.pulls(b, "Berth after "+p.name)
			s.b = b
			again := s.image("some/app", "again", mediaManifest)
			b.expect(t, 200, "HEAD", "/v2/some/app/manifests/"+again.Digest, map[string]string{"Accept": everyManifest}, nil)
			s.lists(b, "Berth after "+p.name)
		}
	}
}

// TestSha512GoesBothWays pushes by sha512 to each, and pulls from all.
func TestSha512GoesBothWays(t *testing.T) {
	t.Parallel()
	data, all := t.TempDir(), peers(t)
	long := func(b []byte) string { sum := sha512.Sum512(b); return "sha512:" + hex.EncodeToString(sum[:]) }
	blobs := map[string][]byte{}
	push := func(b *berth, who string) {
		t.Helper()
		content := []byte("pushed by " + who)
		b.expect(t, 201, "PUT", with(b.open(t, "long/app"), "digest="+long(content)), map[string]string{"Content-Type": "application/octet-stream"}, bytes.NewReader(content))
		blobs[who] = content
	}
	pull := func(b *berth, who string) {
		t.Helper()
		for by, content := range blobs {
			if r := b.call(t, "GET", "/v2/long/app/blobs/"+long(content), nil, nil); r.status != 200 || !bytes.Equal(r.body, content) {
				t.Errorf("%s gives what %s took as %d: %s", who, by, r.status, r.body)
			}
		}
	}
	image := toJSON(t, map[string]any{"schemaVersion": 2, "mediaType": mediaIndex, "manifests": []descriptor{}})
	for range 2 {
		b, err := startBerth(data)
		if err != nil {
			t.Fatal(err)
		}
		pull(b, "Berth")
		push(b, "Berth")
		b.expect(t, 201, "PUT", "/v2/long/app/manifests/"+long(image), map[string]string{"Content-Type": mediaIndex}, bytes.NewReader(image))
		b.proc.end()
		for _, p := range all {
			theirs := p.serve(t, data)
			pull(theirs, p.name)
			push(theirs, p.name)
			r := theirs.call(t, "GET", "/v2/long/app/manifests/"+long(image), map[string]string{"Accept": everyManifest}, nil)
			if r.status != 200 || !bytes.Equal(r.body, image) {
				t.Errorf("%s gives Berth's manifest as %d: %s", p.name, r.status, r.body)
			}
			theirs.proc.end()
		}
	}
}
