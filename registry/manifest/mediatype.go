package manifest

import (
	"mime"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// The media types of manifests that a registry takes.
const (
	DockerManifest     = "application/vnd.docker.distribution.manifest.v2+json"
	DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
	OCIManifest        = ocispec.MediaTypeImageManifest
	OCIIndex           = ocispec.MediaTypeImageIndex
)

// Media types that are recognised only to be treated specially.
const (
	dockerSchema1       = "application/vnd.docker.distribution.manifest.v1+json"
	dockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws"
	dockerForeignLayer  = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
	ociForeignLayers    = "application/vnd.oci.image.layer.nondistributable.v1.tar"
)

// MediaTypes lists the manifests that [Parse] takes.
func MediaTypes() []string {
	return []string{DockerManifest, DockerManifestList, OCIManifest, OCIIndex}
}

// IsIndex reports whether the media type is one of a manifest of manifests.
func IsIndex(mediaType string) bool {
	return mediaType == OCIIndex || mediaType == DockerManifestList
}

func known(mediaType string) bool {
	return mediaType == DockerManifest || mediaType == OCIManifest || IsIndex(mediaType)
}

func isSchema1(mediaType string) bool {
	return mediaType == dockerSchema1 || mediaType == dockerSchema1Signed
}

// foreign reports whether a layer may live elsewhere, under its urls.
func foreign(mediaType string) bool {
	return mediaType == dockerForeignLayer || strings.HasPrefix(mediaType, ociForeignLayers)
}

// essence drops the parameters of a Content-Type.
func essence(contentType string) string {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return strings.TrimSpace(contentType)
	}
	return t
}
