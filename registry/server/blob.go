package server

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"berth/registry"
	"berth/registry/internal/route"
)

// smallBlob is the size up to which a blob is sent in one write: below it, one
// copy is cheaper than the system calls of sendfile.
const smallBlob = 64 << 10

func (s *server) headBlob(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	desc, err := s.reg.StatBlob(r.Context(), q.Repository, q.Digest)
	if err != nil {
		return err
	}
	if notModified(w, r, desc.Digest, blobCaching) {
		return nil
	}
	header := w.Header()
	header["Cache-Control"] = blobCaching
	header["Accept-Ranges"] = acceptRanges
	content(header, desc.Digest, contentBytes, desc.Size)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *server) getBlob(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	blob, err := s.reg.OpenBlob(r.Context(), q.Repository, q.Digest)
	if err != nil {
		return err
	}
	defer func() { _ = blob.Close() }() // it was only read
	desc := blob.Descriptor()
	if notModified(w, r, desc.Digest, blobCaching) {
		return nil
	}
	header := w.Header()
	ranges := r.Header["Range"]
	plain := len(ranges) == 0 && desc.Size <= smallBlob || desc.Size == 0 // of nothing there are no parts
	if plain && len(r.Header["If-Match"]) == 0 {
		return sendSmall(w, blob, desc)
	}
	if len(ranges) > 0 && len(r.Header["If-Range"]) == 0 && !satisfiable(ranges[0], desc.Size) {
		header["Docker-Content-Digest"] = []string{string(desc.Digest)}
		header["Content-Range"] = []string{"bytes */" + strconv.FormatInt(desc.Size, 10)}
		return registry.ErrRangeInvalid.WithDetail(ranges[0])
	}
	header["Cache-Control"] = blobCaching
	content(header, desc.Digest, contentBytes, -1) // ServeContent knows the length of what it sends
	// A plain file goes to the socket without passing through this process:
	// that works only if ServeContent sees the *os.File itself.
	if file, ok := registry.File(blob); ok {
		http.ServeContent(w, r, "", time.Time{}, file)
		return nil
	}
	http.ServeContent(w, r, "", time.Time{}, blob)
	return nil
}

// inMemory is a blob whose content is in memory: it needs no buffer.
type inMemory interface{ Bytes() []byte }

// sendSmall reads first and writes then, so that a blob that cannot be read is
// an error and not half an answer.
func sendSmall(w http.ResponseWriter, blob io.Reader, desc registry.Descriptor) error {
	var body []byte
	if memory, ok := blob.(inMemory); ok {
		body = memory.Bytes()
	} else {
		buf := buffers.Get().(*[]byte)
		defer buffers.Put(buf)
		body = (*buf)[:desc.Size]
		if _, err := io.ReadFull(blob, body); err != nil {
			return fmt.Errorf("read blob %s: %w", desc.Digest, err)
		}
	}
	header := w.Header()
	header["Cache-Control"] = blobCaching
	header["Accept-Ranges"] = acceptRanges
	content(header, desc.Digest, contentBytes, desc.Size)
	_, _ = w.Write(body) // the client is gone: there is nobody to tell
	return nil
}

// satisfiable reports whether a Range header of content that is not empty can
// be answered with content: one in the unit bytes, well-formed, with at least
// one range that touches the content (RFC 9110, section 14). It refuses what
// net/http would refuse with plain text, and the empty suffix "-0", which
// net/http would answer with a range that ends before it begins.
func satisfiable(header string, size int64) bool {
	specs, ok := strings.CutPrefix(header, "bytes=")
	if !ok {
		return false
	}
	touches, some := false, false
	for spec := range strings.SplitSeq(specs, ",") {
		if spec = trim(spec); spec == "" {
			continue
		}
		some = true
		from, to, ok := strings.Cut(spec, "-")
		if !ok {
			return false
		}
		from, to = trim(from), trim(to)
		if from == "" {
			n, err := strconv.ParseInt(to, 10, 64)
			if err != nil || n < 0 || to[0] == '-' {
				return false
			}
			touches = touches || n > 0
			continue
		}
		start, err := strconv.ParseInt(from, 10, 64)
		if err != nil || start < 0 {
			return false
		}
		if start >= size {
			continue
		}
		if to != "" {
			if end, err := strconv.ParseInt(to, 10, 64); err != nil || end < start {
				return false
			}
		}
		touches = true
	}
	return touches || !some
}

// trim takes away the white space that HTTP knows.
func trim(s string) string { return strings.Trim(s, " \t\r\n") }

func (s *server) deleteBlob(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	if err := s.reg.DeleteBlob(r.Context(), q.Repository, q.Digest); err != nil {
		return err
	}
	accepted(w)
	return nil
}

func accepted(w http.ResponseWriter) {
	w.Header()["Content-Length"] = zeroLength
	w.WriteHeader(http.StatusAccepted)
}
