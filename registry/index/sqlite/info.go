package sqlite

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry"
	"berth/registry/index"
)

// infoVersion begins every description of a manifest.
const infoVersion = 1

// mediaTypes are written as one byte: their place here. Append only.
var mediaTypes = []string{
	"",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.oci.image.config.v1+json",
	"application/vnd.oci.image.layer.v1.tar",
	"application/vnd.oci.image.layer.v1.tar+gzip",
	"application/vnd.oci.image.layer.v1.tar+zstd",
	"application/vnd.oci.empty.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.docker.container.image.v1+json",
	"application/vnd.docker.image.rootfs.diff.tar.gzip",
	"application/vnd.in-toto+json",
}

// otherType is the byte before a media type that is written out.
const otherType = 255

var mediaTypeCodes = func() map[string]byte {
	codes := map[string]byte{}
	for i, name := range mediaTypes {
		codes[name] = byte(i)
	}
	return codes
}()

func appendString[S ~string | ~[]byte](b []byte, s S) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendType(b []byte, name string) []byte {
	if code, ok := mediaTypeCodes[name]; ok {
		return append(b, code)
	}
	return appendString(append(b, otherType), name)
}

func appendDigest(b []byte, d registry.Digest) []byte {
	if d == "" {
		return append(b, 0)
	}
	return appendString(b, keyOf(d))
}

func appendStrings(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}

// rare is what few descriptors have.
type rare struct {
	URLs     []string          `json:"urls,omitempty"`
	Data     []byte            `json:"data,omitempty"`
	Platform *ocispec.Platform `json:"platform,omitempty"`
}

func appendDescriptor(b []byte, d registry.Descriptor) ([]byte, error) {
	b = appendType(b, d.MediaType)
	b = appendDigest(b, d.Digest)
	b = binary.AppendVarint(b, d.Size)
	b = appendType(b, d.ArtifactType)
	b = binary.AppendUvarint(b, uint64(len(d.Annotations)))
	for _, k := range slices.Sorted(maps.Keys(d.Annotations)) {
		b = appendString(appendString(b, k), d.Annotations[k])
	}
	if d.URLs == nil && d.Data == nil && d.Platform == nil {
		return append(b, 0), nil
	}
	text, err := json.Marshal(rare{URLs: d.URLs, Data: d.Data, Platform: d.Platform})
	return appendString(b, text), err
}

// encode writes what is kept of a manifest.
func encode(m *index.Manifest) ([]byte, error) {
	b, err := appendDescriptor([]byte{infoVersion}, m.Descriptor)
	if err != nil {
		return nil, err
	}
	b = appendDigest(b, m.Subject)
	for _, list := range [][]registry.Descriptor{m.Children, m.Blobs} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, d := range list {
			if b, err = appendDescriptor(b, d); err != nil {
				return nil, err
			}
		}
	}
	b = appendStrings(b, m.Platforms)
	if m.Created.IsZero() {
		return append(b, 0), nil
	}
	b = binary.AppendVarint(append(b, 1), m.Created.Unix())
	return binary.AppendUvarint(b, uint64(m.Created.Nanosecond())), nil
}

// decoder reads what encode wrote. After its end, or after something strange,
// it reads zeros and remembers that it did.
type decoder struct {
	rest string
	bad  bool
}

func (r *decoder) byte() byte {
	if r.rest == "" {
		r.bad = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *decoder) uvarint() uint64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	r.bad = true
	return 0
}

func (r *decoder) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// count reads a length of things that take at least a byte each.
func (r *decoder) count() int {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *decoder) string() string {
	n := r.count()
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *decoder) mediaType() string {
	code := r.byte()
	if code == otherType {
		return r.string()
	}
	if int(code) >= len(mediaTypes) {
		r.bad = true
		return ""
	}
	return mediaTypes[code]
}

func (r *decoder) digest() registry.Digest { return digestOf([]byte(r.string())) }

func (r *decoder) descriptor() registry.Descriptor {
	d := registry.Descriptor{MediaType: r.mediaType(), Digest: r.digest(), Size: r.varint(), ArtifactType: r.mediaType()}
	if n := r.count(); n > 0 {
		d.Annotations = make(map[string]string, n)
		for range n {
			k := r.string()
			d.Annotations[k] = r.string()
		}
	}
	if text := r.string(); text != "" {
		var more rare
		r.bad = json.Unmarshal([]byte(text), &more) != nil || r.bad
		d.URLs, d.Data, d.Platform = more.URLs, more.Data, more.Platform
	}
	return d
}

func (r *decoder) descriptors() []registry.Descriptor {
	var out []registry.Descriptor
	for range r.count() {
		out = append(out, r.descriptor())
	}
	return out
}

// begin reads as far as the manifest's own descriptor.
func (r *decoder) begin() registry.Descriptor {
	r.bad = r.byte() != infoVersion || r.bad
	return r.descriptor()
}

// decode reads what encode has written; anything else is damage.
func decode(b []byte) (index.Manifest, error) {
	r := decoder{rest: string(b)}
	m := index.Manifest{Descriptor: r.begin(), Subject: r.digest(), Children: r.descriptors(), Blobs: r.descriptors()}
	for range r.count() {
		m.Platforms = append(m.Platforms, r.string())
	}
	if r.byte() != 0 {
		m.Created = time.Unix(r.varint(), int64(r.uvarint())).UTC()
	}
	if r.bad || r.rest != "" {
		return index.Manifest{}, fmt.Errorf("%w: a manifest's description", errDamaged)
	}
	return m, nil
}

// decodeDescriptor reads only the manifest's own descriptor.
func decodeDescriptor(b []byte) (registry.Descriptor, error) {
	r := decoder{rest: string(b)}
	d := r.begin()
	if r.bad {
		return registry.Descriptor{}, fmt.Errorf("%w: a manifest's description", errDamaged)
	}
	return d, nil
}
