package sqlite

import (
	"encoding/hex"
	"strings"

	"github.com/opencontainers/go-digest"

	"berth/registry"
)

// A digest is kept as a byte for its algorithm and its raw bytes, which takes
// half of the text's room and sorts as the text does.
const (
	keySHA256 = 1
	keySHA512 = 2
	keyText   = 255 // of no known algorithm: the text itself
)

var keyAlgorithms = map[digest.Algorithm]byte{digest.SHA256: keySHA256, digest.SHA512: keySHA512}

func keyOf(d registry.Digest) []byte {
	algorithm, text, _ := strings.Cut(string(d), ":")
	if code, ok := keyAlgorithms[digest.Algorithm(algorithm)]; ok && len(text) == 2*digest.Algorithm(algorithm).Size() && text == strings.ToLower(text) {
		key := make([]byte, 1+len(text)/2)
		key[0] = code
		if _, err := hex.Decode(key[1:], []byte(text)); err == nil {
			return key
		}
	}
	return append([]byte{keyText}, d...)
}

// keyAfter gives a key that no digest behind d sorts before, so that a page
// may begin there. What is not a digest gives the start.
func keyAfter(d registry.Digest) []byte {
	if key := keyOf(d); key[0] != keyText {
		return key
	}
	return []byte{}
}

func digestOf(key []byte) registry.Digest {
	if len(key) == 0 {
		return ""
	}
	name := ""
	switch key[0] {
	case keySHA256:
		name = "sha256:"
	case keySHA512:
		name = "sha512:"
	default:
		return registry.Digest(key[1:])
	}
	out := make([]byte, len(name), len(name)+2*len(key))
	copy(out, name)
	return registry.Digest(hex.AppendEncode(out, key[1:]))
}
