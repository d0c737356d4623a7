package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"berth/app/job"
	"berth/registry"
	"berth/registry/index"
)

// Engines finds container engines. Errors that a person may read are a
// [*Problem].
type Engines interface {
	// Contexts lists the docker contexts.
	Contexts() ([]Context, error)
	// Open reaches the engine of a context; empty means the current one.
	Open(ctx context.Context, name string) (LocalEngine, error)
	// Reclaim gives back what a Berth that was killed had borrowed of engines,
	// and says how much could not be.
	Reclaim(ctx context.Context) (left int, err error)
}

// LocalEngine is a container engine that answers.
type LocalEngine interface {
	Info(ctx context.Context) (Engine, error)
	Images(ctx context.Context) ([]EngineImage, error)
	// Push puts an image into the registry, however the engine can reach it,
	// and gives the digest that the tag names then.
	Push(ctx context.Context, p EnginePush, report func(job.Progress)) (digest string, err error)
	// Pull has the engine pull "localhost:5000/acme/app:v1".
	Pull(ctx context.Context, reference string, report func(job.Progress)) error
	// Save streams an image, named by id or name, as a tar that an archive is
	// read from. The caller closes it.
	Save(ctx context.Context, image string) (io.ReadCloser, error)
	// Watch yields whenever an image changes. An error ends it.
	Watch(ctx context.Context) iter.Seq2[struct{}, error]
	Close() error
}

// EngineImage is an image of an engine with all of its names.
type EngineImage struct {
	// ID is the digest of the configuration, or, with Containerd, of the
	// manifest.
	ID         string
	Names      []string
	Digests    []string // "repository@sha256:…"
	Size       int64
	Created    time.Time
	Containerd bool
}

// EnginePush says what is pushed where.
type EnginePush struct {
	Image           string
	Repository, Tag string
	// Address to push to; empty while the registry does not listen.
	Address string
	// Registry is the same one, for an engine that cannot reach Address.
	Registry registry.Registry
	TempDir  string
}

// LocalImages lists the engine's images; see [Service].
func (c *Core) LocalImages(ctx context.Context, r LocalImagesRequest) (LocalImagesReply, error) {
	c.engine.choose(r.Context)
	reply := LocalImagesReply{Contexts: []Context{}, Images: []LocalImage{}}
	contexts, err := c.engines.Contexts()
	if err == nil {
		reply.Contexts = contexts
	}
	images, engine, err := c.engineImages(ctx, r.Context)
	if ctx.Err() != nil {
		return reply, ctx.Err()
	}
	if err != nil {
		reply.Problem = AsProblem(err)
		return reply, nil
	}
	reply.Engine = engine
	here, err := c.ix.RepositoryNames(ctx, "", 0)
	if err != nil {
		return reply, fmt.Errorf("list repositories: %w", err)
	}
	for _, i := range images {
		for _, name := range i.Names {
			row := LocalImage{ID: i.ID, Name: name, Size: i.Size, Created: i.Created, As: suggestName(i, name, here)}
			if row.As == "" || c.isLent(name) {
				continue
			}
			if row.InBerth, err = c.isHere(ctx, i, row.As); err != nil {
				return reply, err
			}
			reply.Images = append(reply.Images, row)
		}
	}
	return reply, nil
}

func (c *Core) engineImages(ctx context.Context, name string) ([]EngineImage, Engine, error) {
	e, err := c.engines.Open(ctx, name)
	if err != nil {
		return nil, Engine{}, err
	}
	defer func() { _ = e.Close() }()
	info, err := e.Info(ctx)
	if err != nil {
		return nil, Engine{}, err
	}
	images, err := e.Images(ctx)
	return images, info, err
}

// isHere reports whether the tag as names the image that the engine has.
func (c *Core) isHere(ctx context.Context, i EngineImage, as string) (bool, error) {
	repo, tag, _ := splitName(as)
	d, err := c.reg.ResolveTag(ctx, repo, tag)
	if errors.Is(err, registry.ErrNameUnknown) || errors.Is(err, registry.ErrManifestUnknown) {
		return false, nil
	}
	if err != nil {
		return false, AsProblem(err)
	}
	return c.isImage(ctx, i, d.Digest)
}

func (c *Core) isImage(ctx context.Context, i EngineImage, d registry.Digest) (bool, error) {
	if i.ID == d.String() || slices.ContainsFunc(i.Digests, func(known string) bool { return strings.HasSuffix(known, "@"+d.String()) }) {
		return true, nil
	}
	m, err := c.ix.Manifest(ctx, d)
	if errors.Is(err, index.ErrUnknown) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up manifest %s: %w", d, err)
	}
	if len(m.Blobs) > 0 && m.Blobs[0].Digest.String() == i.ID {
		return true, nil
	}
	for _, child := range m.Children {
		if same, err := c.isImage(ctx, i, child.Digest); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

// Push starts to push a local image; see [Service].
func (c *Core) Push(ctx context.Context, r PushRequest) (JobReply, error) {
	switch {
	case c.readOnly.Load():
		return JobReply{}, c.whyReadOnly()
	case strings.TrimSpace(r.Image) == "":
		return JobReply{}, BadRequest(errors.New("no image is named"))
	}
	source := r.Image
	if r.As == "" || strings.HasPrefix(r.Image, "sha256:") {
		name, as, err := c.offered(ctx, r)
		if err != nil {
			return JobReply{}, err
		}
		source, r.As = cmp.Or(name, source), cmp.Or(r.As, as)
	}
	repo, tag, err := c.parseAs(r.As)
	if err != nil {
		return JobReply{}, err
	}
	ctx = c.as(ctx, "")
	spec := job.Spec{Kind: string(JobPush), Title: repo + ":" + tag, Source: source}
	return c.start(ctx, spec, func(ctx context.Context, report func(job.Progress)) (job.Result, error) {
		report(job.Progress{Note: "preparing"})
		e, err := c.engines.Open(ctx, r.Context)
		if err != nil {
			return job.Result{}, err
		}
		defer func() { _ = e.Close() }()
		defer c.lend(ctx, e, c.engineAddress()+"/"+repo+":"+tag)()
		d, err := e.Push(ctx, EnginePush{
			Image: r.Image, Repository: repo, Tag: tag, Address: c.engineAddress(), Registry: c.reg, TempDir: c.tempDir(),
		}, report)
		return job.Result{Digest: d, Text: c.pullCommand(repo, tag)}, err
	})
}

// offered finds the name of a local image and the one it gets here.
func (c *Core) offered(ctx context.Context, r PushRequest) (name, as string, err error) {
	list, err := c.LocalImages(ctx, LocalImagesRequest{Context: r.Context})
	if err != nil {
		return "", "", err
	}
	if list.Problem != nil {
		return "", "", list.Problem
	}
	names := []string{r.Image}
	if !strings.Contains(r.Image[strings.LastIndexByte(r.Image, '/')+1:], ":") {
		names = append(names, r.Image+":latest")
	}
	for _, i := range list.Images {
		hex := strings.TrimPrefix(i.ID, "sha256:")
		if slices.Contains(names, i.Name) || i.ID == r.Image || len(r.Image) >= 8 && strings.HasPrefix(hex, r.Image) {
			return i.Name, i.As, nil
		}
	}
	if r.As != "" {
		return "", "", nil // the engine may know it by something else
	}
	return "", "", noLocalImage(r.Image)
}

func noLocalImage(name string) *Problem {
	return &Problem{
		Code: "no_local_image", Severity: severityError, Title: "There is no local image " + name,
		Text: "The container engine has no image of that name or id.", Fix: "To see what it has:", Command: "docker image ls", Exit: exitNotFound,
	}
}

// Pull starts to pull an image into the engine; see [Service].
func (c *Core) Pull(ctx context.Context, r PullRequest) (JobReply, error) {
	d, err := c.resolve(ctx, r.Repository, r.Reference)
	if err != nil {
		return JobReply{}, err
	}
	address := c.engineAddress()
	if address == "" {
		return JobReply{}, notServing()
	}
	name := r.Repository + separator(r.Reference) + r.Reference
	spec := job.Spec{Kind: string(JobPull), Title: name}
	return c.start(c.as(ctx, ""), spec, func(ctx context.Context, report func(job.Progress)) (job.Result, error) {
		report(job.Progress{Note: "preparing"})
		e, err := c.engines.Open(ctx, r.Context)
		if err != nil {
			return job.Result{}, err
		}
		defer func() { _ = e.Close() }()
		if err := e.Pull(ctx, address+"/"+name, report); err != nil {
			return job.Result{}, err
		}
		c.notify(Notice{Kind: NoticeLocal})
		return job.Result{Digest: d.Digest.String()}, nil
	})
}

func notServing() *Problem {
	return &Problem{
		Code: "not_serving", Severity: severityError, Title: "The registry does not answer yet",
		Text: "A container engine can pull only from a Berth that runs.", Fix: "Start it, then try again:", Command: "berth", Exit: exitConflict,
	}
}

// Import starts to read images from disk; see [Service].
func (c *Core) Import(ctx context.Context, r ImportRequest) (JobReply, error) {
	if c.readOnly.Load() {
		return JobReply{}, c.whyReadOnly()
	}
	if _, err := os.Stat(r.Path); err != nil {
		return JobReply{}, &Problem{
			Code: "not_found", Severity: severityError, Title: "There is no file or folder “" + r.Path + "”",
			Text: err.Error(), Fix: "Choose a tar made by docker save, an OCI tar, or an OCI folder.", Exit: exitNotFound,
		}
	}
	repo, tag := "", ""
	if r.As != "" {
		var err error
		if repo, tag, err = c.parseAs(r.As); err != nil {
			return JobReply{}, err
		}
	}
	title := filepath.Base(r.Path)
	if repo != "" {
		title = repo + ":" + tag
	}
	ctx = c.as(ctx, "")
	spec := job.Spec{Kind: string(JobImport), Title: title, Source: r.Path}
	return c.start(ctx, spec, func(ctx context.Context, report func(job.Progress)) (job.Result, error) {
		report(job.Progress{Note: "reading"})
		return c.archive(ctx, r.Path, repo, tag, report)
	})
}

// How often, and how many times, engines are asked for what a killed Berth left
// in them: at login they may start later than Berth.
const (
	reclaimPace  = time.Minute
	reclaimTries = 10
)

func (c *Core) reclaim(ctx context.Context) {
	for try := 1; ; try++ {
		left, err := c.engines.Reclaim(ctx)
		if left == 0 || ctx.Err() != nil {
			return
		}
		if try == reclaimTries {
			c.log.Warn("temporary tags stay in a container engine until the next start", "count", left, "error", err)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(reclaimPace):
		}
	}
}
