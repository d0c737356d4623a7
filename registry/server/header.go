package server

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"berth/registry"
)

// Values that are the same in every response are shared: a header map only
// holds them.
var (
	contentJSON  = []string{"application/json"}
	contentIndex = []string{"application/vnd.oci.image.index.v1+json"}
	blobCaching  = []string{"max-age=31536000"} // a digest never changes what it names
	acceptRanges = []string{"bytes"}
	zeroLength   = []string{"0"}

	readingMethods = []string{"GET, HEAD, OPTIONS"}
)

const contentBytes = "application/octet-stream"

// buffers are for copying bodies, and for blobs small enough to be sent in one
// write.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 256<<10)
	return &b
}}

// content sets the headers that a blob and a manifest share, with one slice for
// all of them. Keys are written in their canonical form, as net/http would. A
// negative size is not told.
func content(header http.Header, d registry.Digest, mediaType string, size int64) {
	v := [...]string{string(d), quote(d), mediaType, ""}
	header["Docker-Content-Digest"] = v[0:1:1]
	header["Etag"] = v[1:2:2]
	header["Content-Type"] = v[2:3:3]
	if size >= 0 {
		v[3] = strconv.FormatInt(size, 10)
		header["Content-Length"] = v[3:4:4]
	}
}

func quote(d registry.Digest) string { return `"` + string(d) + `"` }

// notModified answers 304 where the client has the content already. An entity
// tag is a digest, quoted or not, as distribution takes it. caching is the
// Cache-Control of the content; nil when it has none.
func notModified(w http.ResponseWriter, r *http.Request, d registry.Digest, caching []string) bool {
	tags := r.Header["If-None-Match"]
	if len(tags) == 0 {
		return false
	}
	for _, list := range tags {
		for tag := range strings.SplitSeq(list, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == "*" || strings.Trim(tag, `"`) == string(d) {
				header := w.Header()
				header["Docker-Content-Digest"] = []string{string(d)}
				header["Etag"] = []string{quote(d)}
				if caching != nil {
					header["Cache-Control"] = caching
				}
				w.WriteHeader(http.StatusNotModified)
				return true
			}
		}
	}
	return false
}

// created answers 201 for what is now at path under digest d.
func (s *server) created(w http.ResponseWriter, r *http.Request, path string, d registry.Digest) {
	header := w.Header()
	header["Location"] = []string{s.base(r) + path}
	header["Docker-Content-Digest"] = []string{string(d)}
	header["Content-Length"] = zeroLength
	w.WriteHeader(http.StatusCreated)
}

// parseHost gives what a Location begins with, for a configured host. As in
// distribution, one without a scheme counts as absent, and a path ends at its
// last slash.
func parseHost(host string) string {
	u, err := url.Parse(host)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return ""
	}
	path := u.Path[:strings.LastIndexByte(u.Path, '/')+1]
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(path, "/")
}

// base is what a Location begins with: the configured host, else what proxies
// say in Forwarded (RFC 7239), else in X-Forwarded-*, else the Host of the
// request. That is distribution's order. A client that lies misleads itself.
//
// Only what is made of the request has the prefix: a proxy that the other two
// are for may have taken it away.
func (s *server) base(r *http.Request) string {
	if s.host != "" {
		return s.host
	}
	if s.o.RelativeURLs {
		return ""
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	proto, name := "", ""
	if f := r.Header.Get("Forwarded"); f != "" {
		proto, name = forwarded(f)
	} else {
		proto, _, _ = strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
		name, _, _ = strings.Cut(r.Header.Get("X-Forwarded-Host"), ",")
		name = strings.TrimSpace(name)
	}
	if proto = strings.ToLower(strings.TrimSpace(proto)); proto == "http" || proto == "https" {
		scheme = proto
	}
	if name != "" && !strings.ContainsAny(name, "/\\?#@<>\"' ") {
		host = name
	}
	return scheme + "://" + host + s.prefix
}

// forwarded reads proto and host of the first element of a Forwarded header.
func forwarded(value string) (proto, host string) {
	first, _, _ := strings.Cut(value, ",")
	for pair := range strings.SplitSeq(first, ";") {
		key, v, _ := strings.Cut(strings.TrimSpace(pair), "=")
		v = strings.Trim(strings.TrimSpace(v), `"`)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "proto":
			proto = v
		case "host":
			host = v
		}
	}
	return proto, host
}
