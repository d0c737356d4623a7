package fire

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
)

var octets = map[string]string{"Content-Type": "application/octet-stream"}

// putBlob pushes a blob in one of the ways there are.
func (c *client) putBlob(repo string, content []byte) {
	d, began := digest.FromBytes(content).String(), c.h.now()
	var r reply
	var err error
	switch c.r.IntN(3) {
	case 0:
		r, err = c.ask("POST", "/v2/"+repo+"/blobs/uploads/?digest="+d, octets, content)
	case 1:
		if r, err = c.ask("POST", "/v2/"+repo+"/blobs/uploads/", nil, nil); err == nil {
			r, err = c.ask("PUT", with(r.header.Get("Location"), d), octets, content)
		}
	default:
		r, err = c.chunks(repo, d, content)
	}
	answer := c.answer("push "+d+" to "+repo, r, err, http.StatusCreated)
	if answer == missing {
		c.odd("push "+d+" to "+repo, r)
		answer = unknown
	}
	c.h.note(c.id, began, question{put, blobThing(repo, d), d}, answer)
}

func with(location, d string) string {
	if strings.Contains(location, "?") {
		return location + "&digest=" + d
	}
	return location + "?digest=" + d
}

// chunks uploads in pieces, and goes on where the server says it is after the
// connection broke or the server was opened anew: what an answer said is there,
// is there.
func (c *client) chunks(repo, d string, content []byte) (reply, error) {
	r, err := c.ask("POST", "/v2/"+repo+"/blobs/uploads/", nil, nil)
	if err != nil {
		return r, err
	}
	location, sent, sure := r.header.Get("Location"), 0, 0
	for tries := 0; sent < len(content); {
		part := content[sent:min(sent+1+len(content)/4, len(content))]
		r, err = c.ask("PATCH", location, map[string]string{
			"Content-Type": "application/octet-stream", "Content-Range": fmt.Sprintf("%d-%d", sent, sent+len(part)-1),
		}, part)
		if err == nil && r.status == http.StatusAccepted {
			location, sent = r.header.Get("Location"), sent+len(part)
			sure = sent
			continue
		}
		if tries++; tries > 100 {
			return r, errCut
		}
		if r, err = c.ask("GET", location, nil, nil); err != nil {
			continue
		}
		if r.status != http.StatusNoContent {
			return r, nil
		}
		location, sent = r.header.Get("Location"), 0
		if _, err := fmt.Sscanf(r.header.Get("Range"), "0-%d", &sent); err == nil && (sent > 0 || sure > 0) {
			sent++
		}
		if sent < sure {
			c.t.Errorf("an upload to %s is at %d, and was at %d before", repo, sent, sure)
		}
	}
	r, err = c.ask("PUT", with(location, d), octets, nil)
	return r, err
}

// mount asks for a blob of another repository.
func (c *client) mount(from, to, d string) {
	began := c.h.now()
	r, err := c.ask("POST", "/v2/"+to+"/blobs/uploads/?mount="+d+"&from="+from, nil, nil)
	if err == nil && r.status == http.StatusAccepted { // not there to be mounted: an upload instead
		_, _ = c.ask("DELETE", r.header.Get("Location"), nil, nil)
		return
	}
	c.h.note(c.id, began, question{put, blobThing(to, d), d}, c.answer("mount "+d+" to "+to, r, err, http.StatusCreated))
}

func (c *client) getBlob(repo string, content []byte) {
	d, began := digest.FromBytes(content).String(), c.h.now()
	method := "GET"
	if c.r.IntN(2) == 0 {
		method = "HEAD"
	}
	r, err := c.ask(method, "/v2/"+repo+"/blobs/"+d, nil, nil)
	seen := ""
	switch c.answer("get "+d+" of "+repo, r, err, http.StatusOK) {
	case unknown, never:
		return
	case done:
		seen = d
		if method == "GET" && !bytes.Equal(r.body, content) {
			c.t.Errorf("%s in %s: other bytes", d, repo)
		}
	}
	c.h.note(c.id, began, question{get, blobThing(repo, d), seen}, done)
}

func (c *client) dropBlob(repo, d string) {
	began := c.h.now()
	r, err := c.ask("DELETE", "/v2/"+repo+"/blobs/"+d, nil, nil)
	c.h.note(c.id, began, question{drop, blobThing(repo, d), ""}, c.answer("delete "+d+" of "+repo, r, err, http.StatusAccepted))
}
