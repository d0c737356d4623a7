package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"berth/registry"
	"berth/registry/archive"
	"berth/registry/manifest"
	"berth/registry/verify"
)

// localSource is the container engine of this machine. It gives whole images
// only, as archives, so those are looked at which may hold what is missed: by
// their id, by the digests that they were pushed or pulled as, or by name.
type localSource struct{ engines Engines }

func (localSource) name() string { return "Docker" }

func (l localSource) fetch(ctx context.Context, c *Core, plan []*mend, t *fetching) error {
	t.tell("asking Docker")
	images, at, err := l.images(ctx)
	if err != nil {
		p := whereEngine(err)
		for _, m := range plan {
			m.problem = p
		}
		return p
	}
	wants := make([]*wanted, len(plan))
	for i, m := range plan {
		wants[i] = &wanted{m: m, at: at}
	}
	// What came back may say where the rest is: a manifest, which layers it has.
	for left := wants; len(left) > 0; {
		for _, w := range left {
			c.want(ctx, w)
		}
		if err := l.fromImages(ctx, c, images, left, t); err != nil {
			return err
		}
		before := len(left)
		left = slices.DeleteFunc(slices.Clone(left), func(w *wanted) bool {
			w.m.done = w.m.done || c.mendedAlready(ctx, w.m)
			return w.m.done
		})
		if len(left) == before || ctx.Err() != nil {
			break
		}
	}
	for _, w := range wants {
		if !w.m.done {
			w.m.problem = w.problem(c.pushAgain(ctx, w.m, images))
		}
	}
	return nil
}

// fromImages mends what the images of the engine help with, the likeliest first.
func (l localSource) fromImages(ctx context.Context, c *Core, images []EngineImage, wants []*wanted, t *fetching) error {
	likely := func(a, b EngineImage) int { return cmp.Compare(best(wants, b), best(wants, a)) }
	for _, i := range slices.SortedStableFunc(slices.Values(images), likely) {
		var here []*wanted
		for _, w := range wants {
			if !w.m.done && w.match(i) > 0 {
				here = append(here, w)
			}
		}
		if len(here) == 0 {
			continue
		}
		if err := l.fromImage(ctx, c, i, here, t); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			for _, w := range here {
				w.failed = err
			}
		}
	}
	return nil
}

// images lists what the engine has, and says where the engine is.
func (l localSource) images(ctx context.Context) (images []EngineImage, at string, err error) {
	e, err := l.engines.Open(ctx, "")
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = e.Close() }()
	info, err := e.Info(ctx)
	if err != nil {
		return nil, "", err
	}
	images, err = e.Images(ctx)
	return images, info.Address, err
}

// whereEngine adds to why no engine answers by what it was looked for: who
// repairs may have another environment than the program that serves.
func whereEngine(err error) *Problem {
	p := *AsProblem(err)
	if p.Exit == exitEngine {
		p.Text += " The Berth that serves the data folder looks for it: by the DOCKER_HOST that it was started with, or else by docker's current context."
	}
	return &p
}

// fromImage mends what one image of the engine helps with.
func (l localSource) fromImage(ctx context.Context, c *Core, i EngineImage, here []*wanted, t *fetching) (err error) {
	named := shortDigest(registry.Digest(i.ID))
	if len(i.Names) > 0 {
		named = i.Names[0]
	}
	t.tell("reading " + named + " from Docker")
	e, err := l.engines.Open(ctx, "")
	if err != nil {
		return err
	}
	defer func() { _ = e.Close() }()
	stream, err := e.Save(ctx, i.ID)
	if err != nil {
		return err
	}
	a, err := archive.Read(ctx, stream, c.tempDir())
	if err = errors.Join(err, stream.Close()); err != nil {
		return fmt.Errorf("read the image %s: %w", named, err)
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	plain := map[registry.Digest]registry.Digest{}
	for _, w := range here {
		maps.Copy(plain, w.plain(ctx, c, a))
	}
	// Manifests first: the one that is written again says what its layers are.
	slices.SortStableFunc(here, func(a, b *wanted) int { return cmp.Compare(a.order(), b.order()) })
	for _, w := range here {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s := &savedImage{a: a, t: t, dir: c.tempDir(), plain: plain, pushedAs: map[registry.Digest]bool{}}
		for _, known := range i.Digests {
			if _, d, ok := strings.Cut(known, "@"); ok {
				s.pushedAs[registry.Digest(d)] = true
			}
		}
		for repo, err := range a.Repositories(ctx, "") {
			if err == nil {
				s.repo = repo
				break
			}
		}
		t.tell("looking for " + shortDigest(w.m.Digest) + " in " + named)
		if err := c.refetch(ctx, s, w.m); err != nil {
			w.failed, w.repacked = err, w.repacked || s.repacked
		}
	}
	return nil
}

// wanted is what is known of content that is missed.
type wanted struct {
	m  *mend
	at string // where the engine is
	// ids are the digests by which an engine may know an image that has it.
	ids map[string]bool
	// manifests are those of the repository that need it.
	manifests []manifest.Parsed
	failed    error // of the last image
	repacked  bool  // an image had it, packed otherwise
}

// order says when it is fetched: manifests before blobs.
func (w *wanted) order() int {
	if k := w.m.Kind; k == verify.ManifestMissing || k == verify.ChildMissing || k == verify.BlobDamaged && w.m.Manifest == "" {
		return 0
	}
	return 1
}

// maxManifests bounds the manifests of one repository that are read to find
// out who needs a blob.
const maxManifests = 10_000

// want collects what there is to know a local image by.
func (c *Core) want(ctx context.Context, w *wanted) {
	m := w.m
	w.ids, w.manifests = map[string]bool{m.Digest.String(): true}, nil
	repo := m.Repository
	if repo == "" {
		repo, _ = verify.Needing(ctx, c.disk, m.Digest)
	}
	n := 0
	for d, err := range c.disk.Revisions(ctx, repo) {
		if n++; err != nil || n > maxManifests {
			break
		}
		content, err := c.disk.Content(ctx, d.Digest)
		if err != nil {
			continue
		}
		p, err := manifest.Parse("", content)
		if err != nil {
			continue
		}
		needs := d.Digest == m.Manifest || d.Digest == m.Digest
		for _, b := range p.Blobs {
			needs = needs || b.Digest == m.Digest
		}
		for _, child := range p.Children {
			needs = needs || child.Digest == m.Digest || child.Digest == m.Manifest
		}
		if !needs {
			continue
		}
		w.ids[d.Digest.String()] = true
		if len(p.Blobs) > 0 {
			w.ids[p.Blobs[0].Digest.String()] = true
			w.manifests = append(w.manifests, p)
		}
	}
}

// match says how likely an image has it: 0 for not at all.
func (w *wanted) match(i EngineImage) int {
	if w.ids[i.ID] {
		return 3
	}
	for _, known := range i.Digests {
		if _, d, ok := strings.Cut(known, "@"); ok && w.ids[d] {
			return 3
		}
	}
	likely := 0
	for _, name := range i.Names {
		repo, tag, _ := splitName(name)
		repo, _ = withoutHost(repo)
		switch {
		case repo != w.m.Repository && "library/"+repo != w.m.Repository:
		case tag == w.m.Tag:
			return 2
		default:
			likely = 1
		}
	}
	return likely
}

func best(wants []*wanted, i EngineImage) (n int) {
	for _, w := range wants {
		n = max(n, w.match(i))
	}
	return n
}

// plain says which unpacked layer of an image each packed one is, as far as
// manifests and their configs say.
func (w *wanted) plain(ctx context.Context, c *Core, a *archive.Archive) map[registry.Digest]registry.Digest {
	out := map[registry.Digest]registry.Digest{}
	for _, p := range w.manifests {
		if len(p.Blobs) == 0 {
			continue
		}
		config, err := readBlob(c.disk.OpenStored(ctx, p.Blobs[0].Digest))
		if err != nil {
			config, err = readArchived(ctx, a, p.Blobs[0].Digest)
		}
		if err != nil {
			continue
		}
		summary, err := manifest.Config(config)
		if err != nil || len(summary.DiffIDs) != len(p.Blobs)-1 {
			continue
		}
		for n, b := range p.Blobs[1:] {
			if strings.HasSuffix(b.MediaType, "gzip") {
				out[b.Digest] = summary.DiffIDs[n]
			}
		}
	}
	return out
}

func readArchived(ctx context.Context, a *archive.Archive, d registry.Digest) ([]byte, error) {
	for repo, err := range a.Repositories(ctx, "") {
		if err != nil {
			return nil, err
		}
		b, err := a.OpenBlob(ctx, repo, d)
		return readBlob(b, err)
	}
	return nil, registry.ErrBlobUnknown
}

// readBlob reads what is small.
func readBlob(b io.ReadCloser, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(b, registry.MaxManifestSize))
	return content, errors.Join(err, b.Close())
}

// problem says why an engine could not help. again is the command that pushes the
// image again; empty when no local image is known to be the one.
func (w *wanted) problem(again string) *Problem {
	p := &Problem{
		Code: "not_at_source", Severity: severityError, Title: "Docker does not have it", Exit: exitError,
		Text: fmt.Sprintf("No local image holds %s.", shortDigest(w.m.Digest)),
		Fix:  "Push the image again from where it was built, or name a registry that has it:", Command: "berth repair " + w.m.ID + " --from https://registry.example.com",
	}
	switch {
	case errors.Is(w.failed, errUnneeded):
		return unneeded(w.m)
	case w.repacked:
		p.Code, p.Title = "docker_repacks", "Docker does not have it as it was pushed"
		p.Text = fmt.Sprintf("Docker keeps layers unpacked, and packing this one again gives other bytes than %s.", shortDigest(w.m.Digest))
	case w.failed != nil && !missingThere(w.failed):
		return AsProblem(w.failed)
	case w.failed != nil:
		p.Text = fmt.Sprintf("Images of that name are there, but none holds %s: Docker keeps layers unpacked and no manifests, so what another tool packed is not there.", shortDigest(w.m.Digest))
	}
	if w.at != "" {
		p.Text += " The engine that was asked is at " + w.at + "."
	}
	if again != "" {
		p.Fix, p.Command = "If this local image is the one, push it again; else use berth repair --from with a registry that has it.", again
	}
	return p
}
