package app_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"berth/app"
	"berth/app/config"
)

// served is an instance of a configuration, with its log.
func served(t *testing.T, file string) (*instance, *logged) {
	t.Helper()
	log := &logged{}
	return start(t, app.Options{
		Config: configured(t, strings.ReplaceAll(file, "ROOT", t.TempDir())), Version: "test", Engines: &engines{},
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	}), log
}

// logged is a log that may be read meanwhile.
type logged struct {
	mu sync.Mutex // guards b
	b  strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func get(t *testing.T, client *http.Client, method, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(b)
}

// until waits for something that happens soon.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s did not happen", what)
		}
	}
}

func TestTheOfficialConfigurationServesMetricsAndHealth(t *testing.T) {
	t.Parallel()
	i, log := served(t, `version: 0.1
storage: {filesystem: {rootdirectory: ROOT}, cache: {blobdescriptor: inmemory}, tag: {concurrencylimit: 5}, delete: {enabled: true}}
http:
  addr: 127.0.0.1:0
  headers: {X-Content-Type-Options: [nosniff]}
  debug: {addr: 'localhost:0', prometheus: {enabled: true, path: /metrics}}
health: {storagedriver: {enabled: true, interval: 10s, threshold: 3}}
`)
	_, rest, _ := strings.Cut(log.String(), `msg="debug server is ready" address=`)
	debug, _, _ := strings.Cut(rest, " ")
	get(t, http.DefaultClient, http.MethodGet, i.base+"/v2/_catalog")
	_, numbers := get(t, http.DefaultClient, http.MethodGet, "http://"+debug+"/metrics")
	for _, want := range []string{`registry_http_requests_total{code="200",handler="catalog",method="get"} 1`, `registry_storage_action_seconds_count{action="Stat",driver="filesystem"}`} {
		if !strings.Contains(numbers, want) {
			t.Errorf("%s is missing", want)
		}
	}
	get(t, http.DefaultClient, http.MethodPost, "http://"+debug+"/debug/health/down")
	if code, body := get(t, http.DefaultClient, http.MethodGet, i.base+"/v2/"); code != http.StatusServiceUnavailable || !strings.Contains(body, "UNAVAILABLE") {
		t.Errorf("down, it answers %d %s", code, body)
	}
	h, err := i.Health(t.Context(), app.HealthRequest{})
	if err != nil || len(h.Problems) == 0 || h.Problems[0].Code != "check_failed" || h.Problems[0].Command != "curl -X POST http://"+debug+"/debug/health/up" {
		t.Errorf("the window shows %+v: %v", h.Problems, err)
	}
	if n := strings.Count(log.String(), "health check fails"); n != 1 {
		t.Errorf("logged %d times", n)
	}
}

func TestAFileTakesTheRegistryOutOfService(t *testing.T) {
	t.Parallel()
	flag := filepath.Join(t.TempDir(), "down")
	i, _ := served(t, "version: 0.1\nstorage: {filesystem: {rootdirectory: ROOT}}\nhttp: {addr: '127.0.0.1:0'}\nhealth: {file: [{file: "+flag+", interval: 10ms}]}\n")
	status := func() int {
		code, _ := get(t, http.DefaultClient, http.MethodGet, i.base+"/v2/")
		return code
	}
	if code := status(); code != http.StatusOK {
		t.Fatalf("it begins with %d", code)
	}
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "503", func() bool { return status() == http.StatusServiceUnavailable })
	h, err := i.Health(t.Context(), app.HealthRequest{})
	if err != nil || !strings.Contains(h.Problems[0].Fix, flag) {
		t.Errorf("the window shows %+v: %v", h.Problems, err)
	}
	if err := os.Remove(flag); err != nil {
		t.Fatal(err)
	}
	until(t, "200", func() bool { return status() == http.StatusOK })
}

func TestTheRegistryAnswersAtASocket(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "s") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	cfg := configured(t, "version: 0.1\nstorage: inmemory\nhttp: {net: unix, addr: "+path+"}\n", "BERTH_DATA="+t.TempDir())
	core := open(t, app.Options{Config: cfg, Engines: &engines{}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- core.Run(ctx) }()
	<-core.Ready()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}, DisableKeepAlives: true}}
	if code, body := get(t, client, http.MethodGet, "http://registry.anywhere/v2/"); code != http.StatusOK || body != "{}" {
		t.Errorf("it answers %d %s", code, body)
	}
	if s, err := core.Status(t.Context(), app.StatusRequest{}); err != nil || s.Address != "unix:"+path {
		t.Errorf("status %+v: %v", s, err)
	}
	other := open(t, app.Options{Config: configured(t, "version: 0.1\nstorage: inmemory\nhttp: {net: unix, addr: "+path+"}\n", "BERTH_DATA="+t.TempDir()), Engines: &engines{}})
	if p, ok := errors.AsType[*app.Problem](other.Run(t.Context())); !ok || p.Code != "socket_taken" {
		t.Errorf("a second one: %v", p)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket stays: %v", err)
	}
}

func TestACertificateThatCannotBeReadNamesItsKey(t *testing.T) {
	t.Parallel()
	core := open(t, app.Options{Config: configured(t, "version: 0.1\nstorage: inmemory\nhttp: {addr: '127.0.0.1:0', tls: {certificate: /none.crt, key: /none.key}}\n",
		"BERTH_DATA="+t.TempDir()), Engines: &engines{}})
	p, ok := errors.AsType[*app.Problem](core.Run(t.Context()))
	if !ok || p.Code != "config_"+string(config.Invalid) || !strings.Contains(p.Title, "http.tls.certificate") || !strings.Contains(p.Text, "config.yml:3") {
		t.Errorf("got %+v", p)
	}
}

func TestADryRunOnlyTellsOfStaleUploads(t *testing.T) {
	t.Parallel()
	i, log := served(t, `version: 0.1
storage:
  filesystem: {rootdirectory: ROOT}
  maintenance: {uploadpurging: {enabled: true, age: 1ns, interval: 10ms, dryrun: true}}
http: {addr: '127.0.0.1:0'}
`)
	stale := filepath.Join(i.data, "docker", "registry", "v2", "repositories", "app", "_uploads", "0190c1b4-0000-7000-8000-000000000000")
	if err := os.MkdirAll(stale, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(stale, "startedat"), []byte("2020-01-01T00:00:00Z"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "a line", func() bool {
		return strings.Contains(log.String(), `msg="upload would be purged" repository=app upload=0190c1b4`)
	})
	if _, err := os.Stat(stale); err != nil {
		t.Errorf("it is gone: %v", err)
	}
}

func TestAnIndexMayBeSparseWhenTheConfigurationSaysSo(t *testing.T) {
	t.Parallel()
	index := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":`+
		`"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%064d","size":2,"platform":{"os":"linux","architecture":"arm64"}}]}`, 1)
	for platforms, want := range map[string]int{"all": http.StatusBadRequest, "none": http.StatusCreated} {
		i, _ := served(t, "version: 0.1\nstorage: {filesystem: {rootdirectory: ROOT}}\nhttp: {addr: '127.0.0.1:0'}\nvalidation: {manifests: {indexes: {platforms: "+platforms+"}}}\n")
		r, err := http.NewRequest(http.MethodPut, i.base+"/v2/app/manifests/v1", strings.NewReader(index))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/vnd.oci.image.index.v1+json")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d", platforms, response.StatusCode)
		}
	}
}

// What people have in their config.yml for a page that shows the registry.
func TestThePagesOfHTTPHeadersMayDoWhatTheySay(t *testing.T) {
	t.Parallel()
	i, _ := served(t, `version: 0.1
storage: {filesystem: {rootdirectory: ROOT}, delete: {enabled: true}}
http:
  addr: 127.0.0.1:0
  headers:
    X-Content-Type-Options: [nosniff]
    Access-Control-Allow-Origin: ['https://ui.example']
    Access-Control-Allow-Methods: ['HEAD', 'GET, OPTIONS', 'DELETE']
    Access-Control-Allow-Headers: ['Authorization', 'X-Mine']
    Access-Control-Max-Age: [1728000]
    Access-Control-Allow-Credentials: [true]
    Access-Control-Expose-Headers: ['X-Content-Type-Options']
    Access-Control-Allow-Private-Network: [true]
`)
	ask := func(method string, headers ...string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, i.base+"/v2/_catalog", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", "https://ui.example")
		for n := 0; n < len(headers); n += 2 {
			r.Header.Set(headers[n], headers[n+1])
		}
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return w
	}
	shown := ask("GET")
	before := ask("OPTIONS", "Access-Control-Request-Method", "DELETE", "Access-Control-Request-Headers", "authorization, x-mine")
	for _, w := range []*http.Response{shown, before} {
		if h := w.Header; w.StatusCode != http.StatusOK || h.Get("Access-Control-Allow-Origin") != "https://ui.example" ||
			h.Get("Access-Control-Allow-Credentials") != "true" || h.Get("Access-Control-Allow-Private-Network") != "true" {
			t.Errorf("%s is answered %d %v", w.Request.Method, w.StatusCode, h)
		}
	}
	if h := shown.Header; !strings.Contains(h.Get("Access-Control-Expose-Headers"), "X-Content-Type-Options") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the page sees %v", h)
	}
	if h := before.Header; h.Get("Access-Control-Max-Age") != "600" || h.Get("Access-Control-Allow-Headers") != "Authorization,X-Mine" {
		t.Errorf("the page may %v", h)
	}
	if w := ask("OPTIONS", "Access-Control-Request-Method", "PUT"); w.StatusCode == http.StatusOK {
		t.Error("a method that is not listed is allowed")
	}
}
