package registry

import (
	"context"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// Caller says on whose behalf a call is made. It is what events, the trash and
// the activity list show; it is never asked whether something is allowed.
type Caller struct {
	// User is the authenticated name; empty for nobody in particular.
	User string
	// RequestID is unique to one request.
	RequestID string
	// RemoteAddr is "ip:port" of a client; empty for a face on this machine.
	RemoteAddr string
	// UserAgent is the client's own word for itself.
	UserAgent string
	// Host is the address the client used.
	Host string
	// Method is the HTTP method, or empty.
	Method string
	// Reason is why a face on this machine does it, such as "rule pr-*".
	Reason string
}

type callerKey struct{}

// callerContext is a value with its context in one piece of memory: every
// request makes one.
type callerContext struct {
	context.Context
	caller Caller
}

func (c *callerContext) Value(key any) any {
	if key == (callerKey{}) {
		return &c.caller
	}
	return c.Context.Value(key)
}

// WithCaller gives a context that carries c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return &callerContext{ctx, c}
}

// CallerFrom gives the caller of ctx; the zero Caller when there is none.
func CallerFrom(ctx context.Context) Caller {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok {
		return *c
	}
	return Caller{}
}

type tagKey struct{}

type tagContext struct {
	context.Context
	tag string

	mu     sync.Mutex // guards what follows
	by     any        // who found the manifest; nil: nobody
	repo   string
	digest Digest
}

func (c *tagContext) Value(key any) any {
	if key == (tagKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// WithTag gives a context that remembers by which tag the caller asks for a
// manifest, so that a pull can be told by its tag although it is read by
// digest. It is for one ResolveTag and the one call for the manifest after it.
func WithTag(ctx context.Context, tag string) context.Context {
	return &tagContext{Context: ctx, tag: tag}
}

// TagFrom gives the tag of [WithTag]; empty when there is none.
func TagFrom(ctx context.Context) string {
	if c, ok := ctx.Value(tagKey{}).(*tagContext); ok {
		return c.tag
	}
	return ""
}

// Found notes, in a context of [WithTag], that the registry by has just seen
// the manifest d in a repository, so that it need not look again in the call
// that comes next. Without such a context it does nothing.
func Found(ctx context.Context, by any, repo string, d Digest) {
	if c, ok := ctx.Value(tagKey{}).(*tagContext); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.by, c.repo, c.digest = by, repo, d
	}
}

// WasFound reports what [Found] noted, once.
func WasFound(ctx context.Context, by any, repo string, d Digest) bool {
	c, ok := ctx.Value(tagKey{}).(*tagContext)
	if !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.by == by && c.repo == repo && c.digest == d
	c.by = nil
	return found
}

type algorithmKey struct{}

// WithAlgorithm gives a context in which StartUpload prepares for a digest of
// the given algorithm, so that its Commit need not read the content again
// (distribution-spec, "digest-algorithm").
func WithAlgorithm(ctx context.Context, a digest.Algorithm) context.Context {
	return context.WithValue(ctx, algorithmKey{}, a)
}

// AlgorithmFrom gives the algorithm of [WithAlgorithm]; sha256 when there is none.
func AlgorithmFrom(ctx context.Context) digest.Algorithm {
	if a, _ := ctx.Value(algorithmKey{}).(digest.Algorithm); a != "" {
		return a
	}
	return digest.SHA256
}

type momentKey struct{}

// WithMoment gives a context that says at which time a push counts as done, so
// that everybody who notes it notes the same.
func WithMoment(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, momentKey{}, at)
}

// MomentFrom gives the time of [WithMoment]; now when there is none.
func MomentFrom(ctx context.Context) time.Time {
	if at, ok := ctx.Value(momentKey{}).(time.Time); ok {
		return at
	}
	return time.Now()
}
