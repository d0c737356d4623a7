package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"berth/registry"
	"berth/registry/internal/route"
)

// Options of a client. The zero value asks anonymously.
type Options struct {
	// HTTP sends the requests; nil means one of its own, with the proxies of
	// the environment.
	HTTP *http.Client
	// Credential gives name and password for a host, as "reg.example:5000"; an
	// empty name means anonymous.
	Credential func(ctx context.Context, host string) (user, password string, err error)
	// PlainHTTP speaks HTTP to a base that names no scheme, also where it is
	// not this machine.
	PlainHTTP bool
	// UserAgent is sent with each request; empty means "berth".
	UserAgent string
}

type client struct {
	base *url.URL // without a slash at its end
	auth *auth.Client
	mu   sync.Mutex // guards held
	held map[string]bool
}

// New makes a client for the registry at base, as "localhost:5000" or
// "https://registry.example.com/prefix". Without a scheme it is HTTP for this
// machine, and HTTPS for every other. Nothing is asked yet.
func New(base string, o Options) (registry.Registry, error) {
	if !strings.Contains(base, "://") {
		scheme := "https://"
		if o.PlainHTTP || isLocal(base) {
			scheme = "http://"
		}
		base = scheme + base
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("address of registry: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("address of registry %q: want host, http://host or https://host", base)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawQuery, u.Fragment = "", ""
	c := &client{base: u, held: map[string]bool{}}
	c.auth = &auth.Client{Client: o.HTTP, Cache: auth.NewCache()}
	if o.HTTP == nil {
		c.auth.Client = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	}
	if o.UserAgent == "" {
		o.UserAgent = "berth"
	}
	c.auth.SetUserAgent(o.UserAgent)
	if o.Credential != nil {
		c.auth.Credential = func(ctx context.Context, host string) (auth.Credential, error) {
			user, password, err := o.Credential(ctx, host)
			return auth.Credential{Username: user, Password: password}, err
		}
	}
	return c, nil
}

func isLocal(base string) bool {
	host, _, _ := strings.Cut(base, "/")
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// ask sends a request of the protocol. What is not a success is an error, and
// its body is closed.
func (c *client) ask(ctx context.Context, q route.Request, body io.Reader, header http.Header) (*http.Response, error) {
	return c.send(ctx, q.Kind, q.Kind.Method(), c.base.String()+q.URI(), body, header)
}

func (c *client) send(ctx context.Context, kind route.Kind, method, to string, body io.Reader, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return nil, err
	}
	for key, values := range header {
		req.Header[key] = values
	}
	resp, err := c.auth.Do(req)
	if err != nil {
		return nil, refused(err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer discard(resp)
	return nil, fmt.Errorf("%s %s: %w", method, req.URL.Path, failure(kind, resp))
}

// refused finds out that it was the signing in that failed.
func refused(err error) error {
	var token *errcode.ErrorResponse // of a token server
	switch {
	case errors.Is(err, auth.ErrBasicCredentialNotFound),
		errors.As(err, &token) && (token.StatusCode == http.StatusUnauthorized || token.StatusCode == http.StatusForbidden):
		return errors.Join(registry.ErrUnauthorized, err)
	}
	return err
}

// maxErrorBody is how much of an error is read.
const maxErrorBody = 64 << 10

// failure reads the errors of a response; where there are none, the status and
// what was asked for tell the code.
func failure(kind route.Kind, resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	var es registry.Errors
	if err == nil && json.Unmarshal(body, &es) == nil && len(es) > 0 {
		if len(es) == 1 {
			return es[0]
		}
		return es
	}
	switch resp.StatusCode {
	case http.StatusNotFound:
		return unknown(kind)
	case http.StatusUnauthorized:
		return registry.ErrUnauthorized
	case http.StatusForbidden:
		return registry.ErrDenied
	case http.StatusMethodNotAllowed:
		return registry.ErrUnsupported
	case http.StatusRequestEntityTooLarge:
		return registry.ErrSizeInvalid
	case http.StatusRequestedRangeNotSatisfiable:
		return registry.ErrRangeInvalid
	case http.StatusTooManyRequests:
		return registry.ErrTooManyRequests
	case http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		return registry.ErrUnavailable
	}
	return registry.ErrUnknown.WithMessage("the registry answered %s", resp.Status)
}

func unknown(kind route.Kind) error {
	switch kind {
	case route.BlobGet, route.BlobHead, route.BlobDelete:
		return registry.ErrBlobUnknown
	case route.ManifestGet, route.ManifestHead, route.ManifestDelete:
		return registry.ErrManifestUnknown
	case route.UploadStatus, route.UploadAppend, route.UploadCommit, route.UploadCancel:
		return registry.ErrBlobUploadUnknown
	}
	return registry.ErrNameUnknown
}

// discard ends a response so that its connection can be used again.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxErrorBody)
	_ = resp.Body.Close()
}

// size is the length that a response claims; a HEAD has no other.
func size(resp *http.Response) int64 {
	if resp.ContentLength >= 0 {
		return resp.ContentLength
	}
	n, err := strconv.ParseInt(resp.Header.Get("Content-Length"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// checkNames checks what a call is given, before a URL is made of it.
func checkNames(repo string, digests ...registry.Digest) error {
	if err := registry.ParseName(repo); err != nil {
		return err
	}
	for _, d := range digests {
		if _, err := registry.ParseDigest(string(d)); err != nil {
			return err
		}
	}
	return nil
}
