package transfer

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"golang.org/x/sync/errgroup"

	"berth/registry"
)

// defaultParallel is enough to keep a disk or a line busy.
const defaultParallel = 4

// Request says what is copied where.
type Request struct {
	// From is the repository of the source.
	From string
	// Reference is a tag or a digest there.
	Reference string
	// To is the repository of the destination; empty means From.
	To string
	// Tags that name the result in the destination; none: only its digest does.
	Tags []string
	// Platforms, such as "linux/arm64", keep those children of an index; none
	// means all. One platform gives that manifest itself, several give a
	// smaller index with a digest of its own.
	Platforms []string
	// Partial leaves out what the source does not have of an index, as if it
	// had not been asked for: engines keep only the platforms they pulled.
	Partial bool
	// Referrers copies what refers to the manifests, too: signatures, SBOMs.
	Referrers bool
}

// Options say how a copy is done.
type Options struct {
	// Parallel is how many blobs are copied at once; 0 means 4.
	Parallel int
	// Progress, when set, is called at each change of a blob's state, and at
	// most about ten times a second for bytes. Calls never overlap; it must
	// not block.
	Progress func(Progress)
}

// Copy copies a manifest with everything that it needs from src to dst, and
// gives its descriptor in dst. It verifies each blob by its digest.
//
// When it fails, or ctx ends, no tag was set; blobs that arrived stay, to be
// found by the next attempt or by a clean-up. Errors: those of the two
// registries; registry.ErrManifestUnknown when no platform matches.
func Copy(ctx context.Context, dst, src registry.Registry, r Request, o Options) (registry.Descriptor, error) {
	if r.To == "" {
		r.To = r.From
	}
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	c := &copier{dst: dst, src: src, r: r, seen: map[registry.Digest]*node{}, checked: map[registry.Digest]error{}, same: sameRegistry(dst, src)}
	if err := c.check(); err != nil {
		return registry.Descriptor{}, err
	}
	root, err := c.plan(ctx)
	if err != nil {
		return registry.Descriptor{}, fmt.Errorf("read %s: %w", r.Reference, err)
	}
	c.track = newTracker(c.blobs(), o.Progress)
	if err := c.copyBlobs(ctx, o.Parallel); err != nil {
		return registry.Descriptor{}, err
	}
	desc, err := c.copyManifests(ctx, root)
	if err != nil {
		return registry.Descriptor{}, err
	}
	c.track.report()
	return desc, nil
}

// copier is one copy. Its fields do not change once the plan is made, which one
// goroutine does.
type copier struct {
	dst, src registry.Registry
	r        Request
	same     bool
	// nodes are all manifests in the order in which they are written; seen
	// finds them by digest.
	nodes []*node
	seen  map[registry.Digest]*node
	// bytes of manifests that are read, and what complete said of them.
	bytes   int64
	checked map[registry.Digest]error
	track   *tracker
}

func (c *copier) check() error {
	for _, name := range []string{c.r.From, c.r.To} {
		if err := registry.ParseName(name); err != nil {
			return err
		}
	}
	for _, tag := range c.r.Tags {
		if err := registry.ParseTag(tag); err != nil {
			return err
		}
	}
	return nil
}

// sameRegistry reports whether dst is src, so that blobs can be mounted.
func sameRegistry(dst, src registry.Registry) bool {
	return reflect.ValueOf(dst).Comparable() && reflect.ValueOf(src).Comparable() && dst == src
}

// blobs lists what the plan needs, each once.
func (c *copier) blobs() []blob {
	var out []blob
	seen := map[registry.Digest]bool{}
	for _, n := range c.nodes {
		for _, b := range n.parsed.Blobs {
			if !seen[b.Digest] {
				seen[b.Digest] = true
				out = append(out, blob{Descriptor: b.Descriptor, elsewhere: b.Elsewhere})
			}
		}
	}
	return out
}

func (c *copier) copyBlobs(ctx context.Context, parallel int) error {
	g, group := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, b := range c.track.list {
		if group.Err() != nil {
			break
		}
		g.Go(func() error {
			if err := c.copyBlob(group, i, b); err != nil {
				return fmt.Errorf("copy blob %s: %w", b.Digest, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// copyManifests writes the leaves first and the root last, with the tags.
func (c *copier) copyManifests(ctx context.Context, root *node) (registry.Descriptor, error) {
	order := slices.DeleteFunc(slices.Clone(c.nodes), func(n *node) bool { return n == root })
	for _, n := range order {
		if err := ctx.Err(); err != nil {
			return registry.Descriptor{}, err
		}
		if _, err := c.dst.PutManifest(ctx, c.r.To, n.manifest); err != nil {
			return registry.Descriptor{}, fmt.Errorf("copy manifest %s: %w", n.manifest.Digest, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return registry.Descriptor{}, err
	}
	desc, err := c.dst.PutManifest(ctx, c.r.To, root.manifest, c.r.Tags...)
	if err != nil {
		return registry.Descriptor{}, fmt.Errorf("copy manifest %s: %w", root.manifest.Digest, err)
	}
	return desc, nil
}
