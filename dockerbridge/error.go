package dockerbridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"berth/registry/driver"
)

// Kind says what went wrong, so that a face can say what to do about it.
type Kind string

// The kinds of error.
const (
	// KindAbsent: no engine answers; it is not installed or not running.
	KindAbsent Kind = "absent"
	// KindPermission: this user may not use the engine's socket.
	KindPermission Kind = "permission"
	// KindNoSpace: a disk is full, the engine's or the registry's.
	KindNoSpace Kind = "no_space"
	// KindUnreachable: the engine answers, but cannot reach the registry.
	KindUnreachable Kind = "unreachable"
	// KindDenied: the registry refuses, or wants credentials.
	KindDenied Kind = "denied"
	// KindNotFound: the engine has no such image, or the registry no such tag.
	KindNotFound Kind = "not_found"
	// KindCancelled: the caller's context ended it.
	KindCancelled Kind = "cancelled"
	// KindUnnamed: the engine cannot push it without losing it; see Engine.Push.
	KindUnnamed Kind = "unnamed"
	// KindOther is everything else; Err says.
	KindOther Kind = "other"
)

// Error is why an engine did not do what it was asked.
type Error struct {
	Kind Kind
	// Address of the engine.
	Address string
	// Err is the cause, in the engine's words where it had some.
	Err error
}

// Error says the cause and whose it is.
func (e *Error) Error() string {
	if e.Address == "" {
		return fmt.Sprintf("container engine: %v", e.Err)
	}
	return fmt.Sprintf("container engine at %s: %v", e.Address, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// asError finds the kind of err. An *Error stays what it is.
func asError(err error, address string) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: kindOf(err), Address: address, Err: err}
}

func kindOf(err error) Kind {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return KindCancelled
	case errors.Is(err, fs.ErrPermission):
		return KindPermission
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, driver.ErrNoSpace):
		return KindNoSpace
	case errors.Is(err, fs.ErrNotExist):
		return KindAbsent
	case client.IsErrConnectionFailed(err):
		// Through ssh the refusal is only in the words of the other side.
		if strings.Contains(strings.ToLower(err.Error()), "permission denied") {
			return KindPermission
		}
		return KindAbsent
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return KindAbsent
	}
	if kind := kindOfText(err.Error()); kind != KindOther {
		return kind
	}
	switch {
	case cerrdefs.IsNotFound(err):
		return KindNotFound
	case cerrdefs.IsUnauthorized(err), cerrdefs.IsPermissionDenied(err):
		return KindDenied
	}
	return KindOther
}

// phrases are how engines put an error that they pass on: the stream of a push
// carries no codes, only what the registry's client in the engine said.
var phrases = []struct {
	kind  Kind
	words []string
}{
	{KindNoSpace, []string{
		"no space left on device", "not enough space on the disk", "insufficient storage",
		"disk quota exceeded", "unexpected http status: 507", "status code 507",
	}},
	{KindUnreachable, []string{
		"connection refused", "no such host", "i/o timeout", "network is unreachable", "no route to host",
		"http response to https client", "tls handshake timeout", "connection reset by peer", "host is down",
		"x509:", "context deadline exceeded", "request canceled while waiting for connection",
	}},
	{KindDenied, []string{"unauthorized", "authentication required", "no basic auth credentials", "access denied", "denied:", "forbidden"}},
	{KindNotFound, []string{
		"manifest unknown", "name unknown", "no such image", "does not exist",
		"repository name not known", "not found", "reference does not exist", "image not known",
	}},
}

func kindOfText(text string) Kind {
	text = strings.ToLower(text)
	for _, p := range phrases {
		for _, words := range p.words {
			if strings.Contains(text, words) {
				return p.kind
			}
		}
	}
	return KindOther
}
