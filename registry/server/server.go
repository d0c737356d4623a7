package server

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"berth/registry"
	"berth/registry/internal/route"
)

// Options of a server. The zero value serves everything, deletes included.
type Options struct {
	// Secret signs the state that an upload carries in its Location. Keep it,
	// and uploads go on after a restart; empty means a random one.
	Secret []byte
	// Host is the base of every Location, as "https://registry.example.com";
	// empty means: what the request says.
	Host string
	// RelativeURLs makes every Location a path only, without the prefix, unless
	// there is a Host.
	RelativeURLs bool
	// Prefix stands before /v2/ in every path. With RelativeURLs it may be
	// missing, since it is in no Location.
	Prefix string
	// Headers are added to every response.
	Headers http.Header
	// DeleteEnabled says whether manifests and blobs may be deleted. It is
	// asked at each request; nil means yes.
	DeleteEnabled func() bool
	// ReadOnly says whether writing is refused. It is asked at each request;
	// nil means no.
	ReadOnly func() bool
	// Warnings are sent with every response, as Warning headers, as far as
	// 4096 bytes go; nil means none.
	Warnings func() []string
	// MaxTags and MaxRepositories are the longest pages of tags and of the
	// catalog; 0 means 1000.
	MaxTags, MaxRepositories int
	// Log gets what a client cannot be told; nil means nowhere.
	Log *slog.Logger
}

const (
	defaultPage     = 100  // repositories, when a client names no number
	defaultMaxPage  = 1000 // of tags and of repositories
	maxManifestTags = 100  // in one push of a manifest by digest
)

type server struct {
	reg    registry.Registry
	o      Options
	host   string // of Options.Host; empty: as the request says
	prefix string // "" or "/x"

	incoming incoming
}

// A handler answers one kind of request. It returns an error before it has
// written anything, or writes and returns nil.
type handler func(s *server, w http.ResponseWriter, r *http.Request, q *route.Request) error

var table = [route.Kinds]handler{
	route.Ping:           (*server).ping,
	route.Catalog:        (*server).catalog,
	route.Discover:       (*server).discover,
	route.BlobGet:        (*server).getBlob,
	route.BlobHead:       (*server).headBlob,
	route.BlobDelete:     (*server).deleteBlob,
	route.BlobPush:       (*server).pushBlob,
	route.BlobMount:      (*server).mountBlob,
	route.UploadStart:    (*server).startUpload,
	route.UploadStatus:   (*server).uploadStatus,
	route.UploadAppend:   (*server).appendUpload,
	route.UploadCommit:   (*server).commitUpload,
	route.UploadCancel:   (*server).cancelUpload,
	route.ManifestGet:    (*server).getManifest,
	route.ManifestHead:   (*server).headManifest,
	route.ManifestPut:    (*server).putManifest,
	route.ManifestDelete: (*server).deleteManifest,
	route.Tags:           (*server).tags,
	route.Referrers:      (*server).referrers,
}

// New makes the handler of /v2/ for reg. An Options.Host that is not a URL
// counts as absent.
func New(reg registry.Registry, o Options) http.Handler {
	if len(o.Secret) == 0 {
		o.Secret = []byte(rand.Text())
	}
	if o.MaxTags <= 0 {
		o.MaxTags = defaultMaxPage
	}
	if o.MaxRepositories <= 0 {
		o.MaxRepositories = defaultMaxPage
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Headers = canonical(o.Headers)
	s := &server{reg: reg, o: o}
	if p := strings.Trim(o.Prefix, "/"); p != "" {
		s.prefix = "/" + p
	}
	s.host = parseHost(o.Host)
	return s
}

func canonical(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for key, values := range h {
		key = http.CanonicalHeaderKey(key)
		out[key] = append(out[key], values...)
	}
	for key, values := range out {
		out[key] = slices.Clip(values) // shared by all responses: whoever appends takes a copy
	}
	return out
}

var apiVersion = []string{"registry/2.0"}

// ServeHTTP answers one request.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header["Docker-Distribution-Api-Version"] = apiVersion
	for key, values := range s.o.Headers {
		if header[key] != nil {
			values = append(header[key], values...)
		}
		header[key] = values
	}
	if s.o.Warnings != nil {
		addWarnings(header, s.o.Warnings())
	}
	q, err := route.ParseUnder(s.prefix, r.Method, r.URL)
	if err != nil && s.o.RelativeURLs && errors.Is(err, route.ErrNotFound) {
		q, err = route.Parse(r.Method, r.URL)
	}
	if err != nil && s.redirected(w, r) {
		return
	}
	if err == nil {
		err = s.handle(w, r, q)
	}
	if err != nil {
		s.fail(w, r, err)
	}
}

// requests are for handlers, which keep none. One that panics gives none back.
var requests = sync.Pool{New: func() any { return new(route.Request) }}

func (s *server) handle(w http.ResponseWriter, r *http.Request, request route.Request) error {
	if err := s.allowed(&request, w.Header()); err != nil {
		return err
	}
	q := requests.Get().(*route.Request)
	*q = request
	err := table[q.Kind](s, w, r, q)
	requests.Put(q)
	return err
}

// redirected sends whoever reads to the one spelling of the path. Who writes is
// told what is wrong with it: a client would repeat its request as a GET.
func (s *server) redirected(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	clean := route.Clean(s.prefix, r.URL.Path)
	if clean == r.URL.Path {
		return false
	}
	u := url.URL{Path: clean, RawQuery: r.URL.RawQuery}
	http.Redirect(w, r, u.RequestURI(), http.StatusMovedPermanently)
	return true
}

// allowed checks the switches, which act at once.
func (s *server) allowed(q *route.Request, header http.Header) error {
	if q.Kind.Writes() && s.readOnly() {
		header["Allow"] = readingMethods
		return registry.ErrUnsupported.WithMessage("the registry is read-only")
	}
	if q.Kind.Deletes() && s.o.DeleteEnabled != nil && !s.o.DeleteEnabled() {
		return registry.ErrUnsupported.WithMessage("deleting is switched off in this registry")
	}
	return nil
}

func (s *server) readOnly() bool { return s.o.ReadOnly != nil && s.o.ReadOnly() }

// addWarnings adds texts as RFC 7234 warnings
// (distribution-spec, "Warnings": 299, unknown agent, quoted).
func addWarnings(header http.Header, texts []string) {
	room := 4096
	for _, text := range texts {
		clean := strings.Map(func(c rune) rune {
			if c < ' ' || c == 0x7f {
				return ' '
			}
			return c
		}, text)
		value := `299 - "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(clean) + `"`
		if room -= len(value); room < 0 {
			return
		}
		header["Warning"] = append(header["Warning"], value)
	}
}

// outlive is for what must be finished although the client is gone.
func outlive(r *http.Request) context.Context { return context.WithoutCancel(r.Context()) }
