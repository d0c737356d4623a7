package gc

import (
	"fmt"
	"io"

	"berth/registry"
)

// Classic prints what `registry garbage-collect` of distribution v3 prints. It
// decides nothing.
//
//	c := gc.NewClassic(stdout, quiet)
//	plan, err := gc.NewPlan(ctx, keeper, roots, gc.Options{Grace: -1, Untagged: m, Marked: c.Marked})
//	err = c.Eligible(plan)
type Classic struct {
	w      io.Writer
	quiet  bool
	marked set
	err    error // the first of w
}

// NewClassic prints to w, or nothing.
func NewClassic(w io.Writer, quiet bool) *Classic {
	return &Classic{w: w, quiet: quiet, marked: set{}}
}

func (c *Classic) line(format string, args ...any) {
	if c.quiet || c.err != nil {
		return
	}
	_, c.err = fmt.Fprintf(c.w, format+"\n", args...)
}

// Marked is for [Options].
func (c *Classic) Marked(m Mark) {
	switch {
	case m.Digest == "":
		c.line("%s", m.Repository)
		return
	case m.Manifest:
		// The space at the end is distribution's.
		c.line("%s: marking manifest %s ", m.Repository, m.Digest)
	default:
		c.line("%s: marking blob %s", m.Repository, m.Digest)
	}
	c.marked.add(m.Digest)
}

// Eligible prints the plan, and gives the first error of the writer.
func (c *Classic) Eligible(p *Plan) error {
	each := func(list func(*Repository) *Digests, do func(r *Repository, d registry.Digest)) {
		for i := range p.Repositories {
			r := &p.Repositories[i]
			for _, d := range list(r).All() {
				do(r, d)
			}
		}
	}
	each(func(r *Repository) *Digests { return &r.Manifests }, func(r *Repository, d registry.Digest) {
		c.line("manifest eligible for deletion: {%s %s %s}", r.Name, d, r.tags)
	})
	c.line("\n%d blobs marked, %d blobs and %d manifests eligible for deletion", len(c.marked), p.Blobs.Len(), p.Manifests)
	for _, d := range p.Blobs.All() {
		c.line("blob eligible for deletion: %s", d)
	}
	each(func(r *Repository) *Digests { return &r.Blobs }, func(r *Repository, d registry.Digest) {
		c.line("%s: layer link eligible for deletion: %s", r.Name, d)
	})
	return c.err
}
