package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/internal/route"
)

func (s *server) startUpload(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	up, err := s.reg.StartUpload(intending(r.Context(), q), q.Repository)
	if err != nil {
		return err
	}
	s.describe(w, r, q, up, time.Now())
	return finish(w, up, http.StatusAccepted)
}

// intending tells the registry which digest the client will ask for, as far as
// it said, so that the bytes are hashed once, in the right way.
func intending(ctx context.Context, q *route.Request) context.Context {
	switch {
	case q.Algorithm != "":
		return registry.WithAlgorithm(ctx, q.Algorithm)
	case q.Digest != "":
		return registry.WithAlgorithm(ctx, q.Digest.Algorithm())
	}
	return ctx
}

// mountBlob falls back to a new upload where there is nothing to mount
// (distribution-spec, "Mounting a blob from another repository").
func (s *server) mountBlob(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	desc, err := s.reg.MountBlob(r.Context(), q.From, q.Repository, q.Digest)
	switch {
	case err == nil:
		s.created(w, r, route.BlobPath(q.Repository, desc.Digest), desc.Digest)
		return nil
	case errors.Is(err, registry.ErrBlobUnknown), errors.Is(err, registry.ErrNameUnknown), errors.Is(err, registry.ErrUnsupported):
		return s.startUpload(w, r, q)
	}
	return err
}

// pushBlob takes a whole blob at once. Nobody knows the name of its upload, so
// what fails is thrown away. Without a body it is a client that only says early
// which digest will come: distribution begins an upload for that.
func (s *server) pushBlob(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	if r.ContentLength == 0 && q.Digest != q.Digest.Algorithm().FromBytes(nil) {
		return s.startUpload(w, r, q)
	}
	if err := checkType(r); err != nil {
		return err
	}
	up, err := s.reg.StartUpload(intending(r.Context(), q), q.Repository)
	if err != nil {
		return err
	}
	if err := take(up, r.Body); err != nil {
		return errors.Join(err, up.Cancel(outlive(r)))
	}
	return s.commit(w, r, q, up)
}

// uploadStatus also answers while another request brings bytes.
func (s *server) uploadStatus(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	up, err := s.hold(r.Context(), q)
	var coming *comingIn
	if errors.As(err, &coming) {
		s.describeAs(w, r, q, q.UploadID, coming.size(), time.Now())
		delete(w.Header(), "Content-Length")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil {
		return err
	}
	s.describe(w, r, q, up, time.Now())
	delete(w.Header(), "Content-Length") // 204 has none
	return finish(w, up, http.StatusNoContent)
}

func (s *server) appendUpload(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	if err := checkType(r); err != nil {
		return err
	}
	up, started, err := s.resume(w, r, q)
	if err != nil {
		return err
	}
	if err := s.receive(w, r, q, up); err != nil {
		return s.broken(w, r, q, up, started, err)
	}
	s.describe(w, r, q, up, started)
	return finish(w, up, http.StatusAccepted)
}

func (s *server) commitUpload(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	up, started, err := s.resume(w, r, q)
	if err != nil {
		return err
	}
	if err := s.receive(w, r, q, up); err != nil {
		return s.broken(w, r, q, up, started, err)
	}
	return s.commit(w, r, q, up)
}

// broken lets go of an upload after an error. The client may go on from where it
// got to, and is told where that is.
func (s *server) broken(w http.ResponseWriter, r *http.Request, q *route.Request, up registry.Upload, started time.Time, err error) error {
	if !errors.Is(err, driver.ErrNoSpace) {
		s.describe(w, r, q, up, started)
	}
	return letGo(r, up, err)
}

// letGo keeps an upload for later; not on a full disk, where what has come takes
// the room without which nothing can go on. Clients begin anew then.
func letGo(r *http.Request, up registry.Upload, err error) error {
	if errors.Is(err, driver.ErrNoSpace) {
		return errors.Join(err, up.Cancel(outlive(r)))
	}
	return errors.Join(err, up.Close())
}

func (s *server) commit(w http.ResponseWriter, r *http.Request, q *route.Request, up registry.Upload) error {
	desc, err := up.Commit(r.Context(), q.Digest)
	if err != nil {
		return letGo(r, up, err)
	}
	s.created(w, r, route.BlobPath(q.Repository, desc.Digest), desc.Digest)
	return nil
}

func (s *server) cancelUpload(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	if _, _, err := s.unseal(q); err != nil {
		return err
	}
	up, err := s.hold(r.Context(), q)
	if err != nil {
		return err
	}
	if err := up.Cancel(outlive(r)); err != nil {
		return errors.Join(fmt.Errorf("cancel upload %s: %w", q.UploadID, err), up.Close())
	}
	w.Header()["Docker-Upload-Uuid"] = []string{q.UploadID}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// resume opens an upload to go on where its state says. When that is not where
// the upload is, the answer says where it is.
func (s *server) resume(w http.ResponseWriter, r *http.Request, q *route.Request) (registry.Upload, time.Time, error) {
	st, present, err := s.unseal(q)
	if err != nil {
		return nil, time.Time{}, err
	}
	up, err := s.hold(r.Context(), q)
	if err != nil {
		return nil, time.Time{}, err
	}
	if !present {
		st.StartedAt = time.Now()
	}
	if present && st.Offset != up.Size() {
		s.describe(w, r, q, up, st.StartedAt)
		err := registry.ErrRangeInvalid.WithMessage("the upload is at %d, not at %d", up.Size(), st.Offset)
		return nil, time.Time{}, errors.Join(err, up.Close())
	}
	return up, st.StartedAt, nil
}

// hold resumes an upload. A client that lost its connection comes back before
// the request that broke has let go, so what is in use is asked for again for a
// while. A body from which nothing comes any more is cut; so is one that its
// client wants to be thrown away. Who only asks how far an upload is gets a
// [comingIn] while bytes come, and disturbs nobody.
func (s *server) hold(ctx context.Context, q *route.Request) (registry.Upload, error) {
	var other *body
	var was int64
	for wait := time.Millisecond; ; wait *= 2 {
		if now := s.incoming.find(q); now != nil && q.Kind == route.UploadStatus {
			return nil, &comingIn{now}
		}
		up, err := s.reg.ResumeUpload(ctx, q.Repository, q.UploadID)
		if wait > maxHoldWait || !errors.Is(err, registry.ErrBlobUploadInvalid) {
			return up, err
		}
		if now := s.incoming.find(q); now != nil && q.Kind != route.UploadStatus {
			size := now.size()
			if q.Kind == route.UploadCancel || now == other && size == was && wait >= stalledWait {
				s.incoming.cut(q, now)
			}
			if now != other || wait < stalledWait/2 {
				other, was = now, size
			}
		}
		pause := time.NewTimer(wait)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, ctx.Err()
		}
	}
}

const (
	// maxHoldWait is the last pause of hold, and so about half of all of them.
	maxHoldWait = 512 * time.Millisecond
	// stalledWait is the pause of hold before which a body has been silent for
	// about as long.
	stalledWait = 256 * time.Millisecond
)

// describe sets the headers that say how far an upload is.
func (s *server) describe(w http.ResponseWriter, r *http.Request, q *route.Request, up registry.Upload, started time.Time) {
	s.describeAs(w, r, q, up.ID(), up.Size(), started)
}

func (s *server) describeAs(w http.ResponseWriter, r *http.Request, q *route.Request, id string, size int64, started time.Time) {
	token := s.seal(state{Name: q.Repository, UUID: id, Offset: size, StartedAt: started.UTC()})
	header := w.Header()
	header["Location"] = []string{s.base(r) + "/v2/" + q.Repository + "/blobs/uploads/" + id + "?_state=" + token}
	header["Docker-Upload-Uuid"] = []string{id}
	header["Range"] = []string{"0-" + strconv.FormatInt(max(size-1, 0), 10)}
	header["Content-Length"] = zeroLength
}

// finish lets go of an upload, and answers when that worked.
func finish(w http.ResponseWriter, up registry.Upload, status int) error {
	if err := up.Close(); err != nil {
		return fmt.Errorf("close upload %s: %w", up.ID(), err)
	}
	w.WriteHeader(status)
	return nil
}

// receive takes the body of a request, while others can see how far it is.
func (s *server) receive(w http.ResponseWriter, r *http.Request, q *route.Request, up registry.Upload) error {
	b, leave := s.incoming.enter(w, q, up)
	defer leave()
	return chunk(r, b.reader(r.Body), up)
}

// chunk takes the body of a request, which must begin where the upload ends
// and have the length that it claims.
func chunk(r *http.Request, body io.Reader, up registry.Upload) error {
	claim := r.Header.Get("Content-Range")
	if claim == "" {
		return take(up, body)
	}
	first, last, ok := parseContentRange(claim)
	if !ok {
		return registry.ErrRangeInvalid.WithMessage("Content-Range must be <first>-<last>").WithDetail(claim)
	}
	if first != up.Size() {
		return registry.ErrRangeInvalid.WithMessage("the chunk begins at %d, the upload is at %d", first, up.Size())
	}
	length := last - first + 1
	if r.ContentLength >= 0 && r.ContentLength != length {
		return registry.ErrSizeInvalid.WithMessage("Content-Range claims %d bytes, Content-Length %d", length, r.ContentLength)
	}
	if err := take(up, io.LimitReader(body, length)); err != nil {
		return err
	}
	if got := up.Size() - first; got != length {
		return registry.ErrSizeInvalid.WithMessage("Content-Range claims %d bytes, %d came", length, got)
	}
	if n, _ := body.Read(make([]byte, 1)); n > 0 {
		return registry.ErrSizeInvalid.WithMessage("Content-Range claims %d bytes, more came", length)
	}
	return nil
}

// parseContentRange reads "<first>-<last>"; "bytes first-last/size", the form
// of RFC 9110, is understood too.
func parseContentRange(s string) (first, last int64, ok bool) {
	s = strings.TrimPrefix(s, "bytes ")
	s, _, _ = strings.Cut(s, "/")
	from, to, ok := strings.Cut(s, "-")
	if !ok || !digits(from) || !digits(to) {
		return 0, 0, false
	}
	first, err1 := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	return first, last, err1 == nil && err2 == nil && first <= last
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// checkType refuses a body that is not plain bytes.
func checkType(r *http.Request) error {
	t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if t = strings.TrimSpace(t); t == "" || t == "application/octet-stream" || r.ContentLength == 0 {
		return nil
	}
	return &statusError{http.StatusUnsupportedMediaType, registry.ErrUnsupported.WithMessage("bad Content-Type: want application/octet-stream").WithDetail(t)}
}

// take copies a body into an upload. What has arrived stays, whatever comes
// after it.
func take(up registry.Upload, body io.Reader) error {
	src := &source{r: body}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	if _, err := io.CopyBuffer(up, src, *buf); err != nil {
		if src.err != nil {
			return &bodyError{src.err}
		}
		return fmt.Errorf("write upload %s: %w", up.ID(), err)
	}
	return nil
}

// source remembers that it was the reading that failed.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
