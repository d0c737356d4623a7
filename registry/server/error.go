package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/internal/route"
)

// statusClientGone is nobody's to read: it marks, in the access log, a request
// whose client left before its answer.
const statusClientGone = 499

// statuses says which HTTP status a code has (distribution's errcode table).
var statuses = map[string]int{
	registry.ErrUnknown.Code:             http.StatusInternalServerError,
	registry.ErrUnsupported.Code:         http.StatusMethodNotAllowed,
	registry.ErrUnauthorized.Code:        http.StatusUnauthorized,
	registry.ErrDenied.Code:              http.StatusForbidden,
	registry.ErrUnavailable.Code:         http.StatusServiceUnavailable,
	registry.ErrTooManyRequests.Code:     http.StatusTooManyRequests,
	registry.ErrDigestInvalid.Code:       http.StatusBadRequest,
	registry.ErrSizeInvalid.Code:         http.StatusBadRequest,
	registry.ErrRangeInvalid.Code:        http.StatusRequestedRangeNotSatisfiable,
	registry.ErrNameInvalid.Code:         http.StatusBadRequest,
	registry.ErrNameUnknown.Code:         http.StatusNotFound,
	registry.ErrTagInvalid.Code:          http.StatusBadRequest,
	registry.ErrManifestUnknown.Code:     http.StatusNotFound,
	registry.ErrManifestInvalid.Code:     http.StatusBadRequest,
	registry.ErrManifestUnverified.Code:  http.StatusBadRequest,
	registry.ErrManifestBlobUnknown.Code: http.StatusBadRequest,
	registry.ErrBlobUnknown.Code:         http.StatusNotFound,
	registry.ErrBlobUploadUnknown.Code:   http.StatusNotFound,
	registry.ErrBlobUploadInvalid.Code:   http.StatusNotFound,
	registry.ErrPaginationNumber.Code:    http.StatusBadRequest,
}

// StatusOf gives the HTTP status of an error code, and whether it has one.
func StatusOf(code string) (int, bool) {
	status, ok := statuses[code]
	return status, ok
}

// statusError is an error whose status is not that of its code.
type statusError struct {
	status int
	err    *registry.Error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

// bodyError is a request body that could not be read to its end.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return "read request body: " + e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }

// answer turns any error into a status and the errors of the body.
func answer(r *http.Request, err error) (int, registry.Errors) {
	var (
		status *statusError
		method *route.MethodError
		body   *bodyError
	)
	switch {
	case errors.As(err, &status):
		return status.status, registry.Errors{status.err}
	case errors.As(err, &method):
		return http.StatusMethodNotAllowed, registry.Errors{registry.ErrUnsupported.WithMessage("%s", method.Error())}
	case errors.Is(err, route.ErrNotFound):
		return http.StatusNotFound, registry.Errors{registry.ErrUnsupported.WithMessage("there is no such endpoint").WithDetail(r.URL.Path)}
	}
	if es := registry.AsErrors(err); len(es) > 0 {
		if code, ok := statuses[es[0].Code]; ok {
			return code, es
		}
		return http.StatusInternalServerError, es
	}
	switch {
	case r.Context().Err() != nil:
		return statusClientGone, registry.Errors{registry.ErrUnknown.WithMessage("the client closed the request")}
	case errors.As(err, &body):
		return http.StatusBadRequest, registry.Errors{registry.ErrSizeInvalid.WithMessage("the request body ended early")}
	case errors.Is(err, driver.ErrNoSpace):
		return http.StatusInsufficientStorage, registry.Errors{registry.ErrDenied.WithMessage("the registry's disk is full: no space left")}
	case errors.Is(err, driver.ErrReadOnly):
		return http.StatusMethodNotAllowed, registry.Errors{registry.ErrUnsupported.WithMessage("the registry's storage is read-only")}
	case errors.Is(err, driver.ErrGone):
		return http.StatusServiceUnavailable, registry.Errors{registry.ErrUnavailable.WithMessage("the registry's folder is gone: was it moved, or its disk unplugged?")}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable, registry.Errors{registry.ErrUnavailable}
	}
	return http.StatusInternalServerError, registry.Errors{registry.ErrUnknown}
}

// fail is the one place that writes errors.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	header := w.Header()
	var method *route.MethodError
	if errors.As(err, &method) {
		header["Allow"] = []string{strings.Join(method.Allow, ", ")}
		if s.readOnly() {
			header["Allow"] = readingMethods
		}
		if r.Method == http.MethodOptions {
			header["Content-Length"] = []string{"0"}
			w.WriteHeader(http.StatusOK)
			return
		}
	}
	status, es := answer(r, err)
	if status >= http.StatusInternalServerError {
		s.o.Log.ErrorContext(r.Context(), "request failed", slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", status), slog.Any("err", err))
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		if header.Get("Retry-After") == "" {
			header["Retry-After"] = []string{"1"}
		}
	}
	drain(r)
	body, jsonErr := json.Marshal(es)
	if jsonErr != nil {
		body, _ = json.Marshal(registry.Errors{{Code: es[0].Code, Message: es[0].Message}})
	}
	body = append(body, '\n')
	header["Content-Type"] = contentJSON
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: there is nobody to tell
}

// maxDrain is how much of a refused body is read, so that a client that only
// writes sees the answer instead of a broken connection.
const maxDrain = 8 << 20

func drain(r *http.Request) {
	if r.Body == nil || r.ContentLength == 0 || r.ContentLength > maxDrain || r.Header["Expect"] != nil {
		return
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for left := maxDrain; left > 0; {
		n, err := r.Body.Read(*buf)
		if left -= n; err != nil {
			return
		}
	}
}
