package app_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"berth/app"
	"berth/app/config"
	"berth/app/job"
)

// instance is a Core that runs on a folder of its own.
type instance struct {
	*app.Core
	t    *testing.T
	data string
	base string // "http://127.0.0.1:port"
	end  func() error
	// engine is nil where a test has no use for it.
	engine *engines
}

func options(t *testing.T, data, addr string) app.Options {
	t.Helper()
	cfg, err := config.Load("", nil, config.Flags{Data: data, Addr: addr})
	if err != nil {
		t.Fatal(err)
	}
	return app.Options{Config: cfg, Version: "test", Engines: &engines{}}
}

// used gives a data folder that somebody may have served who made promises.
func used(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	if err := os.MkdirAll(filepath.Join(data, "docker/registry/v2/repositories"), 0o777); err != nil {
		t.Fatal(err)
	}
	return data
}

func open(t *testing.T, o app.Options) *app.Core {
	t.Helper()
	c, err := app.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

func start(t *testing.T, o app.Options) *instance {
	t.Helper()
	c := open(t, o)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	done := false
	i := &instance{Core: c, t: t, data: o.Config.Data()}
	i.end = func() error {
		if done {
			return nil
		}
		done = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if err := i.end(); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	select {
	case <-c.Ready():
	case err := <-ended:
		done = true
		t.Fatalf("run: %v", err)
	}
	i.base = "http://" + c.Listening()[0]
	return i
}

func fresh(t *testing.T) *instance {
	t.Helper()
	return start(t, options(t, t.TempDir(), "127.0.0.1:0"))
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// do sends a request as a client would, and wants a status.
func (i *instance) do(method, path, contentType string, body []byte, want int) *http.Response {
	i.t.Helper()
	r, err := http.NewRequestWithContext(i.t.Context(), method, i.base+path, bytes.NewReader(body))
	if err != nil {
		i.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		i.t.Fatal(err)
	}
	text, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if response.StatusCode != want {
		i.t.Fatalf("%s %s: %s, want %d: %s", method, path, response.Status, want, text)
	}
	return response
}

func (i *instance) pushBlob(repo string, content []byte) map[string]any {
	i.t.Helper()
	d := digestOf(content)
	start := i.do("POST", "/v2/"+repo+"/blobs/uploads/", "", nil, http.StatusAccepted)
	location := strings.TrimPrefix(start.Header.Get("Location"), i.base)
	glue := "?"
	if strings.Contains(location, "?") {
		glue = "&"
	}
	i.do("PUT", location+glue+"digest="+d, "application/octet-stream", content, http.StatusCreated)
	return map[string]any{"digest": d, "size": len(content)}
}

const (
	mediaManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaConfig   = "application/vnd.oci.image.config.v1+json"
	mediaLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// image gives config and manifest of an image with the given layers.
func image(layers ...string) (config []byte, manifest func(config map[string]any, layers []map[string]any) []byte) {
	var history []map[string]any
	for n, l := range layers {
		history = append(history, map[string]any{"created_by": fmt.Sprintf("RUN /bin/sh -c step %d %s # buildkit", n, l)})
		history = append(history, map[string]any{"created_by": "ENV A=b", "empty_layer": true})
	}
	config, _ = json.Marshal(map[string]any{
		"os": "linux", "architecture": "amd64", "created": "2026-01-02T03:04:05Z", "history": history,
		"config": map[string]any{"Cmd": []string{"serve"}, "Labels": map[string]string{"a": "b"}},
	})
	return config, func(c map[string]any, ls []map[string]any) []byte {
		c["mediaType"] = mediaConfig
		for _, l := range ls {
			l["mediaType"] = mediaLayer
		}
		m, _ := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": mediaManifest, "config": c, "layers": ls})
		return m
	}
}

// push pushes an image over HTTP, and gives the digest of its manifest.
func (i *instance) push(repo, tag string, layers ...string) string {
	i.t.Helper()
	config, manifest := image(layers...)
	var ls []map[string]any
	for _, l := range layers {
		ls = append(ls, i.pushBlob(repo, []byte(l)))
	}
	m := manifest(i.pushBlob(repo, config), ls)
	i.do("PUT", "/v2/"+repo+"/manifests/"+tag, mediaManifest, m, http.StatusCreated)
	return digestOf(m)
}

// await reads notices until one of a kind comes.
func await(t *testing.T, next func() (app.Notice, error, bool), kind app.NoticeKind) app.Notice {
	t.Helper()
	for {
		n, err, ok := next()
		if err != nil || !ok {
			t.Fatalf("the stream ended before %s: %v", kind, err)
		}
		if n.Kind == kind {
			return n
		}
	}
}

// finished waits for a job to end.
func (i *instance) finished(id string) app.Job {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(i.t.Context(), 10*time.Second)
	defer cancel()
	for n, err := range i.Watch(ctx, app.WatchRequest{}) {
		if err != nil {
			i.t.Fatal(err)
		}
		if n.Kind != app.NoticeHello && n.Kind != app.NoticeJobEnd {
			continue
		}
		reply, err := i.Jobs(ctx, app.JobsRequest{ID: id})
		if err != nil {
			i.t.Fatal(err)
		}
		if reply.Jobs[0].State != app.JobRunning {
			return reply.Jobs[0]
		}
	}
	i.t.Fatalf("job %s did not end", id)
	return app.Job{}
}

// engines is an engine whose pushes the test does.
type engines struct {
	absent *app.Problem
	images []app.EngineImage
	push   func(ctx context.Context, p app.EnginePush, report func(job.Progress)) (string, error)
	pull   func(ctx context.Context, reference string) error
	save   func(image string) (io.ReadCloser, error)
}

func (e *engines) Contexts() ([]app.Context, error) {
	return []app.Context{{Name: "default", Current: true}}, nil
}

func (e *engines) Reclaim(context.Context) (int, error) { return 0, nil }

func (e *engines) Open(context.Context, string) (app.LocalEngine, error) {
	if e.absent != nil {
		return nil, e.absent
	}
	return engine{e}, nil
}

type engine struct{ *engines }

func (e engine) Info(context.Context) (app.Engine, error) { return app.Engine{Name: "Fake"}, nil }

func (e engine) Images(context.Context) ([]app.EngineImage, error) { return e.images, nil }

func (e engine) Push(ctx context.Context, p app.EnginePush, report func(job.Progress)) (string, error) {
	return e.push(ctx, p, report)
}

func (e engine) Pull(ctx context.Context, reference string, _ func(job.Progress)) error {
	return e.pull(ctx, reference)
}

func (e engine) Save(_ context.Context, image string) (io.ReadCloser, error) { return e.save(image) }

func (e engine) Watch(ctx context.Context) iter.Seq2[struct{}, error] {
	return func(func(struct{}, error) bool) { <-ctx.Done() }
}

func (e engine) Close() error { return nil }
