package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"berth/registry/internal/record"
)

// handlers are the values of the label; the last two are Berth's own.
var handlers = []string{"base", "catalog", "tags", "manifest", "blob", "blob_upload", "blob_upload_chunk", "referrers", "extensions"}

// meter has the numbers of one handler looked up.
type meter struct {
	inFlight       prometheus.Gauge
	requests       *prometheus.CounterVec
	duration       prometheus.ObserverVec
	received, sent prometheus.Observer
}

// HTTP counts the requests that api answers below prefix + "/v2/". Others pass
// uncounted, as in distribution.
func (m *Metrics) HTTP(api http.Handler, prefix string) http.Handler {
	meters := map[string]*meter{}
	for _, h := range handlers {
		labels := prometheus.Labels{"handler": h}
		meters[h] = &meter{
			inFlight: m.inFlight.With(labels), requests: m.requests.MustCurryWith(labels), duration: m.duration.MustCurryWith(labels),
			received: m.received.With(labels), sent: m.sent.With(labels),
		}
	}
	prefix = strings.TrimSuffix(prefix, "/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.Path, prefix)
		if meter := meters[handlerOf(path)]; ok && meter != nil {
			meter.serve(api, w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

func (m *meter) serve(api http.Handler, w http.ResponseWriter, r *http.Request) {
	m.inFlight.Inc()
	defer m.inFlight.Dec()
	start := time.Now()
	rec := record.Get(w)
	defer func() {
		method := methodLabel(r.Method)
		rec.Begin()
		m.requests.WithLabelValues(codeLabel(rec.Status), method).Inc()
		m.duration.WithLabelValues(method).Observe(time.Since(start).Seconds())
		m.received.Observe(float64(requestSize(r)))
		m.sent.Observe(float64(rec.Bytes))
		record.Put(rec)
	}()
	api.ServeHTTP(rec, r)
}

// handlerOf names the handler of a path; empty for what is no endpoint. Names
// contain slashes, so it is read from its right end.
func handlerOf(path string) string {
	rest, ok := strings.CutPrefix(path, "/v2/")
	switch {
	case !ok:
		return ""
	case rest == "":
		return "base"
	case rest == "_catalog":
		return "catalog"
	case strings.HasPrefix(rest, "_oci/"):
		return "extensions"
	case strings.HasSuffix(rest, "/tags/list"):
		return "tags"
	}
	last := strings.LastIndexByte(rest, '/')
	if last < 0 {
		return ""
	}
	switch above := rest[:last]; {
	case strings.HasSuffix(above, "/manifests"):
		return "manifest"
	case strings.HasSuffix(above, "/referrers"):
		return "referrers"
	case strings.HasSuffix(above, "/blobs/uploads") && last+1 < len(rest):
		return "blob_upload_chunk"
	case strings.HasSuffix(above, "/blobs/uploads"), strings.HasSuffix(rest, "/blobs/uploads"):
		return "blob_upload"
	case strings.HasSuffix(above, "/blobs"):
		return "blob"
	}
	return ""
}

// requestSize is what a request takes on the wire, nearly.
func requestSize(r *http.Request) int64 {
	n := int64(len(r.URL.Path) + len(r.Method) + len(r.Proto) + len(r.Host))
	for name, values := range r.Header {
		n += int64(len(name))
		for _, v := range values {
			n += int64(len(v))
		}
	}
	return n + max(r.ContentLength, 0)
}

// methodLabel keeps what clients invent from becoming labels.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet:
		return "get"
	case http.MethodHead:
		return "head"
	case http.MethodPut:
		return "put"
	case http.MethodPost:
		return "post"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		return "delete"
	case http.MethodOptions:
		return "options"
	}
	return "unknown"
}

func codeLabel(status int) string {
	switch status {
	case http.StatusOK:
		return "200"
	case http.StatusCreated:
		return "201"
	case http.StatusAccepted:
		return "202"
	case http.StatusNotFound:
		return "404"
	}
	return strconv.Itoa(status)
}
