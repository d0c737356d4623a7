package client

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"berth/registry"
	"berth/registry/internal/route"
)

// upload is an upload over there. What is written goes out in one PATCH, from
// the first Write until Close or Commit.
type upload struct {
	c        *client
	repo, id string
	location string // where the next request goes
	size     int64
	ended    bool
	stream   *stream // nil: no PATCH is running
	// patch sends one PATCH; it carries the context that the upload was opened
	// with, for Write has none.
	patch func(body io.Reader) (*http.Response, error)
	// status asks how far the upload is.
	status func() (*http.Response, error)
}

// stream is a PATCH that is fed by Write.
type stream struct {
	in   *bufio.Writer
	pipe *io.PipeWriter
	resp *http.Response // once done is closed
	err  error
	done chan struct{}
}

// statusTimeout is how long a registry that broke a request may take to say how
// far it got.
const statusTimeout = 10 * time.Second

// StartUpload begins an upload.
func (c *client) StartUpload(ctx context.Context, repo string) (registry.Upload, error) {
	if err := checkNames(repo); err != nil {
		return nil, err
	}
	resp, err := c.ask(ctx, route.Request{Kind: route.UploadStart, Repository: repo, Limit: -1}, nil, nil)
	if err != nil {
		return nil, err
	}
	discard(resp)
	up, err := c.upload(ctx, repo, resp)
	if err != nil {
		return nil, err
	}
	c.hold(up)
	return up, nil
}

// ResumeUpload asks how far the upload is. Two clients can both resume it: only
// this one's holders are known here.
func (c *client) ResumeUpload(ctx context.Context, repo, id string) (registry.Upload, error) {
	if err := checkNames(repo); err != nil {
		return nil, err
	}
	c.mu.Lock()
	held := c.held[repo+" "+id]
	c.mu.Unlock()
	if held {
		return nil, registry.ErrBlobUploadInvalid.WithMessage("the upload is in use")
	}
	resp, err := c.ask(ctx, route.Request{Kind: route.UploadStatus, Repository: repo, UploadID: url.PathEscape(id), Limit: -1}, nil, nil)
	if err != nil {
		return nil, err
	}
	discard(resp)
	up, err := c.upload(ctx, repo, resp)
	if err != nil {
		return nil, err
	}
	up.id = id
	if !c.hold(up) {
		return nil, registry.ErrBlobUploadInvalid.WithMessage("the upload is in use")
	}
	return up, nil
}

func (c *client) hold(up *upload) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := up.repo + " " + up.id
	if c.held[key] {
		return false
	}
	c.held[key] = true
	return true
}

// upload makes an upload of a response that describes one.
func (c *client) upload(ctx context.Context, repo string, resp *http.Response) (*upload, error) {
	up := &upload{c: c, repo: repo}
	if err := up.follow(resp); err != nil {
		return nil, err
	}
	if up.id = resp.Header.Get("Docker-Upload-Uuid"); up.id == "" {
		u, err := url.Parse(up.location)
		if err != nil {
			return nil, err
		}
		up.id = path.Base(u.Path)
	}
	up.patch = func(body io.Reader) (*http.Response, error) {
		return c.send(ctx, route.UploadAppend, http.MethodPatch, up.location, body, http.Header{"Content-Type": {octets}})
	}
	up.status = func() (*http.Response, error) {
		// Not bound to ctx: what broke may have been its end.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statusTimeout)
		defer cancel() // the answer has no body
		return c.ask(ctx, route.Request{Kind: route.UploadStatus, Repository: repo, UploadID: up.id, Limit: -1}, nil, nil)
	}
	return up, nil
}

// follow takes location and size of a response.
func (u *upload) follow(resp *http.Response) error {
	location, err := resp.Location()
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	u.location = location.String()
	_, last, ok := strings.Cut(resp.Header.Get("Range"), "-")
	n, err := strconv.ParseInt(last, 10, 64)
	switch {
	case !ok || err != nil:
		return nil // a registry need not say: what was counted here stands
	case n > 0:
		u.size = n + 1
	default:
		u.size = oneOrNone(location, u.size)
	}
	return nil
}

// oneOrNone tells an upload of one byte from an empty one: both are in the
// Range "0-0". The state of the location knows; where it cannot be read, what
// was counted here does.
func oneOrNone(location *url.URL, counted int64) int64 {
	const mac = 32 // bytes of HMAC-SHA256 before the JSON
	raw, err := base64.URLEncoding.DecodeString(location.Query().Get("_state"))
	var state struct{ Offset *int64 }
	if err != nil || len(raw) <= mac || json.Unmarshal(raw[mac:], &state) != nil || state.Offset == nil {
		return min(counted, 1)
	}
	return *state.Offset
}

// ID names the upload.
func (u *upload) ID() string { return u.id }

// Size counts what was written, sent or not.
func (u *upload) Size() int64 { return u.size }

// Write sends p after what was written before.
func (u *upload) Write(p []byte) (int, error) {
	if u.stream == nil {
		u.begin()
	}
	n, err := u.stream.in.Write(p)
	u.size += int64(n)
	return n, err
}

func (u *upload) begin() {
	body, pipe := io.Pipe()
	s := &stream{in: bufio.NewWriterSize(pipe, 64<<10), pipe: pipe, done: make(chan struct{})}
	u.stream = s
	go func() {
		defer close(s.done)
		s.resp, s.err = u.patch(body)
		_ = body.CloseWithError(errors.Join(io.ErrClosedPipe, s.err)) // frees a Write that waits
	}()
}

// settle ends the running PATCH, and waits for it.
func (u *upload) settle() error {
	s := u.stream
	if s == nil {
		return nil
	}
	u.stream = nil
	flushed := s.in.Flush()
	_ = s.pipe.Close() // a PipeWriter's Close never fails
	<-s.done
	if s.err != nil {
		return s.err
	}
	discard(s.resp)
	if flushed != nil {
		return flushed
	}
	return u.arrived(s.resp)
}

// arrived checks that all that was sent is there.
func (u *upload) arrived(resp *http.Response) error {
	sent := u.size
	if err := u.follow(resp); err != nil {
		return err
	}
	if u.size != sent {
		return registry.ErrSizeInvalid.WithMessage("the registry has %d bytes of the upload, %d were sent", u.size, sent)
	}
	return nil
}

// ReadFrom sends a whole stream in one PATCH. When that breaks, the upload is
// where the registry says that it is.
func (u *upload) ReadFrom(r io.Reader) (int64, error) {
	if err := u.settle(); err != nil {
		return 0, err
	}
	start := u.size
	counted := &counter{r: r}
	resp, err := u.patch(counted)
	if err == nil {
		discard(resp)
		u.size += counted.n
		err = u.arrived(resp)
		return u.size - start, err
	}
	if resp, statusErr := u.status(); statusErr == nil {
		discard(resp)
		err = errors.Join(err, u.follow(resp))
	}
	return max(u.size-start, 0), err
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// Commit sends the digest.
func (u *upload) Commit(ctx context.Context, want registry.Digest) (registry.Descriptor, error) {
	if err := checkNames(u.repo, want); err != nil {
		return registry.Descriptor{}, err
	}
	defer u.end()
	if err := u.settle(); err != nil {
		return registry.Descriptor{}, err
	}
	to, err := url.Parse(u.location)
	if err != nil {
		return registry.Descriptor{}, err
	}
	query := to.Query()
	query.Set("digest", string(want))
	to.RawQuery = query.Encode()
	resp, err := u.c.send(ctx, route.UploadCommit, http.MethodPut, to.String(), nil, http.Header{"Content-Type": {octets}})
	if err != nil {
		return registry.Descriptor{}, err
	}
	discard(resp)
	return registry.Descriptor{MediaType: octets, Digest: want, Size: u.size}, nil
}

// Close lets go of the upload; it stays over there.
func (u *upload) Close() error {
	if u.ended {
		return nil
	}
	defer u.end()
	return u.settle()
}

// Cancel throws the upload away. A registry that has no such request forgets
// uploads by itself.
func (u *upload) Cancel(ctx context.Context) error {
	if u.ended {
		return nil
	}
	defer u.end()
	_ = u.settle() // whatever did not arrive is not wanted
	resp, err := u.c.send(ctx, route.UploadCancel, http.MethodDelete, u.location, nil, nil)
	if errors.Is(err, registry.ErrBlobUploadUnknown) || errors.Is(err, registry.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return err
	}
	discard(resp)
	return nil
}

func (u *upload) end() {
	u.ended = true
	u.c.mu.Lock()
	defer u.c.mu.Unlock()
	delete(u.c.held, u.repo+" "+u.id)
}
