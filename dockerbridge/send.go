package dockerbridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"berth/registry"
	"berth/registry/archive"
	"berth/registry/transfer"
)

// Send gets an image of the engine into dst, which is the registry that
// listens on o.Address, by the better way: the engine pushes it where it can
// reach us, and where it cannot, or cannot push without losing the image, it
// is carried. In the end the tag names what Result says, or there is an error.
func Send(ctx context.Context, e Engine, dst registry.Registry, o PushOptions, progress func(Progress)) (Result, error) {
	reaches, err := e.Reaches(ctx, o.Address)
	if err != nil {
		return Result{}, err
	}
	if !reaches {
		return Carry(ctx, e, dst, o, progress)
	}
	result, err := e.Push(ctx, o, progress)
	var problem *Error
	if errors.As(err, &problem) && (problem.Kind == KindUnreachable || problem.Kind == KindUnnamed) {
		return Carry(ctx, e, dst, o, progress)
	}
	if err != nil {
		return Result{}, err
	}
	// Another registry may listen on the same port of the engine's machine:
	// only what arrived here counts.
	if desc, err := dst.ResolveTag(ctx, o.Repository, o.Tag); err != nil || desc.Digest != result.Digest {
		if ctx.Err() != nil {
			return Result{}, asError(ctx.Err(), "")
		}
		return Carry(ctx, e, dst, o, progress)
	}
	return result, nil
}

// Carry gets an image of the engine into dst without the engine's network: it
// is saved as an archive, spooled to o.TempDir, and copied from there. While
// the engine saves, Done counts what it sent, and Total is the image's size,
// which is about that; then Note changes to "storing", and Layers come.
func Carry(ctx context.Context, e Engine, dst registry.Registry, o PushOptions, progress func(Progress)) (Result, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	body, err := e.Save(ctx, o.Image)
	if err != nil {
		return Result{}, err
	}
	defer body.Close()
	m := &meter{r: body, total: sizeOf(ctx, e, o.Image), report: progress}
	a, err := archive.Read(ctx, m, o.TempDir)
	if err != nil {
		return Result{}, m.failed(ctx, fmt.Errorf("save %s: %w", o.Image, err))
	}
	defer a.Close()
	images := a.Images()
	if len(images) == 0 {
		return Result{}, &Error{Kind: KindNotFound, Err: fmt.Errorf("save %s: the engine sent an archive without images", o.Image)}
	}
	desc, err := transfer.Copy(ctx, dst, a, transfer.Request{
		From:      images[0].Repository,
		Reference: images[0].Descriptor.Digest.String(),
		To:        o.Repository,
		Tags:      []string{o.Tag},
		Partial:   true,
	}, transfer.Options{Progress: func(p transfer.Progress) { progress(m.storing(p)) }})
	if err != nil {
		return Result{}, m.failed(ctx, fmt.Errorf("store %s: %w", o.Image, err))
	}
	return Result{
		Digest:  desc.Digest,
		Size:    desc.Size,
		Carried: true,
		Partial: desc.Digest != images[0].Descriptor.Digest,
	}, nil
}

// sizeOf looks an image up; 0 when it is not listed.
func sizeOf(ctx context.Context, e Engine, image string) int64 {
	list, err := e.Images(ctx)
	if err != nil {
		return 0
	}
	i := slices.IndexFunc(list, func(i Image) bool { return i.ID == image || slices.Contains(i.Names, image) })
	if i < 0 {
		return 0
	}
	return list[i].Size
}

// meter counts what the engine sends.
type meter struct {
	r           io.Reader
	done, total int64
	last        time.Time
	report      func(Progress)
	// err is how the engine's stream broke off, if it did.
	err error
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.done += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		m.err = err
	}
	if time.Since(m.last) >= progressInterval || err != nil {
		m.last = time.Now()
		if m.total > 0 {
			m.total = max(m.total, m.done)
		}
		m.report(Progress{Done: m.done, Total: m.total, Note: "reading"})
	}
	return n, err
}

// storing is the second half: the bytes have come, the layers find their place.
func (m *meter) storing(p transfer.Progress) Progress {
	out := Progress{Done: m.done, Total: m.done, Note: "storing"}
	for _, b := range p.Blobs {
		hex := b.Descriptor.Digest.Encoded()
		out.Layers = append(out.Layers, Layer{
			ID:    hex[:min(12, len(hex))],
			State: layerStates[b.State],
			Done:  b.Done,
			Total: b.Descriptor.Size,
		})
	}
	return out
}

var layerStates = map[transfer.State]LayerState{
	transfer.Waiting: LayerWaiting,
	transfer.Active:  LayerActive,
	transfer.Done:    LayerDone,
	transfer.Exists:  LayerExists,
	transfer.Mounted: LayerMounted,
}

// failed finds the kind of an error on the way from the engine to dst. A file
// that is missing or forbidden here says nothing about the engine.
func (m *meter) failed(ctx context.Context, err error) *Error {
	out := &Error{Kind: KindOther, Err: err}
	switch kind := kindOf(err); {
	case ctx.Err() != nil:
		out.Kind = KindCancelled
	case m.err != nil:
		out.Kind = kindOf(m.err)
	case kind == KindNoSpace || kind == KindDenied:
		out.Kind = kind
	}
	return out
}
