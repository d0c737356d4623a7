package fire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// pages walks a list from link to link. field is where the names are; ok is
// false when it broke off.
func (c *client) pages(path, field string) (names []string, ok bool) {
	for next := path; next != ""; {
		r, err := c.ask("GET", next, nil, nil)
		if err != nil {
			return nil, false
		}
		if r.status == http.StatusNotFound {
			return names, true
		}
		var page map[string]json.RawMessage
		var some []string
		if r.status != http.StatusOK || json.Unmarshal(r.body, &page) != nil || json.Unmarshal(page[field], &some) != nil {
			c.odd(next, r)
			return nil, false
		}
		names = append(names, some...)
		next = linked(r.header.Get("Link"))
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		c.t.Errorf("%s: not in order, or twice: %q", path, names)
	}
	return names, true
}

func linked(header string) string {
	target, _, ok := strings.Cut(strings.TrimPrefix(header, "<"), ">")
	if !ok {
		return ""
	}
	if u, err := url.Parse(target); err == nil && u.IsAbs() {
		return u.RequestURI()
	}
	return target
}

func (c *client) tags(repo string) ([]string, bool) {
	return c.pages(fmt.Sprintf("/v2/%s/tags/list%s", repo, []string{"", "?n=7", "?n=100"}[c.r.IntN(3)]), "tags")
}

func (c *client) catalog() ([]string, bool) {
	return c.pages("/v2/_catalog"+[]string{"", "?n=3", "?n=100"}[c.r.IntN(3)], "repositories")
}

func (c *client) referrers(repo, subject string) ([]string, bool) {
	r, err := c.ask("GET", "/v2/"+repo+"/referrers/"+subject, nil, nil)
	if err != nil {
		return nil, false
	}
	var list ocispec.Index
	if r.status != http.StatusOK || json.Unmarshal(r.body, &list) != nil {
		c.odd("referrers", r)
		return nil, false
	}
	var out []string
	for _, d := range list.Manifests {
		out = append(out, d.Digest.String())
	}
	return out, true
}

// expect looks for one name in a list that was read after it was put, or after
// it was dropped.
func (c *client) expect(what, name string, want bool, names []string, ok bool) {
	if ok && slices.Contains(names, name) != want {
		c.t.Errorf("%s: %s in it %v, want %v: %q", what, name, !want, want, names)
	}
}

// steady are tags that nobody touches: every list has them.
var steady = []string{"S1", "S2", "m", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "z"}

// listTags puts a tag of its own, and looks for it in the list; drops it, and
// looks again.
func (c *client) listTags(repo string, base image) {
	tag := fmt.Sprintf("own-%d-%d", c.id, c.n)
	content, d := c.image(base, nil)
	answer := c.putManifest(repo, tag, content)
	names, ok := c.tags(repo)
	if ok && answer == done {
		c.expect("tags", tag, true, names, ok)
	}
	for _, name := range steady {
		c.expect("tags", name, true, names, ok)
	}
	if c.r.IntN(2) == 0 {
		answer = c.dropTag(repo, tag)
	} else {
		answer = c.dropManifest(repo, d, []string{tag})
	}
	if names, ok = c.tags(repo); answer == done {
		c.expect("tags", tag, false, names, ok)
	}
}

// listCatalog does so with a repository, which needs no blob for an empty index.
func (c *client) listCatalog() {
	c.n++
	repo := fmt.Sprintf("own/%d-%d", c.id, c.r.IntN(8))
	content := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"manifests":[],"annotations":{"made":"%d %d %d"}}`, ocispec.MediaTypeImageIndex, c.id, c.n, c.r.Uint64())
	d := digest.FromBytes(content).String()
	began := c.h.now()
	r, err := c.ask("PUT", "/v2/"+repo+"/manifests/"+d, map[string]string{"Content-Type": ocispec.MediaTypeImageIndex}, content)
	answer := c.answer("put "+repo, r, err, http.StatusCreated)
	c.h.note(c.id, began, question{put, manifestThing(repo, d), d}, answer)
	names, ok := c.catalog()
	if answer == done {
		c.expect("catalog", repo, true, names, ok)
	}
	if dropped := c.dropManifest(repo, d, nil); answer != done || dropped != done {
		c.doubtful[repo] = true // it may hold one of which the answer was lost
		return
	}
	if names, ok = c.catalog(); !c.doubtful[repo] {
		c.expect("catalog", repo, false, names, ok)
	}
}

// listReferrers does so with a referrer.
func (c *client) listReferrers(repo string, base image, subject ocispec.Descriptor) {
	content, d := c.image(base, &subject)
	answer := c.putManifest(repo, "", content)
	names, ok := c.referrers(repo, subject.Digest.String())
	if answer == done {
		c.expect("referrers", d, true, names, ok)
	}
	if answer = c.dropManifest(repo, d, nil); answer == done {
		names, ok = c.referrers(repo, subject.Digest.String())
		c.expect("referrers", d, false, names, ok)
	}
}
