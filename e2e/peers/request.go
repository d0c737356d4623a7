//go:build linux

package main

import (
	"bytes"
	"strings"
)

// accept is what clients ask manifests with.
const accept = "Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"

// request makes the bytes of a request; headers are lines without the last end.
func request(method, target string, headers ...string) []byte {
	var b bytes.Buffer
	b.WriteString(method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: berth-peers\r\n")
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// location gives the target of the Location header, without scheme and host.
func (r *response) location() string {
	l := string(r.get("Location"))
	if _, rest, ok := strings.Cut(l, "://"); ok {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return rest[i:]
		}
	}
	return l
}

// nextPage gives the target of a Link header, empty on the last page.
func (r *response) nextPage() string {
	l := string(r.get("Link"))
	if i, j := strings.IndexByte(l, '<'), strings.IndexByte(l, '>'); i >= 0 && j > i {
		l = l[i+1 : j]
		if _, rest, ok := strings.Cut(l, "://"); ok {
			l = rest[strings.IndexByte(rest, '/'):]
		}
		return l
	}
	return ""
}

func withDigest(target, digest string) string {
	if strings.Contains(target, "?") {
		return target + "&digest=" + digest
	}
	return target + "?digest=" + digest
}
