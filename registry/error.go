package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Error is one error of the registry protocol (distribution-spec, "Error Codes").
//
// errors.Is compares codes only, so a decorated error is still its sentinel,
// also after it has crossed the wire:
//
//	errors.Is(ErrBlobUnknown.WithDetail(d), ErrBlobUnknown) // true
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Detail  any    `json:"detail,omitempty"`
}

// The errors of the protocol. Their HTTP statuses are in registry/server.
var (
	ErrUnknown             = &Error{Code: "UNKNOWN", Message: "unknown error"}
	ErrUnsupported         = &Error{Code: "UNSUPPORTED", Message: "the operation is unsupported"}
	ErrUnauthorized        = &Error{Code: "UNAUTHORIZED", Message: "authentication required"}
	ErrDenied              = &Error{Code: "DENIED", Message: "requested access to the resource is denied"}
	ErrUnavailable         = &Error{Code: "UNAVAILABLE", Message: "service unavailable"}
	ErrTooManyRequests     = &Error{Code: "TOOMANYREQUESTS", Message: "too many requests"}
	ErrDigestInvalid       = &Error{Code: "DIGEST_INVALID", Message: "provided digest did not match uploaded content"}
	ErrSizeInvalid         = &Error{Code: "SIZE_INVALID", Message: "provided length did not match content length"}
	ErrRangeInvalid        = &Error{Code: "RANGE_INVALID", Message: "invalid content range"}
	ErrNameInvalid         = &Error{Code: "NAME_INVALID", Message: "invalid repository name"}
	ErrNameUnknown         = &Error{Code: "NAME_UNKNOWN", Message: "repository name not known to registry"}
	ErrTagInvalid          = &Error{Code: "TAG_INVALID", Message: "invalid tag name"}
	ErrManifestUnknown     = &Error{Code: "MANIFEST_UNKNOWN", Message: "manifest unknown"}
	ErrManifestInvalid     = &Error{Code: "MANIFEST_INVALID", Message: "manifest invalid"}
	ErrManifestUnverified  = &Error{Code: "MANIFEST_UNVERIFIED", Message: "manifest failed signature verification"}
	ErrManifestBlobUnknown = &Error{Code: "MANIFEST_BLOB_UNKNOWN", Message: "manifest references a blob unknown to the registry"}
	ErrBlobUnknown         = &Error{Code: "BLOB_UNKNOWN", Message: "blob unknown to registry"}
	ErrBlobUploadUnknown   = &Error{Code: "BLOB_UPLOAD_UNKNOWN", Message: "blob upload unknown to registry"}
	ErrBlobUploadInvalid   = &Error{Code: "BLOB_UPLOAD_INVALID", Message: "blob upload invalid"}
	ErrPaginationNumber    = &Error{Code: "PAGINATION_NUMBER_INVALID", Message: "invalid number of results requested"}
)

// Error says the code and the message.
func (e *Error) Error() string {
	return strings.ToLower(strings.ReplaceAll(e.Code, "_", " ")) + ": " + e.Message
}

// Is reports whether target is an *Error of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// WithDetail gives a copy of e that carries detail, which must marshal to JSON.
func (e *Error) WithDetail(detail any) *Error {
	return &Error{Code: e.Code, Message: e.Message, Detail: detail}
}

// WithMessage gives a copy of e with another message.
func (e *Error) WithMessage(format string, args ...any) *Error {
	return &Error{Code: e.Code, Message: fmt.Sprintf(format, args...), Detail: e.Detail}
}

// Errors is several errors at once, in the shape of the protocol's body.
type Errors []*Error

// Error joins the messages.
func (es Errors) Error() string {
	parts := make([]string, len(es))
	for i, e := range es {
		parts[i] = e.Error()
	}
	return strings.Join(parts, "; ")
}

// Unwrap lets errors.Is find each of them.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// MarshalJSON writes {"errors":[…]}.
func (es Errors) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Errors []*Error `json:"errors"`
	}{es})
}

// UnmarshalJSON reads {"errors":[…]}.
func (es *Errors) UnmarshalJSON(b []byte) error {
	var body struct {
		Errors []*Error `json:"errors"`
	}
	if err := json.Unmarshal(b, &body); err != nil {
		return err
	}
	// Whatever another registry sends, nobody finds a nil in it.
	*es = slices.DeleteFunc(body.Errors, func(e *Error) bool { return e == nil })
	return nil
}

// AsErrors finds the protocol's errors in err: all of an [Errors], or the one
// [Error] in its chain. It gives nil when there is none.
func AsErrors(err error) Errors {
	var es Errors
	if errors.As(err, &es) {
		return es
	}
	var e *Error
	if errors.As(err, &e) {
		return Errors{e}
	}
	return nil
}
