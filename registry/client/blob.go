package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"berth/registry"
	"berth/registry/internal/route"
)

const octets = "application/octet-stream"

// OpenBlob begins to read at once; a Seek elsewhere asks again, for a range.
func (c *client) OpenBlob(ctx context.Context, repo string, d registry.Digest) (registry.Blob, error) {
	if err := checkNames(repo, d); err != nil {
		return nil, err
	}
	q := route.Request{Kind: route.BlobGet, Repository: repo, Digest: d, Limit: -1}
	resp, err := c.ask(ctx, q, nil, nil)
	if err != nil {
		return nil, err
	}
	n := size(resp)
	if n < 0 {
		desc, err := c.StatBlob(ctx, repo, d)
		if err != nil {
			discard(resp)
			return nil, err
		}
		n = desc.Size
	}
	return &blob{
		desc: registry.Descriptor{MediaType: octets, Digest: d, Size: n},
		body: resp.Body,
		open: func(at int64) (io.ReadCloser, error) {
			resp, err := c.ask(ctx, q, nil, http.Header{"Range": {fmt.Sprintf("bytes=%d-", at)}})
			if err != nil {
				return nil, err
			}
			if resp.StatusCode != http.StatusPartialContent { // ranges are optional to a registry
				if _, err := io.CopyN(io.Discard, resp.Body, at); err != nil {
					return nil, errors.Join(err, resp.Body.Close())
				}
			}
			return resp.Body, nil
		},
	}, nil
}

type blob struct {
	desc registry.Descriptor
	open func(at int64) (io.ReadCloser, error)
	body io.ReadCloser // nil: to be opened at `at`
	at   int64
}

// Descriptor describes the blob.
func (b *blob) Descriptor() registry.Descriptor { return b.desc }

// Read goes on where the last Read or Seek was.
func (b *blob) Read(p []byte) (int, error) {
	if b.at >= b.desc.Size {
		return 0, io.EOF
	}
	if b.body == nil {
		body, err := b.open(b.at)
		if err != nil {
			return 0, err
		}
		b.body = body
	}
	n, err := b.body.Read(p)
	b.at += int64(n)
	if err == io.EOF && b.at < b.desc.Size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Seek asks for nothing yet.
func (b *blob) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.at
	case io.SeekEnd:
		offset += b.desc.Size
	}
	if offset < 0 {
		return b.at, errors.New("seek before the beginning of a blob")
	}
	if offset != b.at && b.body != nil {
		_ = b.body.Close() // it was only read
		b.body = nil
	}
	b.at = offset
	return offset, nil
}

// Close ends the response.
func (b *blob) Close() error {
	if b.body == nil {
		return nil
	}
	return b.body.Close()
}

// StatBlob asks with HEAD.
func (c *client) StatBlob(ctx context.Context, repo string, d registry.Digest) (registry.Descriptor, error) {
	if err := checkNames(repo, d); err != nil {
		return registry.Descriptor{}, err
	}
	resp, err := c.ask(ctx, route.Request{Kind: route.BlobHead, Repository: repo, Digest: d, Limit: -1}, nil, nil)
	if err != nil {
		return registry.Descriptor{}, err
	}
	defer discard(resp)
	return registry.Descriptor{MediaType: octets, Digest: d, Size: size(resp)}, nil
}

// MountBlob gives back the upload that a registry begins where it cannot mount.
func (c *client) MountBlob(ctx context.Context, from, to string, d registry.Digest) (registry.Descriptor, error) {
	err := checkNames(to, d)
	if err == nil && from != "" {
		err = registry.ParseName(from)
	}
	if err != nil {
		return registry.Descriptor{}, err
	}
	resp, err := c.ask(ctx, route.Request{Kind: route.BlobMount, Repository: to, From: from, Digest: d, Limit: -1}, nil, nil)
	if err != nil {
		return registry.Descriptor{}, err
	}
	discard(resp)
	if resp.StatusCode == http.StatusCreated {
		return c.StatBlob(ctx, to, d)
	}
	unknown := registry.ErrBlobUnknown.WithDetail(d)
	up, err := c.upload(ctx, to, resp)
	if err != nil {
		return registry.Descriptor{}, errors.Join(unknown, err)
	}
	if err := up.Cancel(ctx); err != nil {
		return registry.Descriptor{}, errors.Join(unknown, err)
	}
	return registry.Descriptor{}, unknown
}

// DeleteBlob deletes.
func (c *client) DeleteBlob(ctx context.Context, repo string, d registry.Digest) error {
	if err := checkNames(repo, d); err != nil {
		return err
	}
	return c.done(ctx, route.Request{Kind: route.BlobDelete, Repository: repo, Digest: d, Limit: -1})
}

// done asks for something that has no answer but success.
func (c *client) done(ctx context.Context, q route.Request) error {
	resp, err := c.ask(ctx, q, nil, nil)
	if err != nil {
		return err
	}
	discard(resp)
	return nil
}
