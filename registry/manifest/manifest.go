package manifest

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"berth/registry"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Parsed is what the bytes of a manifest say.
type Parsed struct {
	// MediaType as a registry answers with it: the payload's own, or inferred.
	MediaType string
	// ArtifactType as a referrers list shows it: the payload's own; for an
	// image manifest without, the media type of its config; for an index
	// without, empty.
	ArtifactType string
	Annotations  map[string]string
	// Subject that this manifest refers to; nil when there is none.
	Subject *registry.Descriptor
	// Children are the manifests of an index, in order.
	Children []registry.Descriptor
	// Blobs are the config and then the layers, in order; none for an index.
	Blobs []Blob
	// Config is the first of Blobs; nil for an index.
	Config *registry.Descriptor
}

// Blob is a blob that a manifest uses.
type Blob struct {
	registry.Descriptor
	// Elsewhere means that the repository need not have it: a foreign layer,
	// which clients fetch from its urls.
	Elsewhere bool
}

// document is the union of the fields of the four formats.
type document struct {
	SchemaVersion int                  `json:"schemaVersion"`
	MediaType     string               `json:"mediaType"`
	ArtifactType  string               `json:"artifactType"`
	Config        json.RawMessage      `json:"config"`
	Layers        json.RawMessage      `json:"layers"`
	Manifests     json.RawMessage      `json:"manifests"`
	Subject       *registry.Descriptor `json:"subject"`
	Annotations   map[string]string    `json:"annotations"`
	// FSLayers exists in schema 1 only.
	FSLayers json.RawMessage `json:"fsLayers"`
}

// Parse reads a manifest. mediaType is the Content-Type that it came with; it
// may be empty, and must otherwise agree with the payload.
//
// A payload without mediaType is an OCI index if it has manifests, and an OCI
// image manifest otherwise. A payload that is both at once is refused
// (CVE-2021-41190). Errors: registry.ErrManifestInvalid.
func Parse(mediaType string, content []byte) (Parsed, error) {
	var doc document
	if err := json.Unmarshal(content, &doc); err != nil {
		return Parsed{}, invalid("the manifest is not valid JSON: %v", err)
	}
	t, err := doc.mediaType(essence(mediaType))
	if err != nil {
		return Parsed{}, err
	}
	p := Parsed{MediaType: t, ArtifactType: doc.ArtifactType, Annotations: doc.Annotations}
	if IsIndex(t) {
		err = doc.index(&p)
	} else {
		err = doc.image(&p)
	}
	if err != nil {
		return Parsed{}, err
	}
	if doc.Subject != nil {
		if err := check("subject", *doc.Subject); err != nil {
			return Parsed{}, err
		}
		p.Subject = doc.Subject
	}
	return p, nil
}

// mediaType settles what the document is.
func (doc *document) mediaType(pushed string) (string, error) {
	if isSchema1(pushed) || isSchema1(doc.MediaType) || doc.SchemaVersion == 1 || present(doc.FSLayers) {
		return "", invalid("manifests of schema version 1 are not supported; push it again with a current client")
	}
	if doc.SchemaVersion != 2 {
		return "", invalid("schemaVersion is %d, and must be 2", doc.SchemaVersion)
	}
	t := doc.MediaType
	switch {
	case t != "" && !known(t):
		return "", invalid("manifests of media type %q are not supported", t)
	case t == "" && present(doc.Manifests):
		t = OCIIndex
	case t == "":
		t = OCIManifest
	}
	if pushed != "" && !known(pushed) {
		return "", invalid("manifests of media type %q are not supported", pushed)
	}
	if pushed != "" && pushed != t {
		if doc.MediaType == "" {
			return "", invalid("pushed as %q, but the manifest has no mediaType and reads as %q", pushed, t)
		}
		return "", invalid("pushed as %q, but its mediaType is %q", pushed, t)
	}
	return t, nil
}

func (doc *document) index(p *Parsed) error {
	if present(doc.Config) || present(doc.Layers) {
		return invalid("an index must not have config or layers")
	}
	if present(doc.Manifests) {
		if err := json.Unmarshal(doc.Manifests, &p.Children); err != nil {
			return invalid("manifests: %v", err)
		}
	}
	for _, c := range p.Children {
		if err := check("manifests", c); err != nil {
			return err
		}
	}
	return nil
}

func (doc *document) image(p *Parsed) error {
	if present(doc.Manifests) {
		return invalid("an image manifest must not have manifests")
	}
	if !present(doc.Config) {
		return invalid("config is missing")
	}
	var config registry.Descriptor
	if err := json.Unmarshal(doc.Config, &config); err != nil {
		return invalid("config: %v", err)
	}
	if err := check("config", config); err != nil {
		return err
	}
	var layers []registry.Descriptor
	if present(doc.Layers) {
		if err := json.Unmarshal(doc.Layers, &layers); err != nil {
			return invalid("layers: %v", err)
		}
	}
	p.Config = &config
	p.Blobs = make([]Blob, 0, 1+len(layers))
	p.Blobs = append(p.Blobs, Blob{Descriptor: config})
	for _, l := range layers {
		if err := check("layers", l); err != nil {
			return err
		}
		elsewhere, err := elsewhere(l)
		if err != nil {
			return err
		}
		p.Blobs = append(p.Blobs, Blob{Descriptor: l, Elsewhere: elsewhere})
	}
	if p.ArtifactType == "" {
		p.ArtifactType = config.MediaType
	}
	return nil
}

// elsewhere says whether a layer need not be in the repository. Any other
// layer must be there, also one that carries urls.
func elsewhere(l registry.Descriptor) (bool, error) {
	if !foreign(l.MediaType) {
		return false, nil
	}
	if len(l.URLs) == 0 {
		if l.MediaType == dockerForeignLayer {
			return false, invalid("the foreign layer %s has no urls", l.Digest)
		}
		return false, nil
	}
	for _, s := range l.URLs {
		u, err := url.Parse(s)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Fragment != "" {
			return false, invalid("the layer %s has an unusable url %q", l.Digest, s)
		}
	}
	return true, nil
}

func check(field string, d registry.Descriptor) error {
	if _, err := registry.ParseDigest(d.Digest.String()); err != nil {
		return invalid("%s: %q is not a digest that is supported", field, d.Digest)
	}
	if d.Size < 0 {
		return invalid("%s: %s has a negative size", field, d.Digest)
	}
	return nil
}

// Platforms gives the platforms of an index's children as "os/arch[/variant]",
// each once, in order, without the "unknown/unknown" of attestations.
func (p Parsed) Platforms() []string {
	var out []string
	for _, c := range p.Children {
		if c.Platform == nil {
			continue
		}
		if s := platform(c.Platform); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func platform(p *ocispec.Platform) string {
	if p.OS == "" || p.OS == "unknown" || p.Architecture == "" || p.Architecture == "unknown" {
		return ""
	}
	return strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}

// present tells a field with a value from an absent or a null one.
func present(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

func invalid(format string, args ...any) error {
	return registry.ErrManifestInvalid.WithMessage(format, args...)
}
