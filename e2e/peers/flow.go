//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// fixed sends the same request again and again.
type fixed struct {
	request []byte
	head    bool
	length  int64
}

func (f *fixed) next(int) ([]byte, bool) { return f.request, f.head }

func (f *fixed) got(_ int, r *response) (bool, error) {
	if r.status != 200 || !f.head && int64(len(r.body)) != f.length {
		return false, fmt.Errorf("status %d, %d bytes: %.200s", r.status, len(r.body), r.body)
	}
	return true, nil
}

// manifests puts a new manifest with every request. With again it moves one tag
// of each connection, else every manifest gets a tag of its own.
type manifests struct {
	c       *content
	again   bool
	count   int
	current map[string]int // tag → number of the manifest last put there
}

func (f *manifests) next(i int) ([]byte, bool) {
	f.count++
	tag := fmt.Sprintf("put-%d", f.count)
	if f.again {
		tag = fmt.Sprintf("moving-%d", i)
	}
	f.current[tag] = f.count
	return putManifest(repoPut, tag, f.body(f.count)), false
}

func (f *manifests) body(n int) []byte {
	return f.c.manifest(fmt.Sprintf("put %v %d", f.again, n))
}

func (f *manifests) got(_ int, r *response) (bool, error) {
	if r.status != 201 {
		return false, fmt.Errorf("status %d: %.200s", r.status, r.body)
	}
	return true, nil
}

// check asks for every tag that was put.
func (f *manifests) check(addr string) error {
	there := &present{f: f}
	for tag := range f.current {
		there.tags = append(there.tags, tag)
	}
	_, _, err := drive(addr, 16, there, 0)
	return err
}

// present asks for tags, each once, and compares digests.
type present struct {
	f     *manifests
	tags  []string
	at    int
	asked [16]string
}

func (f *present) next(i int) ([]byte, bool) {
	if f.at == len(f.tags) {
		return nil, false
	}
	f.asked[i] = f.tags[f.at]
	f.at++
	return request("HEAD", "/v2/"+repoPut+"/manifests/"+f.asked[i], accept), true
}

func (f *present) got(i int, r *response) (bool, error) {
	want := digestOf(f.f.body(f.f.current[f.asked[i]]))
	if got := string(r.get("Docker-Content-Digest")); r.status != 200 || got != want {
		return false, fmt.Errorf("tag %s: status %d, digest %q, want %q", f.asked[i], r.status, got, want)
	}
	return true, nil
}

func putManifest(repo, reference string, body []byte) []byte {
	return append(request("PUT", "/v2/"+repo+"/manifests/"+reference, "Content-Type: "+mediaManifest, fmt.Sprintf("Content-Length: %d", len(body))), body...)
}

// blobs pushes small blobs: POST, then PUT with the bytes.
type blobs struct {
	bytes [1024]byte
	count uint64
	to    [16]string // where the PUT of a connection goes, empty before its POST
}

func (f *blobs) next(i int) ([]byte, bool) {
	if f.to[i] == "" {
		return request("POST", "/v2/"+repoSmall+"/blobs/uploads/", "Content-Length: 0"), false
	}
	f.count++
	binary.LittleEndian.PutUint64(f.bytes[:], f.count)
	head := request("PUT", withDigest(f.to[i], digestOf(f.bytes[:])), "Content-Type: application/octet-stream", "Content-Length: 1024")
	return append(head, f.bytes[:]...), false
}

func (f *blobs) got(i int, r *response) (bool, error) {
	if f.to[i] == "" && r.status == 202 {
		f.to[i] = r.location()
		return false, nil
	}
	if f.to[i] == "" || r.status != 201 {
		return false, fmt.Errorf("status %d: %.200s", r.status, r.body)
	}
	f.to[i] = ""
	return true, nil
}

// mounts mounts the blobs of repoSmall into one repository after the other.
type mounts struct {
	c     *content
	count int
}

func (f *mounts) next(int) ([]byte, bool) {
	n := f.count
	f.count++
	return request("POST", fmt.Sprintf("/v2/%s-%d/blobs/uploads/?mount=%s&from=%s", repoMount, n/smallCount, f.c.smalls[n%smallCount], repoSmall), "Content-Length: 0"), false
}

func (f *mounts) got(_ int, r *response) (bool, error) {
	if r.status != 201 {
		return false, fmt.Errorf("status %d: %.200s", r.status, r.body)
	}
	return true, nil
}

// walk follows the pages of a list and gives its entries, which it counts by
// the quotes around them, and where the last page was.
func walk(c *conn, target string) (entries int, last string, err error) {
	for target != "" {
		r, err := c.do(request("GET", target), false)
		if err != nil {
			return 0, "", err
		}
		open := bytes.IndexByte(r.body, '[')
		if r.status != 200 || open < 0 {
			return 0, "", fmt.Errorf("%s gives %d: %.200s", target, r.status, r.body)
		}
		entries += bytes.Count(r.body[open:], []byte{'"'}) / 2
		last, target = target, r.nextPage()
	}
	return entries, last, nil
}
