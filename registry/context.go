package registry

import (
	"context"
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

// WithCaller gives a context that carries c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom gives the caller of ctx; the zero Caller when there is none.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

type tagKey struct{}

// WithTag gives a context that remembers by which tag the caller asked for a
// manifest, so that a pull can be told by its tag although it is read by digest.
func WithTag(ctx context.Context, tag string) context.Context {
	return context.WithValue(ctx, tagKey{}, tag)
}

// TagFrom gives the tag of [WithTag]; empty when there is none.
func TagFrom(ctx context.Context) string {
	tag, _ := ctx.Value(tagKey{}).(string)
	return tag
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
