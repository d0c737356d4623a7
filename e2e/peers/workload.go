//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"
)

// workload is one row of the table.
type workload struct {
	key, title, unit string
	less             bool    // less is better
	limit            string  // the peer that cannot be beaten by much
	ratio            float64 // what Berth must reach of the limit
	bound            float64 // what Berth must reach in the unit
	cpu              float64 // what Berth may use, in seconds for a GB
	on               []string
	alone            bool // starts servers of its own and needs no store
	rounds           int  // at most so many, without a warm-up; 0 means as many as asked for
	round            func(p *peer) (sample, error)
	check            func(p *peer) error // after all rounds
}

// sample is what one round gives.
type sample struct {
	Value float64 `json:"value"`
	// CPU of the server: seconds for a GB, or microseconds for an operation.
	CPU float64 `json:"cpu"`
}

var (
	registries = []string{"berth", "v3", "v2"}
	withLimit  = []string{"berth", "limit", "v3", "v2"}
	withNginx  = []string{"berth", "nginx", "v3", "v2"}
	withPages  = []string{"berth", "v3"}
)

// bench makes the workloads over one set of content.
type bench struct {
	o       *options
	window  time.Duration // of this round
	c       *content
	layers  map[*peer]*layers
	puts    map[*peer]*manifests
	moves   map[*peer]*manifests
	blobs   map[*peer]*blobs
	mounts  map[*peer]*mounts
	lasts   map[*peer]string
	counts  map[*peer]int
	started map[*peer]*clone
}

func newBench(o *options, c *content, peers []*peer) (*bench, error) {
	b := &bench{
		o: o, c: c, layers: map[*peer]*layers{}, puts: map[*peer]*manifests{}, moves: map[*peer]*manifests{},
		blobs: map[*peer]*blobs{}, mounts: map[*peer]*mounts{}, lasts: map[*peer]string{}, counts: map[*peer]int{}, started: map[*peer]*clone{},
	}
	shared, err := newLayers(layerSize, 7)
	if err != nil {
		return nil, err
	}
	for _, p := range peers {
		b.layers[p] = shared
		b.puts[p] = &manifests{c: c, current: map[string]int{}}
		b.moves[p] = &manifests{c: c, again: true, current: map[string]int{}}
		b.blobs[p], b.mounts[p] = &blobs{}, &mounts{c: c}
	}
	return b, nil
}

// recorded are the requests whose answers the limit repeats.
func (b *bench) recorded() [][2]string {
	return [][2]string{
		{"GET", b.byTag()},
		{"GET", b.byDigest()},
		{"HEAD", b.byTag()},
		{"HEAD", b.blob(b.c.layer)},
		{"GET", b.blob(b.c.small)},
		{"GET", "/v2/" + repoFifty + "/tags/list"},
		{"GET", "/v2/"},
	}
}

func (b *bench) byTag() string             { return "/v2/" + repoApp + "/manifests/latest" }
func (b *bench) byDigest() string          { return "/v2/" + repoApp + "/manifests/" + b.c.image }
func (b *bench) blob(digest string) string { return "/v2/" + repoApp + "/blobs/" + digest }

// workloads are the rows, in the order of the table.
func (b *bench) workloads() []workload {
	if b.o.uploads {
		return b.uploads()
	}
	all := slices.Concat(b.transfers(), b.small(), b.writes(), b.pages(), b.single(), b.starts())
	if b.o.growth != "" { // what starts servers of its own does not start these
		all = slices.DeleteFunc(all, func(w workload) bool { return w.alone })
	}
	return all
}

func (b *bench) transfers() []workload {
	return []workload{
		{
			key: "push-1", title: "push layers of 64 MiB, 1 stream", unit: "MB/s", limit: "limit", ratio: 0.95, cpu: 1.3, on: withLimit,
			round: func(p *peer) (sample, error) { return b.push(p, 1, 4, false) },
		},
		{
			key: "push-1-chunked", title: "the same, length not told, as Docker sends", unit: "MB/s", limit: "limit", on: withLimit,
			round: func(p *peer) (sample, error) { return b.push(p, 1, 4, true) },
		},
		{
			key: "push-4", title: "push layers of 64 MiB, 4 streams", unit: "MB/s", limit: "limit", ratio: 0.95, on: withLimit,
			round: func(p *peer) (sample, error) { return b.push(p, 4, 2, false) },
		},
		{
			key: "pull-1", title: "pull a layer of 64 MiB, 1 stream", unit: "MB/s", limit: "nginx", ratio: 0.95, on: withNginx,
			round: func(p *peer) (sample, error) { return b.pull(p, 1) }, check: b.checkPull,
		},
		{
			key: "pull-4", title: "pull a layer of 64 MiB, 4 streams", unit: "MB/s", limit: "nginx", ratio: 0.95, on: withNginx,
			round: func(p *peer) (sample, error) { return b.pull(p, 4) },
		},
	}
}

func (b *bench) small() []workload {
	rows := []struct {
		key, title, method, target string
		ratio                      float64
		length                     int
	}{
		{"manifest-get-tag", "manifest GET by tag", "GET", b.byTag(), 0.6, len(b.c.imageBytes)},
		{"manifest-get-digest", "manifest GET by digest", "GET", b.byDigest(), 0.6, len(b.c.imageBytes)},
		{"manifest-head", "manifest HEAD by tag", "HEAD", b.byTag(), 0.6, 0},
		{"blob-head", "blob HEAD", "HEAD", b.blob(b.c.layer), 0.6, 0},
		{"blob-get", "blob GET, 1 KiB", "GET", b.blob(b.c.small), 0.5, 1024},
		{"tags-50", "tags/list of 50 tags", "GET", "/v2/" + repoFifty + "/tags/list", 0.5, -1},
	}
	var all []workload
	for _, row := range rows {
		all = append(all, workload{
			key: row.key, title: row.title, unit: "/s", limit: "limit", ratio: row.ratio, on: withLimit,
			round: func(p *peer) (sample, error) {
				length := int64(row.length)
				if length < 0 {
					var err error
					if length, err = b.length(p, row.target); err != nil {
						return sample{}, err
					}
				}
				return b.rate(p, &fixed{request: request(row.method, row.target, accept), head: row.method == "HEAD", length: length})
			},
		})
	}
	return all
}

func (b *bench) writes() []workload {
	return []workload{
		{
			key: "manifest-put", title: "manifest PUT, each a new tag", unit: "/s", bound: 5000, limit: "limit", on: withLimit,
			round: func(p *peer) (sample, error) { return b.rate(p, b.puts[p]) },
			check: func(p *peer) error { return b.checkPut(p, b.puts[p]) },
		},
		{
			key: "manifest-move", title: "manifest PUT, tags that move", unit: "/s", bound: 5000, limit: "limit", on: withLimit,
			round: func(p *peer) (sample, error) { return b.rate(p, b.moves[p]) },
			check: func(p *peer) error { return b.checkPut(p, b.moves[p]) },
		},
		{
			key: "blob-push", title: "blob push of 1 KiB, POST and PUT", unit: "/s", bound: 4000, limit: "limit", on: withLimit,
			round: func(p *peer) (sample, error) { return b.rate(p, b.blobs[p]) },
		},
		{
			key: "mount", title: "blob mount", unit: "/s", bound: 4000, limit: "limit", on: withLimit,
			round: func(p *peer) (sample, error) { return b.rate(p, b.mounts[p]) },
		},
	}
}

// rate runs a flow on 16 connections for the window.
func (b *bench) rate(p *peer, f flow) (sample, error) {
	before, err := p.cpu()
	if err != nil {
		return sample{}, err
	}
	ops, took, err := drive(p.addr, 16, f, b.window)
	if err != nil {
		return sample{}, err
	}
	after, err := p.cpu()
	return sample{float64(ops) / took.Seconds(), (after - before) * 1e6 / float64(ops)}, err
}

func (b *bench) push(p *peer, n, times int, chunked bool) (sample, error) {
	return b.transfer(p, n, times, func(c *conn) (int64, error) { return layerSize, b.layers[p].push(c, repoPush, chunked) })
}

func (b *bench) pull(p *peer, n int) (sample, error) {
	ask, end := request("GET", b.pullTarget(p)), time.Now().Add(b.window)
	return b.transfer(p, n, 1, func(c *conn) (sum int64, err error) {
		buffer := make([]byte, mib)
		for time.Now().Before(end) {
			n, err := c.discard(ask, buffer, nil)
			if err != nil {
				return 0, err
			}
			sum += n
		}
		return sum, nil
	})
}

// pullTarget is where the layer is; nginx serves the folder of blobs.
func (b *bench) pullTarget(p *peer) string {
	if p.name == "nginx" {
		return fmt.Sprintf("/docker/registry/v2/blobs/sha256/%s/%s/data", b.c.layer[7:9], b.c.layer[7:])
	}
	return b.blob(b.c.layer)
}

func (b *bench) transfer(p *peer, n, times int, do func(c *conn) (int64, error)) (sample, error) {
	before, err := p.cpu()
	if err != nil {
		return sample{}, err
	}
	sums := make(chan int64, n*times)
	took, err := streams(p.addr, n, times, func(c *conn) error {
		sum, err := do(c)
		sums <- sum
		return err
	})
	if err != nil {
		return sample{}, err
	}
	close(sums)
	var total int64
	for sum := range sums {
		total += sum
	}
	after, err := p.cpu()
	return sample{float64(total) / 1e6 / took.Seconds(), (after - before) * 1e9 / float64(total)}, err
}
