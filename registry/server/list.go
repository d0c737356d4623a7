package server

import (
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"berth/registry"
	"berth/registry/internal/route"
)

// pages are for building the bodies of lists.
var pages = sync.Pool{New: func() any {
	b := make([]byte, 0, 16<<10)
	return &b
}}

// tags lists all tags when the client names no number.
func (s *server) tags(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	limit := q.Limit
	if limit > s.o.MaxTags {
		limit = s.o.MaxTags
	}
	buf := pages.Get().(*[]byte)
	defer pages.Put(buf)
	body := append((*buf)[:0], `{"name":"`...)
	body = append(append(body, q.Repository...), `","tags":[`...)
	body, last, err := appendPage(body, s.reg.Tags(r.Context(), q.Repository, q.Last), limit)
	if err != nil {
		return err
	}
	if last != "" {
		link(w.Header(), r, last, limit)
	}
	*buf = append(body, "]}\n"...)
	writeJSON(w, contentJSON, *buf)
	return nil
}

func (s *server) catalog(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	limit := q.Limit
	if limit < 0 {
		limit = min(defaultPage, s.o.MaxRepositories)
	}
	if limit > s.o.MaxRepositories {
		return registry.ErrPaginationNumber.WithDetail(map[string]int{"n": limit})
	}
	buf := pages.Get().(*[]byte)
	defer pages.Put(buf)
	body := append((*buf)[:0], `{"repositories":[`...)
	body, last, err := appendPage(body, s.reg.Repositories(r.Context(), q.Last), limit)
	if err != nil {
		return err
	}
	if last != "" {
		link(w.Header(), r, last, limit)
	}
	*buf = append(body, "]}\n"...)
	writeJSON(w, contentJSON, *buf)
	return nil
}

// appendPage appends at most limit names as JSON strings; a negative limit is
// none. When there are more, last is the one to go on after. A page of no
// entries still asks for one, so that an unknown repository is one.
func appendPage(body []byte, names iter.Seq2[string, error], limit int) (_ []byte, last string, err error) {
	n := 0
	for name, err := range names {
		if err != nil {
			return body, "", err
		}
		if limit >= 0 && n == limit {
			return body, last, nil
		}
		if n > 0 {
			body = append(body, ',')
		}
		// Tags and names of repositories hold nothing that JSON escapes.
		body = append(append(append(body, '"'), name...), '"')
		last = name
		n++
	}
	return body, "", nil
}

// link points at the next page. It is built from the path as the client wrote
// it, with "last" before "n", and nothing else of the query.
func link(header http.Header, r *http.Request, last string, n int) {
	header["Link"] = []string{"<" + r.URL.EscapedPath() + "?last=" + url.QueryEscape(last) + "&n=" + strconv.Itoa(n) + `>; rel="next"`}
}

func writeJSON(w http.ResponseWriter, mediaType []string, body []byte) {
	header := w.Header()
	header["Content-Type"] = mediaType
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	_, _ = w.Write(body) // the client is gone: there is nobody to tell
}

const (
	maxReferrers     = 1000                            // descriptors on a page
	maxReferrersBody = registry.MaxManifestSize - 1024 // a page is an index, and as large as one may be
)

// referrers always answers with an index, an empty one where nobody refers
// (distribution-spec, "Listing Referrers").
func (s *server) referrers(w http.ResponseWriter, r *http.Request, q *route.Request) error {
	limit := maxReferrers
	if q.Limit > 0 && q.Limit < limit {
		limit = q.Limit
	}
	buf := pages.Get().(*[]byte)
	defer pages.Put(buf)
	body := append((*buf)[:0], `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[`...)
	n, last, more := 0, "", false
	for desc, err := range s.reg.Referrers(r.Context(), q.Repository, q.Digest, q.ArtifactType) {
		if errors.Is(err, registry.ErrNameUnknown) {
			break
		}
		if err != nil {
			return err
		}
		if q.Last != "" && string(desc.Digest) <= q.Last {
			continue
		}
		if more = n == limit; more {
			break
		}
		before := len(body)
		if n > 0 {
			body = append(body, ',')
		}
		if body, err = appendDescriptor(body, &desc); err != nil {
			return err
		}
		if more = n > 0 && len(body) > maxReferrersBody; more {
			body = body[:before]
			break
		}
		last = string(desc.Digest)
		n++
	}
	header := w.Header()
	if q.ArtifactType != "" {
		header["Oci-Filters-Applied"] = []string{"artifactType"}
	}
	if more {
		linkReferrers(header, r, q, last)
	}
	*buf = append(body, "]}\n"...)
	writeJSON(w, contentIndex, *buf)
	return nil
}

func linkReferrers(header http.Header, r *http.Request, q *route.Request, last string) {
	query := url.Values{"last": {last}}
	if q.ArtifactType != "" {
		query.Set("artifactType", q.ArtifactType)
	}
	if q.Limit > 0 {
		query.Set("n", strconv.Itoa(q.Limit))
	}
	header["Link"] = []string{"<" + r.URL.EscapedPath() + "?" + query.Encode() + `>; rel="next"`}
}
