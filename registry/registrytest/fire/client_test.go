package fire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const mediaManifest = ocispec.MediaTypeImageManifest

// client is one of many that ask at the same time.
type client struct {
	t    testing.TB
	id   int
	s    *stack
	http *http.Client
	h    *history
	r    *rand.Rand
	n    int // of what it pushed
	// doubtful are repositories of its own of which it does not know whether
	// they are empty.
	doubtful map[string]bool
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

var (
	errCut     = errors.New("the connection was cut")
	errRefused = errors.New("nobody listens") // so it was not done
)

// ask sends one request and reads all of the answer. An error means that it is
// not known whether it was done.
func (c *client) ask(method, path string, header map[string]string, body []byte) (reply, error) {
	url := path
	if strings.HasPrefix(path, "/") {
		url = "http://" + c.s.addr + path
	}
	r, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		c.s.await()
		if op := new(net.OpError); errors.As(err, &op) && op.Op == "dial" {
			return reply{}, errRefused
		}
		return reply{}, errCut
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return reply{}, errCut
	}
	out := reply{answer.StatusCode, answer.Header, content}
	if out.status >= 500 && out.status != http.StatusServiceUnavailable {
		c.t.Errorf("%s %s: %d %s", method, path, out.status, content)
	}
	if out.status >= 500 {
		return out, errCut
	}
	return out, nil
}

// odd reports an answer that nobody should get.
func (c *client) odd(what string, r reply) string {
	c.t.Errorf("%s: %d %.300s", what, r.status, r.body)
	return unknown
}

// answer turns a status into what happened.
func (c *client) answer(what string, r reply, err error, ok ...int) string {
	if errors.Is(err, errRefused) {
		return never
	}
	if err != nil {
		return unknown
	}
	for _, status := range ok {
		if r.status == status {
			return done
		}
	}
	if r.status == http.StatusNotFound {
		return missing
	}
	return c.odd(what, r)
}

// image makes a manifest that differs from every other; config and layer are
// the repository's.
func (c *client) image(base image, subject *ocispec.Descriptor) (content []byte, d string) {
	c.n++
	m := ocispec.Manifest{
		MediaType: mediaManifest, Config: base.config, Layers: []ocispec.Descriptor{base.layer}, Subject: subject,
		Annotations: map[string]string{"made": fmt.Sprintf("by %d, number %d, salt %d", c.id, c.n, c.r.Uint64())},
	}
	m.SchemaVersion = 2
	content, err := json.Marshal(m)
	if err != nil {
		c.t.Error(err)
	}
	return content, digest.FromBytes(content).String()
}

// image is what manifests of a repository are made of.
type image struct{ config, layer ocispec.Descriptor }

func describe(mediaType string, content []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
}

var (
	configBytes = []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`)
	layerBytes  = bytes.Repeat([]byte("a layer that every image has "), 3000)
)

// prepare pushes what images of a repository need.
func (c *client) prepare(repo string) image {
	for _, content := range [][]byte{configBytes, layerBytes} {
		r, err := c.ask("POST", "/v2/"+repo+"/blobs/uploads/?digest="+digest.FromBytes(content).String(),
			map[string]string{"Content-Type": "application/octet-stream"}, content)
		if err != nil || r.status != http.StatusCreated {
			c.t.Fatalf("push to %s: %d %s %v", repo, r.status, r.body, err)
		}
	}
	return image{describe(ocispec.MediaTypeImageConfig, configBytes), describe(ocispec.MediaTypeImageLayer, layerBytes)}
}

// The things of a history.
func tagThing(repo, tag string) string    { return repo + ":" + tag }
func manifestThing(repo, d string) string { return repo + "@" + d }
func blobThing(repo, d string) string     { return repo + "/blobs/" + d }

// putManifest pushes a manifest, under a tag when that is not empty.
func (c *client) putManifest(repo, tag string, content []byte) string {
	d, began := digest.FromBytes(content).String(), c.h.now()
	ref := tag
	if ref == "" {
		ref = d
	}
	r, err := c.ask("PUT", "/v2/"+repo+"/manifests/"+ref, map[string]string{"Content-Type": mediaManifest}, content)
	answer := c.answer("put "+repo+":"+ref, r, err, http.StatusCreated)
	c.h.note(c.id, began, question{put, manifestThing(repo, d), d}, answer)
	if tag != "" {
		c.h.note(c.id, began, question{put, tagThing(repo, tag), d}, answer)
	}
	return answer
}

// getTag pulls by tag, and hashes what came.
func (c *client) getTag(repo, tag string) (d string) {
	began := c.h.now()
	method := "GET"
	if c.r.IntN(3) == 0 {
		method = "HEAD"
	}
	r, err := c.ask(method, "/v2/"+repo+"/manifests/"+tag, map[string]string{"Accept": mediaManifest}, nil)
	if answer := c.answer("get "+repo+":"+tag, r, err, http.StatusOK); answer == done {
		d = r.header.Get("Docker-Content-Digest")
		if method == "GET" && digest.FromBytes(r.body).String() != d {
			c.t.Errorf("%s:%s: the bytes are not those of %s", repo, tag, d)
		}
	} else if answer != missing {
		return ""
	}
	c.h.note(c.id, began, question{get, tagThing(repo, tag), d}, done)
	return d
}

// getManifest pulls by digest.
func (c *client) getManifest(repo, d string) bool {
	began := c.h.now()
	r, err := c.ask("GET", "/v2/"+repo+"/manifests/"+d, map[string]string{"Accept": mediaManifest}, nil)
	answer, seen := c.answer("get "+repo+"@"+d, r, err, http.StatusOK), ""
	switch {
	case answer == unknown || answer == never:
		return false
	case answer == done:
		seen = d
		if digest.FromBytes(r.body).String() != d {
			c.t.Errorf("%s@%s: other bytes", repo, d)
		}
	}
	c.h.note(c.id, began, question{get, manifestThing(repo, d), seen}, done)
	return answer == done
}

func (c *client) dropTag(repo, tag string) string {
	began := c.h.now()
	r, err := c.ask("DELETE", "/v2/"+repo+"/manifests/"+tag, nil, nil)
	answer := c.answer("delete "+repo+":"+tag, r, err, http.StatusAccepted)
	c.h.note(c.id, began, question{drop, tagThing(repo, tag), ""}, answer)
	return answer
}

// dropManifest deletes by digest, which takes exactly the tags that name it.
func (c *client) dropManifest(repo, d string, tags []string) string {
	began := c.h.now()
	r, err := c.ask("DELETE", "/v2/"+repo+"/manifests/"+d, nil, nil)
	answer := c.answer("delete "+repo+"@"+d, r, err, http.StatusAccepted)
	c.h.note(c.id, began, question{drop, manifestThing(repo, d), ""}, answer)
	for _, tag := range tags {
		c.h.note(c.id, began, question{cut, tagThing(repo, tag), d}, answer)
	}
	return answer
}
