//go:build linux

package main

// uploads are the workload of large layers at once: how fast, and the most
// memory that the server ever held. It writes 16 GiB, so it runs once.
func (b *bench) uploads() []workload {
	const size, conns = 2 << 30, 8
	return []workload{
		{
			key: "uploads", title: "push eight layers of 2 GiB at once", unit: "MB/s", on: []string{"berth"}, rounds: 1,
			round: func(p *peer) (sample, error) {
				large, err := newLayers(size, 11)
				if err != nil {
					return sample{}, err
				}
				return b.transfer(p, conns, 1, func(c *conn) (int64, error) { return large.size, large.push(c, repoPush, false) })
			},
		},
		{
			key: "uploads-memory", title: "the most memory it held then", unit: "MB", less: true, bound: 64, on: []string{"berth"}, rounds: 1,
			round: func(p *peer) (sample, error) {
				mb, err := p.memory("VmHWM")
				return sample{Value: mb}, err
			},
		},
	}
}
