package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"berth/registry"
	"berth/registry/internal/route"
)

// find says which manifest a request is about. The context that it gives
// remembers the tag for whoever tells of the pull.
func (s *server) find(r *http.Request, q *route.Request) (context.Context, registry.Digest, error) {
	ctx := r.Context()
	if q.Reference.Digest != "" {
		return ctx, q.Reference.Digest, nil
	}
	ctx = registry.WithTag(ctx, q.Reference.Tag)
	desc, err := s.reg.ResolveTag(ctx, q.Repository, q.Reference.Tag)
	return ctx, desc.Digest, unknown(q, err)
}

// unknown says which manifest is not there, in the words of distribution.
func unknown(q *route.Request, err error) error {
	if err == nil || !errors.Is(err, registry.ErrManifestUnknown) {
		return err
	}
	if q.Reference.Tag != "" {
		return registry.ErrManifestUnknown.WithDetail("unknown tag=" + q.Reference.Tag)
	}
	return registry.ErrManifestUnknown.WithDetail("unknown manifest name=" + q.Repository + " revision=" + string(q.Reference.Digest))
}

// getManifest serves whatever a client says that it accepts: one that asks for
// a digest or a tag wants what is there.
func (s *server) getManifest(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	ctx, d, err := s.find(r, q)
	if err != nil {
		return err
	}
	m, err := s.reg.Manifest(ctx, q.Repository, d)
	if err != nil {
		return unknown(q, err)
	}
	if notModified(w, r, d, nil) {
		return nil
	}
	content(w.Header(), d, m.MediaType, int64(len(m.Content)))
	_, _ = w.Write(m.Content) // the client is gone: there is nobody to tell
	return nil
}

func (s *server) headManifest(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	ctx, d, err := s.find(r, q)
	if err != nil {
		return err
	}
	desc, err := s.reg.StatManifest(ctx, q.Repository, d)
	if err != nil {
		return unknown(q, err)
	}
	if notModified(w, r, d, nil) {
		return nil
	}
	content(w.Header(), d, desc.MediaType, desc.Size)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *server) putManifest(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	if len(q.Tags) > maxManifestTags {
		return &statusError{http.StatusRequestURITooLong, registry.ErrTagInvalid.WithMessage("more than %d tags in one request", maxManifestTags)}
	}
	body, err := readManifest(r)
	if err != nil {
		return err
	}
	mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	m := registry.Manifest{MediaType: strings.TrimSpace(mediaType), Digest: q.Reference.Digest, Content: body}
	tags := q.Tags
	if q.Reference.Tag != "" {
		tags = []string{q.Reference.Tag}
	}
	desc, err := s.reg.PutManifest(r.Context(), q.Repository, m, tags...)
	if err != nil {
		return err
	}
	if len(q.Tags) > 0 {
		w.Header()["Oci-Tag"] = q.Tags
	}
	if subject := subjectOf(body); subject != "" {
		w.Header()["Oci-Subject"] = []string{subject}
	}
	s.created(w, r, route.ManifestPath(q.Repository, desc.Digest), desc.Digest)
	return nil
}

func readManifest(r *http.Request) ([]byte, error) {
	tooLarge := &statusError{
		http.StatusRequestEntityTooLarge,
		registry.ErrManifestInvalid.WithMessage("the manifest is larger than %d bytes", registry.MaxManifestSize),
	}
	if r.ContentLength > registry.MaxManifestSize {
		return nil, tooLarge
	}
	var body []byte
	var err error
	if r.ContentLength >= 0 {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(io.LimitReader(r.Body, registry.MaxManifestSize+1))
	}
	if err != nil {
		return nil, &bodyError{err}
	}
	if len(body) > registry.MaxManifestSize {
		return nil, tooLarge
	}
	return body, nil
}

// subjectOf gives the digest of the subject of a manifest that was stored, and
// so is known to be well-formed.
func subjectOf(body []byte) string {
	if !bytes.Contains(body, []byte(`"subject"`)) {
		return ""
	}
	var m struct {
		Subject *struct {
			Digest string `json:"digest"`
		} `json:"subject"`
	}
	if err := json.Unmarshal(body, &m); err != nil || m.Subject == nil {
		return ""
	}
	return m.Subject.Digest
}

func (s *server) deleteManifest(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	var err error
	if q.Reference.Tag != "" {
		err = s.reg.DeleteTag(r.Context(), q.Repository, q.Reference.Tag)
	} else {
		err = s.reg.DeleteManifest(r.Context(), q.Repository, q.Reference.Digest)
	}
	if err != nil {
		return err
	}
	accepted(w)
	return nil
}
