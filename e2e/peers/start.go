//go:build linux

package main

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// startTags is how many tags the big store of the start has.
const startTags = 100_000

// clone is another process of a peer, on another folder.
type clone struct{ peer }

func (b *bench) clone(p *peer, data string) (*clone, error) {
	dir, err := os.MkdirTemp(p.dir, "start-")
	if err != nil {
		return nil, err
	}
	c := &clone{*p}
	c.cmd, c.dir, c.data = nil, dir, data
	if data == "" {
		c.data = filepath.Join(dir, "data")
		if err := os.Mkdir(c.data, 0o755); err != nil {
			return nil, err
		}
	}
	c.addr, err = freeAddress()
	return c, err
}

// starts are the workloads of a process's first moments.
func (b *bench) starts() []workload {
	empty := func() (string, error) { return "", nil }
	root := request("GET", "/v2/")
	tag := request("GET", "/v2/team/service-007/manifests/build-0042", accept)
	all := []workload{
		{
			key: "start-empty", title: "exec to first 200, empty store", unit: "ms", less: true, bound: 15, on: withLimit,
			round: func(p *peer) (sample, error) { return b.start(p, empty, root) },
		},
		{
			key: "start-tags", title: "exec to first 200, 100,000 tags", unit: "ms", less: true, bound: 15, on: registries,
			round: func(p *peer) (sample, error) { return b.start(p, b.manyTags, root) },
		},
		{
			key: "start-manifest", title: "exec to first manifest, 100,000 tags", unit: "ms", less: true, bound: 15, on: registries,
			round: func(p *peer) (sample, error) { return b.start(p, b.manyTags, tag) },
		},
		{
			key: "memory", title: "idle memory after the start", unit: "MB", less: true, bound: 20, on: withLimit, rounds: 3,
			round: b.memory,
		},
	}
	for i := range all {
		all[i].alone = true
	}
	return all
}

// manyTags gives the big store, which is made when first asked for. All
// servers start on the same: it is read only, but for what Berth adds beside.
func (b *bench) manyTags() (string, error) {
	dir := filepath.Join(b.o.scratch, "tags")
	if err := os.Mkdir(dir, 0o755); errors.Is(err, os.ErrExist) {
		return dir, nil
	} else if err != nil {
		return "", err
	}
	return dir, b.c.seedTags(dir, startTags)
}

// start measures the time until the first 200, some times.
func (b *bench) start(p *peer, store func() (string, error), ask []byte) (sample, error) {
	data, err := store()
	if err != nil {
		return sample{}, err
	}
	var all []float64
	for range 5 {
		c, err := b.clone(p, data)
		if err != nil {
			return sample{}, err
		}
		begin := time.Now()
		if err := c.exec(); err != nil {
			return sample{}, err
		}
		err = c.await(ask, time.Minute)
		took := time.Since(begin)
		if err == nil && data != "" && b.started[p] == nil {
			// The first start on a foreign folder fills an index; later ones do not.
			b.started[p] = c
			err = c.settle()
		}
		c.stop()
		if err != nil {
			return sample{}, err
		}
		all = append(all, float64(took.Nanoseconds())/1e6)
	}
	return sample{Value: median(all)}, nil
}

// memory is what a process holds two seconds after its start.
func (b *bench) memory(p *peer) (sample, error) {
	c, err := b.clone(p, "")
	if err != nil {
		return sample{}, err
	}
	defer c.stop()
	if err := c.start(); err != nil {
		return sample{}, err
	}
	time.Sleep(2 * time.Second)
	mb, err := c.memory("VmRSS")
	return sample{Value: mb}, err
}
