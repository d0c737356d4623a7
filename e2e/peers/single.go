//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// pages are the workloads that read lists on one connection.
func (b *bench) pages() []workload {
	many := "/v2/" + repoMany + "/tags/list"
	all := []workload{
		{
			key: "tags-pages", title: "10,000 tags in pages of 100", bound: 30, on: withPages,
			round: func(p *peer) (sample, error) { return b.list(p, many+"?n=100", manyTags) },
		},
		{
			key: "tags-all", title: "10,000 tags, n not given", bound: 6, on: registries,
			round: func(p *peer) (sample, error) { return b.list(p, many, manyTags) },
		},
		{
			key: "tags-first", title: "first 100 of 10,000 tags", bound: 0.5, on: withPages,
			round: func(p *peer) (sample, error) { return b.page(p, many+"?n=100", 100) },
		},
		{
			key: "catalog", title: b.catalogTitle(), bound: 6, on: registries,
			round: func(p *peer) (sample, error) { return b.list(p, "/v2/_catalog?n=100", p.repos) },
		},
		{
			key: "catalog-first", title: "first page of the catalog", on: registries,
			round: func(p *peer) (sample, error) { return b.page(p, "/v2/_catalog?n=100", -1) },
		},
		{
			key: "catalog-last", title: "last page of the catalog", bound: 0.3, on: registries,
			round: func(p *peer) (sample, error) {
				if b.lasts[p] == "" {
					if _, err := b.list(p, "/v2/_catalog?n=100", p.repos); err != nil {
						return sample{}, err
					}
				}
				return b.page(p, b.lasts[p], -1)
			},
		},
		{
			key: "referrers", title: "1,000 referrers", bound: 1, on: []string{"berth"},
			round: func(p *peer) (sample, error) { return b.referrers(p) },
		},
	}
	for i := range all {
		all[i].unit, all[i].less = "ms", true
	}
	return all
}

func (b *bench) catalogTitle() string {
	if b.o.growth != "" {
		return "the whole catalog in pages of 100"
	}
	return "2,000 repositories in pages of 100"
}

// list walks a list to its end. The catalog may have grown by what other
// workloads made, the tags too.
func (b *bench) list(p *peer, target string, atLeast int) (sample, error) {
	return b.timed(p, nil, func(c *conn, _ int) error {
		entries, last, err := walk(c, target)
		if err == nil && (entries < atLeast || entries > atLeast+500) {
			err = fmt.Errorf("%s has %d entries, want %d", target, entries, atLeast)
		}
		b.lasts[p] = last
		return err
	})
}

// page reads one page; -1 entries means any number but none.
func (b *bench) page(p *peer, target string, entries int) (sample, error) {
	ask := request("GET", target)
	return b.timed(p, nil, func(c *conn, _ int) error {
		r, err := c.do(ask, false)
		if err != nil {
			return err
		}
		n := bytes.Count(r.body[bytes.IndexByte(r.body, '[')+1:], []byte{'"'}) / 2
		if r.status != 200 || n == 0 || entries >= 0 && n != entries {
			return fmt.Errorf("%s gives %d, %d entries", target, r.status, n)
		}
		return nil
	})
}

func (b *bench) referrers(p *peer) (sample, error) {
	return b.timed(p, nil, func(c *conn, _ int) error {
		n := 0
		for target := "/v2/" + repoRefs + "/referrers/" + b.c.refs; target != ""; {
			r, err := c.do(request("GET", target), false)
			if err != nil {
				return err
			}
			n += bytes.Count(r.body, []byte(`"digest"`))
			target = r.nextPage()
		}
		if n != refCount {
			return fmt.Errorf("%d referrers, want %d", n, refCount)
		}
		return nil
	})
}

// pushReferrers attaches artifacts to a manifest, over the API.
func (b *bench) pushReferrers(p *peer) error {
	c, err := dial(p.addr)
	if err != nil {
		return err
	}
	defer c.close()
	for i := range refCount {
		body := b.c.referrer(i)
		r, err := c.do(putManifest(repoRefs, digestOf(body), body), false)
		if err != nil {
			return err
		}
		if r.status != 201 {
			return fmt.Errorf("referrer %d gives %d: %.200s", i, r.status, r.body)
		}
	}
	return nil
}

// single are the workloads that change one thing in a repository of many tags.
func (b *bench) single() []workload {
	all := []workload{
		{
			key: "delete-digest", title: "DELETE by digest among 10,000 tags", on: registries,
			round: func(p *peer) (sample, error) {
				return b.timed(p, func(c *conn, i int) error {
					return b.expect(c, putManifest(repoMany, digestOf(b.extra(p, i)), b.extra(p, i)), 201)
				}, func(c *conn, i int) error {
					return b.expect(c, request("DELETE", "/v2/"+repoMany+"/manifests/"+digestOf(b.extra(p, i))), 202)
				})
			},
		},
		{
			key: "delete-tag", title: "DELETE by tag among 10,000 tags", on: withPages,
			round: func(p *peer) (sample, error) {
				return b.timed(p, func(c *conn, i int) error {
					return b.expect(c, putManifest(repoMany, fmt.Sprint("extra-", i), b.extra(p, i)), 201)
				}, func(c *conn, i int) error {
					return b.expect(c, request("DELETE", fmt.Sprint("/v2/", repoMany, "/manifests/extra-", i)), 202)
				})
			},
		},
		{
			key: "put-tag", title: "PUT of one more tag among 10,000", on: registries,
			round: func(p *peer) (sample, error) {
				return b.timed(p, func(c *conn, i int) error {
					if i == b.counts[p]-1 || p.name == "v2" { // nothing before it, or no way to delete
						return nil
					}
					_, err := c.do(request("DELETE", fmt.Sprint("/v2/", repoMany, "/manifests/more-", i-1)), false)
					return err
				}, func(c *conn, i int) error {
					return b.expect(c, putManifest(repoMany, fmt.Sprint("more-", i), b.extra(p, i)), 201)
				})
			},
		},
	}
	for i := range all {
		all[i].unit, all[i].less, all[i].bound = "ms", true, 1
	}
	return all
}

func (b *bench) extra(p *peer, i int) []byte {
	return b.c.manifest(fmt.Sprintf("extra %s %d", p.name, i))
}

func (b *bench) expect(c *conn, ask []byte, status int) error {
	r, err := c.do(ask, false)
	if err == nil && r.status != status {
		err = fmt.Errorf("%.60q gives %d: %.200s", ask, r.status, r.body)
	}
	return err
}

// timed does something on one connection for the window, at least three times,
// and gives the median of how long it took. What before does is not measured.
// Both get a number that never comes again.
func (b *bench) timed(p *peer, before, do func(c *conn, i int) error) (sample, error) {
	c, err := dial(p.addr)
	if err != nil {
		return sample{}, err
	}
	defer c.close()
	var all []float64
	// Half the window: there are many of these rows.
	for end := time.Now().Add(b.window / 2); len(all) < 3 || time.Now().Before(end) && len(all) < 200; {
		i := b.counts[p]
		b.counts[p]++
		if before != nil {
			if err := before(c, i); err != nil {
				return sample{}, err
			}
		}
		begin := time.Now()
		if err := do(c, i); err != nil {
			return sample{}, err
		}
		all = append(all, float64(time.Since(begin).Nanoseconds())/1e6)
	}
	slices.Sort(all)
	return sample{Value: all[len(all)/2]}, nil
}

// length is that of a body, which may differ between servers.
func (b *bench) length(p *peer, target string) (int64, error) {
	c, err := dial(p.addr)
	if err != nil {
		return 0, err
	}
	defer c.close()
	r, err := c.do(request("GET", target, accept), false)
	if err != nil {
		return 0, err
	}
	return int64(len(r.body)), nil
}

// checkPull reads the layer once more and compares its digest.
func (b *bench) checkPull(p *peer) error {
	c, err := dial(p.addr)
	if err != nil {
		return err
	}
	defer c.close()
	h := sha256.New()
	if _, err := c.discard(request("GET", b.pullTarget(p)), make([]byte, mib), h); err != nil {
		return err
	}
	if got := "sha256:" + hex.EncodeToString(h.Sum(nil)); got != b.c.layer {
		return fmt.Errorf("the pulled layer has the digest %s, want %s", got, b.c.layer)
	}
	return nil
}

func (b *bench) checkPut(p *peer, f *manifests) error {
	if !p.registry {
		return nil
	}
	return f.check(p.addr)
}
