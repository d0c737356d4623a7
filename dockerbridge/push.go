package dockerbridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"

	"berth/registry"
)

// untagTimeout bounds the way back: it goes on when the caller has cancelled.
const untagTimeout = 30 * time.Second

// Push tags, pushes and untags.
func (d *docker) Push(ctx context.Context, o PushOptions, progress func(Progress)) (Result, error) {
	if err := errors.Join(registry.ParseName(o.Repository), registry.ParseTag(o.Tag)); err != nil {
		return Result{}, d.fail(err)
	}
	target, loans := o.Reference(), o.Loans
	if loans == nil {
		loans = &d.own
	}
	release, err := loans.reserve(ctx, d.at.host, target)
	if err != nil {
		return Result{}, d.fail(err)
	}
	defer release()

	img, err := d.api.ImageInspect(ctx, o.Image)
	if err != nil {
		return Result{}, d.fail(ended(ctx, err))
	}
	giveBack, err := d.borrow(ctx, loans, img, target)
	if err != nil {
		return Result{}, d.fail(ended(ctx, err))
	}
	result, err := d.push(ctx, target, d.layerSizes(ctx, img), progress)
	// The tag goes whatever happened to the push, and whoever cancelled it.
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), untagTimeout)
	defer cancel()
	if backErr := giveBack(back); backErr != nil {
		err = errors.Join(err, fmt.Errorf("take the temporary tag %s away again: %w", target, backErr))
	}
	if err != nil {
		return Result{}, d.fail(err)
	}
	return result, nil
}

// borrow gives img the name target, and the way to undo it. A name that the
// user had given stays; one that named another image names it again after.
func (d *docker) borrow(ctx context.Context, loans *Loans, img image.InspectResponse, target string) (giveBack func(context.Context) error, err error) {
	var undo func(context.Context) error
	note := loan{Engine: d.at.host, Context: d.at.context, Reference: target, Image: img.ID}
	before, err := d.api.ImageInspect(ctx, target)
	switch {
	case err == nil && before.ID == img.ID:
		return func(context.Context) error { return nil }, nil
	case err == nil:
		note.Before = before.ID
		undo = func(ctx context.Context) error { return d.api.ImageTag(ctx, before.ID, target) }
	case !cerrdefs.IsNotFound(err):
		return nil, err
	case !namedElsewhere(img, target):
		return nil, &Error{Kind: KindUnnamed, Address: d.at.host, Err: fmt.Errorf("image %s has no name of its own", img.ID)}
	default:
		undo = func(ctx context.Context) error { return d.untag(ctx, target) }
	}
	if err := loans.begin(note); err != nil {
		return nil, &Error{Kind: KindOther, Err: err}
	}
	giveBack = func(ctx context.Context) error {
		if err := undo(ctx); err != nil {
			return err
		}
		return loans.end(note)
	}
	if err := d.api.ImageTag(ctx, img.ID, target); err != nil {
		// A cancelled request may have been carried out all the same.
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), untagTimeout)
		defer cancel()
		return nil, errors.Join(err, giveBack(back))
	}
	return giveBack, nil
}

func (d *docker) untag(ctx context.Context, target string) error {
	_, err := d.api.ImageRemove(ctx, target, image.RemoveOptions{})
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// namedElsewhere reports whether an image outlives the removal of target: with
// the last tag of a repository an engine forgets that repository's digests as
// well, and with the last name of all the image.
func namedElsewhere(img image.InspectResponse, target string) bool {
	mine := repositoryOf(target)
	for _, name := range realNames(img.RepoTags) {
		if name != target {
			return true
		}
	}
	return slices.ContainsFunc(realNames(img.RepoDigests), func(name string) bool {
		return repositoryOf(name) != mine
	})
}

func repositoryOf(name string) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return name
	}
	return named.Name()
}

// layerSizes knows the sizes of layers under the names that a push will show,
// so that the total is known from the beginning. With images in containerd, or
// a history that cannot be told apart, it knows none.
func (d *docker) layerSizes(ctx context.Context, img image.InspectResponse) map[string]int64 {
	history, err := d.api.ImageHistory(ctx, img.ID)
	if err != nil {
		return nil
	}
	var sizes []int64
	for _, h := range slices.Backward(history) {
		if h.Size > 0 {
			sizes = append(sizes, h.Size)
		}
	}
	if len(sizes) != len(img.RootFS.Layers) {
		return nil
	}
	out := make(map[string]int64, len(sizes))
	for i, diff := range img.RootFS.Layers {
		if _, hex, ok := strings.Cut(diff, ":"); ok && len(hex) >= 12 {
			out[hex[:12]] = sizes[i]
		}
	}
	return out
}

// push pushes a name that the engine has.
func (d *docker) push(ctx context.Context, target string, sizes map[string]int64, progress func(Progress)) (Result, error) {
	body, err := d.api.ImagePush(ctx, target, image.PushOptions{RegistryAuth: noAuth})
	if err != nil {
		return Result{}, ended(ctx, err)
	}
	defer body.Close()
	s := newStream("pushing", sizes, progress)
	if err := s.follow(body); err != nil {
		return Result{}, ended(ctx, err)
	}
	if s.result.Digest == "" {
		// An engine that dies in the middle ends the stream like this.
		return Result{}, ended(ctx, errors.New("the engine ended the push without a result"))
	}
	return Result{Digest: s.result.Digest, Size: s.result.Size, Partial: s.result.Partial}, nil
}
