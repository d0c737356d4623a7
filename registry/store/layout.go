package store

import (
	"errors"
	"path"
	"strconv"
	"strings"

	"berth/registry"

	"github.com/opencontainers/go-digest"
)

// The layout, which is that of CNCF distribution:
//
//	docker/registry/v2/
//	├── blobs/<algorithm>/<first two hex digits>/<hex>/data        every byte: layers, configs, manifests
//	└── repositories/<name>/
//	    ├── _layers/<algorithm>/<hex>/link                         the repository has this blob
//	    ├── _manifests/
//	    │   ├── revisions/<algorithm>/<hex>/link                   the repository has this manifest
//	    │   └── tags/<tag>/
//	    │       ├── current/link                                   what the tag names now
//	    │       └── index/<algorithm>/<hex>/link                   everything it ever named
//	    └── _uploads/<id>/
//	        ├── data                                               bytes so far
//	        ├── startedat                                          RFC 3339, UTC, seconds
//	        └── hashstates/<algorithm>/<offset>                    state of the hash at an offset
//
// A link is a file that holds a digest as text, without a newline. Names nest:
// repository "a/b" lies within the folder of "a". A component of a name never
// begins with "_", so the two cannot clash, but no folder of a repository may
// be deleted as a whole.
const (
	root      = "docker/registry/v2"
	blobsRoot = root + "/blobs"
	reposRoot = root + "/repositories"

	layersDir    = "_layers"
	manifestsDir = "_manifests"
	uploadsDir   = "_uploads"
)

func blobDir(d registry.Digest) string {
	hex := d.Encoded()
	return path.Join(blobsRoot, d.Algorithm().String(), hex[:2], hex)
}

// The keys that reads ask for are put together at once, since every request
// makes some.

func blobKey(d registry.Digest) string {
	hex := d.Encoded()
	return blobsRoot + "/" + d.Algorithm().String() + "/" + hex[:2] + "/" + hex + "/data"
}

func repoDir(repo string) string { return reposRoot + "/" + repo }

func layersRoot(repo string) string { return repoDir(repo) + "/" + layersDir }

func layerDir(repo string, d registry.Digest) string {
	return layersRoot(repo) + "/" + d.Algorithm().String() + "/" + d.Encoded()
}

func layerLink(repo string, d registry.Digest) string {
	return reposRoot + "/" + repo + "/" + layersDir + "/" + d.Algorithm().String() + "/" + d.Encoded() + "/link"
}

func revisionsRoot(repo string) string { return repoDir(repo) + "/" + manifestsDir + "/revisions" }

func revisionDir(repo string, d registry.Digest) string {
	return revisionsRoot(repo) + "/" + d.Algorithm().String() + "/" + d.Encoded()
}

func revisionLink(repo string, d registry.Digest) string {
	return reposRoot + "/" + repo + "/" + manifestsDir + "/revisions/" + d.Algorithm().String() + "/" + d.Encoded() + "/link"
}

func tagsRoot(repo string) string { return repoDir(repo) + "/" + manifestsDir + "/tags" }

func tagDir(repo, tag string) string { return tagsRoot(repo) + "/" + tag }

func currentLink(repo, tag string) string { return tagDir(repo, tag) + "/current/link" }

func historyDir(repo, tag string, d registry.Digest) string {
	return tagDir(repo, tag) + "/index/" + d.Algorithm().String() + "/" + d.Encoded()
}

func historyLink(repo, tag string, d registry.Digest) string {
	return historyDir(repo, tag, d) + "/link"
}

func uploadsRoot(repo string) string { return repoDir(repo) + "/" + uploadsDir }

func uploadDir(repo, id string) string { return uploadsRoot(repo) + "/" + id }

func uploadData(repo, id string) string { return uploadDir(repo, id) + "/data" }

func uploadStarted(repo, id string) string { return uploadDir(repo, id) + "/startedat" }

func hashStatesRoot(repo, id string, a digest.Algorithm) string {
	return uploadDir(repo, id) + "/hashstates/" + a.String()
}

func hashStateKey(repo, id string, a digest.Algorithm, offset int64) string {
	return hashStatesRoot(repo, id, a) + "/" + strconv.FormatInt(offset, 10)
}

// errDamaged marks what is on disk but cannot be what was written there.
var errDamaged = errors.New("damaged")

// parseLink reads the text of a link.
func parseLink(text []byte) (registry.Digest, error) {
	d, err := registry.ParseDigest(strings.TrimSpace(string(text)))
	if err != nil {
		return "", errDamaged
	}
	return d, nil
}

// digestAt makes a digest of two parts of a key; false for what is none.
func digestAt(algorithm, hex string) (registry.Digest, bool) {
	d, err := registry.ParseDigest(algorithm + ":" + hex)
	return d, err == nil
}

// validUploadID holds what may stand in an URL and in a key.
func validUploadID(id string) bool {
	if id == "" || len(id) > 128 || id == "." || id == ".." {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.=", c) >= 0) {
			return false
		}
	}
	return true
}
