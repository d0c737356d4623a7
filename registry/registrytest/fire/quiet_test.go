package fire

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry/trash"
)

// quiet looks at everything while nobody does anything: histories are judged,
// what is there is whole, lists say what is there, the trash gives back.
func (w *world) quiet(t *testing.T, c *client) (ops int) {
	t.Helper()
	now := w.seen(c)
	ops = w.h.judge(t, w.seed)
	w.h.last = now
	if t.Failed() {
		return ops
	}
	w.compare(c, now)
	for thing, d := range now {
		if repo, tag, ok := tagOf(thing); ok {
			c.whole(repo, tag, d)
		}
	}
	w.undo(t, c)
	w.thin(c, now)
	w.h.mu.Lock()
	clear(w.h.ops)
	w.h.mu.Unlock()
	return ops
}

func tagOf(thing string) (repo, tag string, ok bool) {
	if strings.ContainsAny(thing, "@") || strings.Contains(thing, "/blobs/") {
		return "", "", false
	}
	return strings.Cut(thing, ":")
}

// seen reads every thing that somebody touched since, and notes how it is.
func (w *world) seen(c *client) map[string]string {
	things := map[string]bool{}
	for thing := range w.h.last {
		things[thing] = true
	}
	for thing := range w.h.ops {
		things[thing] = true
	}
	now := map[string]string{}
	for thing := range things {
		if d := w.look(c, thing); d != "" {
			now[thing] = d
		}
	}
	return now
}

func (w *world) look(c *client, thing string) (d string) {
	began := c.h.now()
	path, accept := "", map[string]string{"Accept": mediaManifest + ", " + ocispec.MediaTypeImageIndex}
	if repo, d, ok := strings.Cut(thing, "@"); ok {
		path = "/v2/" + repo + "/manifests/" + d
	} else if strings.Contains(thing, "/blobs/") {
		path, accept = "/v2/"+thing, nil
	} else {
		repo, tag, _ := strings.Cut(thing, ":")
		path = "/v2/" + repo + "/manifests/" + tag
	}
	r, err := c.ask("GET", path, accept, nil)
	if answer := c.answer("look at "+thing, r, err, 200); answer == done {
		d = digest.FromBytes(r.body).String()
		if got := r.header.Get("Docker-Content-Digest"); got != d {
			c.t.Errorf("%s: the header says %s, the bytes %s", thing, got, d)
		}
	} else if answer != missing {
		c.t.Errorf("%s cannot be looked at: %v", thing, err)
	}
	c.h.note(c.id, began, question{see, thing, d}, done)
	return d
}

// compare compares the lists with what is there.
func (w *world) compare(c *client, now map[string]string) {
	tags, repos, referrers := map[string][]string{}, map[string]bool{}, []string{}
	for thing := range now {
		if repo, d, ok := strings.Cut(thing, "@"); ok {
			repos[repo] = true
			if repo == listed && c.refers(repo, d, w.subject.Digest.String()) {
				referrers = append(referrers, d)
			}
		} else if repo, tag, ok := tagOf(thing); ok {
			tags[repo] = append(tags[repo], tag)
		}
	}
	for _, repo := range []string{churned, other, listed} {
		got, _ := c.tags(repo)
		if want := slices.Sorted(slices.Values(tags[repo])); !slices.Equal(want, got) {
			c.t.Errorf("tags of %s: %q, want %q", repo, got, want)
		}
	}
	got, _ := c.catalog()
	if want := slices.Sorted(maps.Keys(repos)); !slices.Equal(want, got) {
		c.t.Errorf("catalog: %q, want %q", got, want)
	}
	got, _ = c.referrers(listed, w.subject.Digest.String())
	if want := slices.Sorted(slices.Values(referrers)); !slices.Equal(want, got) {
		c.t.Errorf("referrers: %q, want %q", got, want)
	}
}

func (c *client) refers(repo, d, subject string) bool {
	r, err := c.ask("GET", "/v2/"+repo+"/manifests/"+d, map[string]string{"Accept": mediaManifest}, nil)
	var m ocispec.Manifest
	if err != nil || json.Unmarshal(r.body, &m) != nil {
		c.odd("referrer", r)
	}
	return m.Subject != nil && m.Subject.Digest.String() == subject
}

// whole pulls an image, and hashes all of it.
func (c *client) whole(repo, tag, d string) {
	r, err := c.ask("GET", "/v2/"+repo+"/manifests/"+tag, map[string]string{"Accept": mediaManifest}, nil)
	var m ocispec.Manifest
	if err != nil || digest.FromBytes(r.body).String() != d || json.Unmarshal(r.body, &m) != nil {
		c.odd(repo+":"+tag+" is not "+d, r)
		return
	}
	for _, b := range append(m.Layers, m.Config) {
		r, err := c.ask("GET", "/v2/"+repo+"/blobs/"+b.Digest.String(), nil, nil)
		if err != nil || digest.FromBytes(r.body) != b.Digest {
			c.odd(repo+":"+tag+" lacks "+b.Digest.String(), r)
		}
	}
}

// undo deletes a tag and brings it back from the trash.
func (w *world) undo(t *testing.T, c *client) {
	t.Helper()
	tag := steady[c.r.IntN(len(steady))]
	was := c.getTag(listed, tag)
	if answer := c.dropTag(listed, tag); answer != done || c.getTag(listed, tag) != "" {
		t.Errorf("%s was not deleted: %s", tag, answer)
	}
	entries, err := w.s.bin.Entries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(entries)
	i := slices.IndexFunc(entries, func(e trash.Entry) bool { return e.Repository == listed && e.Tag == tag })
	if i < 0 {
		t.Fatalf("%s is not in the trash", tag)
	}
	if _, err := w.s.trash.Restore(t.Context(), entries[i].ID, ""); err != nil {
		t.Fatal(err)
	}
	if now := c.getTag(listed, tag); now != was || was == "" {
		t.Errorf("%s was %s and is restored as %s", tag, was, now)
	}
	c.whole(listed, tag, was)
	if names, ok := c.tags(listed); !ok || !slices.Contains(names, tag) {
		t.Errorf("the restored %s is not listed: %q", tag, names)
	}
}

// thin deletes most manifests without a tag, so that a long fire stays quick.
func (w *world) thin(c *client, now map[string]string) {
	tagged := map[string]bool{}
	for thing, d := range now {
		if !strings.Contains(thing, "@") {
			tagged[d] = true
		}
	}
	for thing, d := range now {
		repo, _, ok := strings.Cut(thing, "@")
		if !ok || tagged[d] || d == w.subject.Digest.String() {
			continue
		}
		if c.dropManifest(repo, d, nil) != done || c.getManifest(repo, d) {
			c.t.Errorf("%s was not deleted", thing)
		}
		delete(now, thing)
	}
}
