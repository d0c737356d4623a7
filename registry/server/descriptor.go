package server

import (
	"encoding/json"
	"slices"
	"strconv"

	"berth/registry"
)

// appendDescriptor appends what json.Marshal makes of a descriptor. A list of
// referrers has a thousand of them, and most are plain: the rest is left to
// encoding/json.
func appendDescriptor(b []byte, d *registry.Descriptor) ([]byte, error) {
	if len(d.URLs) > 0 || len(d.Data) > 0 || d.Platform != nil || len(d.Annotations) > maxPlain {
		return appendMarshalled(b, *d)
	}
	b = appendString(append(b, `{"mediaType":`...), d.MediaType)
	b = appendString(append(b, `,"digest":`...), string(d.Digest))
	b = strconv.AppendInt(append(b, `,"size":`...), d.Size, 10)
	if len(d.Annotations) > 0 {
		b = appendAnnotations(append(b, `,"annotations":`...), d.Annotations)
	}
	if d.ArtifactType != "" {
		b = appendString(append(b, `,"artifactType":`...), d.ArtifactType)
	}
	return append(b, '}'), nil
}

// maxPlain is how many annotations are sorted without memory of their own.
const maxPlain = 16

func appendAnnotations(b []byte, annotations map[string]string) []byte {
	var room [maxPlain]string
	keys := room[:0]
	for key := range annotations {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for i, key := range keys {
		separator := byte(',')
		if i == 0 {
			separator = '{'
		}
		b = append(appendString(append(b, separator), key), ':')
		b = appendString(b, annotations[key])
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			b, _ = appendMarshalled(b, s) // a string always marshals
			return b
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendMarshalled(b []byte, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	return append(b, text...), err
}
