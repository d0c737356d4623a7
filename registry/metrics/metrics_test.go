package metrics_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"berth/registry/driver"
	"berth/registry/driver/filesystem"
	"berth/registry/driver/memory"
	"berth/registry/metrics"
)

func scrape(t *testing.T, m *metrics.Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatalf("%s cannot be parsed: %v", w.Header().Get("Content-Type"), err)
	}
	return families
}

// labels gives every combination of labels of a family as "a=b c=d".
func labels(f *dto.MetricFamily) []string {
	var out []string
	for _, m := range f.GetMetric() {
		var parts []string
		for _, l := range m.GetLabel() {
			parts = append(parts, l.GetName()+"="+l.GetValue())
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

func TestRequestsAreCountedUnderTheNamesOfDistribution(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	h := m.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			w.WriteHeader(http.StatusCreated)
		}
		_, _ = io.WriteString(w, "12345")
	}), "/under")
	for _, line := range []string{
		"GET /under/v2/", "GET /under/v2/_catalog?n=3", "GET /under/v2/a/b/tags/list", "PUT /under/v2/a/manifests/v1", "HEAD /under/v2/a/blobs/sha256:1",
		"POST /under/v2/a/blobs/uploads/", "PATCH /under/v2/manifests/blobs/blobs/uploads/id", "GET /under/v2/a/referrers/sha256:1",
		"BREW /under/v2/", "GET /elsewhere", "GET /v2/", "GET /under/v2/nothing",
	} {
		method, path, _ := strings.Cut(line, " ")
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, nil))
	}
	got := scrape(t, m)
	want := []string{
		"code=200 handler=base method=get", "code=200 handler=base method=unknown", "code=200 handler=blob method=head", "code=200 handler=blob_upload method=post",
		"code=200 handler=blob_upload_chunk method=patch", "code=200 handler=catalog method=get", "code=200 handler=referrers method=get",
		"code=200 handler=tags method=get", "code=201 handler=manifest method=put",
	}
	if l := labels(got["registry_http_requests_total"]); !slices.Equal(slices.Sorted(slices.Values(l)), want) {
		t.Errorf("requests:\n%s", strings.Join(l, "\n"))
	}
	for name, label := range map[string]string{
		"registry_http_in_flight_requests": "handler=blob", "registry_http_request_duration_seconds": "handler=blob method=head",
		"registry_http_request_size_bytes": "handler=blob", "registry_http_response_size_bytes": "handler=blob",
	} {
		if f := got[name]; f == nil || !slices.Contains(labels(f), label) {
			t.Errorf("%s with %s is missing", name, label)
		}
	}
	for _, m := range got["registry_http_response_size_bytes"].GetMetric() {
		if m.GetLabel()[0].GetValue() == "catalog" && m.GetHistogram().GetSampleSum() != 5 {
			t.Errorf("the catalog sent %v bytes", m.GetHistogram().GetSampleSum())
		}
	}
	if got["go_goroutines"] == nil {
		t.Error("the runtime is missing")
	}
}

// fromReader is a connection that takes files by itself.
type fromReader struct {
	http.ResponseWriter
	took io.Reader
}

func (f *fromReader) ReadFrom(src io.Reader) (int64, error) {
	f.took = src
	return io.Copy(io.Discard, src)
}

func TestACountedAnswerStillGoesOutBySendfile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "layer")
	if err := os.WriteFile(path, make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := metrics.New().HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.(io.ReaderFrom).ReadFrom(f)
		_ = http.NewResponseController(w).Flush()
	}), "")
	w := &fromReader{ResponseWriter: httptest.NewRecorder()}
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v2/a/blobs/sha256:1", nil))
	if w.took != f {
		t.Errorf("the connection was given %T", w.took)
	}
}

// plain has the seven methods and nothing else.
type plain struct{ driver.Driver }

func TestATimedDriverKeepsEveryAbility(t *testing.T) {
	t.Parallel()
	ctx, m := context.Background(), metrics.New()
	files, err := filesystem.Open(filesystem.Options{RootDirectory: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for name, drv := range map[string]driver.Driver{"filesystem": files, "inmemory": memory.New(), "bare": plain{memory.New()}} {
		d := m.Driver(drv, name)
		same[driver.Batcher](t, drv, d)
		same[driver.Walker](t, drv, d)
		same[driver.Spacer](t, drv, d)
		same[io.Closer](t, drv, d)
		if err := driver.Apply(ctx, d, driver.Put{Key: "a/b", Content: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Stat(ctx, "a/b"); err != nil {
			t.Error(err)
		}
		for _, err := range d.List(ctx, "a") {
			if err != nil {
				t.Error(err)
			}
		}
		before, _ := drv.Open(ctx, "a/b")
		after, err := d.Open(ctx, "a/b")
		if err != nil {
			t.Fatal(err)
		}
		_, file := before.(*os.File)
		if _, still := after.(*os.File); file != still {
			t.Errorf("%s: an opened file is a %T", name, after)
		}
		_, _ = before.Close(), after.Close()
		if err := d.Delete(ctx, "a"); err != nil {
			t.Error(err)
		}
	}
	if closer, ok := driver.As[io.Closer](files); ok {
		defer closer.Close()
	}
	l := labels(scrape(t, m)["registry_storage_action_seconds"])
	for _, want := range []string{"action=Stat driver=filesystem", "action=List driver=inmemory", "action=PutContent driver=bare"} {
		if !slices.Contains(l, want) {
			t.Errorf("%s is missing in %q", want, l)
		}
	}
}

func same[T any](t *testing.T, before, after driver.Driver) {
	t.Helper()
	_, had := driver.As[T](before)
	if _, has := driver.As[T](after); had != has {
		t.Errorf("%T: the ability was %v and is %v", before, had, has)
	}
}

func BenchmarkCounted(b *testing.B) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	r := httptest.NewRequest(http.MethodGet, "/v2/team/app/manifests/v1", nil)
	for name, h := range map[string]http.Handler{"off": h, "on": metrics.New().HTTP(h, "")} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			w := httptest.NewRecorder()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}
