package registry

import (
	_ "crypto/sha256" // go-digest knows an algorithm only when it is linked in
	_ "crypto/sha512"
	"strings"

	"github.com/opencontainers/go-digest"
)

// MaxNameLength is the longest repository name, in bytes.
const MaxNameLength = 255

// maxTagLength is the longest tag, in bytes.
const maxTagLength = 128

// ParseName checks a repository name: components of [a-z0-9], joined inside by
// ".", "_", "__" or dashes, and to each other by "/"
// (distribution-spec, "Pulling manifests").
func ParseName(name string) error {
	if name == "" {
		return ErrNameInvalid.WithMessage("the repository name is empty")
	}
	if len(name) > MaxNameLength {
		return ErrNameInvalid.WithMessage("the repository name is longer than %d characters", MaxNameLength).WithDetail(name[:64] + "…")
	}
	for component := range strings.SplitSeq(name, "/") {
		if !validComponent(component) {
			return ErrNameInvalid.WithDetail(name)
		}
	}
	return nil
}

// validComponent matches [a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)* by hand: it
// runs on every request.
func validComponent(s string) bool {
	if s == "" || !alnum(s[0]) || !alnum(s[len(s)-1]) {
		return false
	}
	for i := 0; i < len(s); {
		if alnum(s[i]) {
			i++
			continue
		}
		start := i
		for i < len(s) && !alnum(s[i]) {
			i++
		}
		switch sep := s[start:i]; {
		case sep == "." || sep == "_" || sep == "__":
		case strings.Trim(sep, "-") == "":
		default:
			return false
		}
	}
	return true
}

func alnum(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// ParseTag checks a tag: [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}.
func ParseTag(tag string) error {
	if len(tag) > maxTagLength {
		return ErrTagInvalid.WithDetail(tag[:maxTagLength] + "…")
	}
	if !validTag(tag) {
		return ErrTagInvalid.WithDetail(tag)
	}
	return nil
}

// validTag is by hand for the same reason as validComponent.
func validTag(tag string) bool {
	for i := range len(tag) {
		c := tag[i]
		switch {
		case alnum(c), 'A' <= c && c <= 'Z', c == '_':
		case i > 0 && (c == '.' || c == '-'):
		default:
			return false
		}
	}
	return tag != ""
}

// ParseDigest checks a digest, and that its algorithm is one that the registry
// computes: sha256 or sha512.
func ParseDigest(s string) (Digest, error) {
	d := digest.Digest(s)
	if algorithm, encoded, ok := strings.Cut(s, ":"); ok && lowerHex(encoded) &&
		(algorithm == "sha256" && len(encoded) == 64 || algorithm == "sha512" && len(encoded) == 128) {
		return d, nil
	}
	if err := d.Validate(); err != nil {
		return "", ErrDigestInvalid.WithMessage("%q is not a digest: %v", clip(s), err)
	}
	if a := d.Algorithm(); a != digest.SHA256 && a != digest.SHA512 {
		return "", ErrDigestInvalid.WithMessage("digests of algorithm %q are not supported; use sha256 or sha512", a)
	}
	return d, nil
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

// Reference is what follows a repository name: a tag or a digest, never both.
type Reference struct {
	Tag    string
	Digest Digest
}

// ParseReference reads a tag or a digest: what has a colon is a digest.
func ParseReference(s string) (Reference, error) {
	if strings.Contains(s, ":") {
		d, err := ParseDigest(s)
		return Reference{Digest: d}, err
	}
	return Reference{Tag: s}, ParseTag(s)
}

// String gives the tag or the digest back.
func (r Reference) String() string {
	if r.Digest != "" {
		return r.Digest.String()
	}
	return r.Tag
}

func clip(s string) string {
	if len(s) > 160 {
		return s[:160] + "…"
	}
	return s
}
