//go:build linux

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// What every server holds. The store is written straight into the classic
// layout, which all of them serve; hard links save files.
const (
	repoApp    = "bench/app"       // one image, a 64 MiB layer, a 1 KiB blob
	repoFifty  = "bench/fifty"     // 50 tags
	repoMany   = "bench/many"      // manyTags tags, manyManifests manifests
	repoSmall  = "bench/small"     // what is mounted elsewhere
	repoPut    = "bench/put"       // empty but for the blobs of a manifest
	repoRefs   = "bench/referrers" // refCount referrers of one manifest
	repoPush   = "bench/push"
	repoMount  = "bench/mounted"
	manyTags   = 10_000
	allRepos   = 2_000
	smallCount = 2_000
	refCount   = 1_000

	manyManifests = 1_000
	mediaManifest = "application/vnd.oci.image.manifest.v1+json"
)

// content is what the requests need to know of the store.
type content struct {
	layer         string // digest of the big layer
	small, config string
	smalls        []string
	image         string // digest of the manifest latest of repoApp
	imageBytes    []byte
	layerBytes    []byte
	refs          string // the subject of the referrers
}

// newContent makes the bytes; nothing of it depends on the server.
func newContent() *content {
	c := &content{layerBytes: random(layerSize, 1)}
	c.layer = digestOf(c.layerBytes)
	c.small, c.config = digestOf(c.smallBytes()), digestOf(c.configBytes())
	c.imageBytes = c.manifest("latest")
	c.image = digestOf(c.imageBytes)
	c.refs = digestOf(c.manifest("subject"))
	for i := range smallCount {
		c.smalls = append(c.smalls, digestOf(smallBlob(i)))
	}
	return c
}

func (c *content) smallBytes() []byte  { return random(1024, 2) }
func (c *content) configBytes() []byte { return []byte(`{"architecture":"amd64","os":"linux"}`) }

func smallBlob(i int) []byte { return random(1024, uint64(1000+i)) }

// manifest is an image of a config and two layers; the name makes it another.
func (c *content) manifest(name string) []byte {
	return fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},`+
		`"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":%q,"size":%d},{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":%q,"size":1024}],`+
		`"annotations":{"org.opencontainers.image.version":%q}}`,
		mediaManifest, c.config, len(c.configBytes()), c.layer, layerSize, c.small, name)
}

// referrer is an artifact that is attached to c.refs.
func (c *content) referrer(i int) []byte {
	subject := c.manifest("subject")
	return fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"artifactType":"application/vnd.example.sbom","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},`+
		`"layers":[],"subject":{"mediaType":%q,"digest":%q,"size":%d},"annotations":{"number":"%d"}}`,
		mediaManifest, c.config, len(c.configBytes()), mediaManifest, c.refs, len(subject), i)
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// disk writes a store in the classic layout.
type disk struct {
	root  string
	names map[string]string // a link file with the text, to link again
	used  map[string]int
	err   error
}

func newDisk(data string) *disk {
	return &disk{root: filepath.Join(data, "docker/registry/v2"), names: map[string]string{}, used: map[string]int{}}
}

func (d *disk) do(f func() error) {
	if d.err == nil {
		d.err = f()
	}
}

func (d *disk) blob(digest string, bytes []byte) {
	d.do(func() error {
		dir := filepath.Join(d.root, "blobs/sha256", digest[7:9], digest[7:])
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "data"), bytes, 0o644)
	})
}

// link writes dir/link with a digest. A file has at most 65,000 names on ext4.
func (d *disk) link(digest, repo, dir string) {
	d.do(func() error {
		dir = filepath.Join(d.root, "repositories", repo, dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		name := filepath.Join(dir, "link")
		if first := d.names[digest]; first != "" && d.used[digest]%50_000 != 0 {
			d.used[digest]++
			return os.Link(first, name)
		}
		d.names[digest] = name
		d.used[digest]++
		return os.WriteFile(name, []byte(digest), 0o644)
	})
}

func hashed(digest string) string { return "/sha256/" + digest[7:] }

func (d *disk) layers(repo string, digests ...string) {
	for _, digest := range digests {
		d.link(digest, repo, "_layers"+hashed(digest))
	}
}

func (d *disk) revision(repo, digest string) {
	d.link(digest, repo, "_manifests/revisions"+hashed(digest))
}

func (d *disk) tag(repo, tag, digest string) {
	d.link(digest, repo, "_manifests/tags/"+tag+"/current")
	d.link(digest, repo, "_manifests/tags/"+tag+"/index"+hashed(digest))
}

// seed fills a data folder for the workloads, with so many repositories in all.
func (c *content) seed(data string, repos int) error {
	d := newDisk(data)
	d.blob(c.layer, c.layerBytes)
	d.blob(c.small, c.smallBytes())
	d.blob(c.config, c.configBytes())
	d.blob(c.image, c.imageBytes)
	for i, s := range c.smalls {
		d.blob(s, smallBlob(i))
		d.layers(repoSmall, s)
	}
	subject := c.manifest("subject")
	d.blob(c.refs, subject)
	for _, repo := range []string{repoApp, repoFifty, repoMany, repoPut, repoRefs, repoSmall, repoPush} {
		d.layers(repo, c.layer, c.small, c.config)
		// A repository counts when it has a manifest.
		d.revision(repo, c.image)
		d.tag(repo, "latest", c.image)
	}
	d.revision(repoRefs, c.refs)
	for i := 1; i < 50; i++ {
		d.tag(repoFifty, fmt.Sprintf("v1.%d", i), c.image)
	}
	var digests []string
	for i := range manyManifests {
		m := c.manifest(fmt.Sprint("many ", i))
		digests = append(digests, digestOf(m))
		d.blob(digests[i], m)
		d.revision(repoMany, digests[i])
	}
	for i := range manyTags - 1 {
		d.tag(repoMany, fmt.Sprintf("build-%05d", i), digests[i%manyManifests])
	}
	for i := range repos - 7 {
		repo := fmt.Sprintf("team-%03d/service-%06d", i%100, i)
		d.revision(repo, c.image)
		d.link(c.image, repo, "_manifests/tags/latest/current")
	}
	return errors.Join(d.err, syncFolder(data))
}

// seedTags fills a data folder with many tags, for the start.
func (c *content) seedTags(data string, tags int) error {
	d := newDisk(data)
	d.blob(c.layer, c.layerBytes)
	d.blob(c.small, c.smallBytes())
	d.blob(c.config, c.configBytes())
	d.blob(c.image, c.imageBytes)
	for i := range tags {
		repo := fmt.Sprintf("team/service-%03d", i/1000)
		if i%1000 == 0 {
			d.layers(repo, c.layer, c.small, c.config)
			d.revision(repo, c.image)
		}
		// Without the history of the tag, which no start reads.
		d.link(c.image, repo, fmt.Sprintf("_manifests/tags/build-%04d/current", i%1000))
	}
	return errors.Join(d.err, syncFolder(data))
}

// syncFolder writes out what was written, so that a server pays for its own
// bytes only.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = unix.Syncfs(int(f.Fd()))
	return errors.Join(err, f.Close())
}
