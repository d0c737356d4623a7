//go:build e2e

package e2e

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// engine is a Docker Engine of the tests: own socket, data and containerd, no
// network for containers.
type engine struct {
	once sync.Once
	err  error
	host string
	dir  string
	proc *process
}

var sharedEngine engine

// docker gives the engine, which all tests share.
func docker(t testing.TB) *engine {
	t.Helper()
	sharedEngine.once.Do(func() { sharedEngine.err = sharedEngine.start() })
	if sharedEngine.err != nil {
		t.Fatalf("start a Docker Engine: %v", sharedEngine.err)
	}
	return &sharedEngine
}

// ownEngine starts an engine for one test, which sees only its images.
func ownEngine(t testing.TB) *engine {
	t.Helper()
	e := &engine{}
	t.Cleanup(e.stop)
	if err := e.start(); err != nil {
		t.Fatalf("start a Docker Engine: %v", err)
	}
	return e
}

func (e *engine) start() error {
	dir, err := os.MkdirTemp(scratch, "docker-")
	if err != nil {
		return err
	}
	socket := filepath.Join(dir, "docker.sock")
	e.dir, e.host = dir, "unix://"+socket
	e.proc, err = start("dockerd", nil, "dockerd", "-H", e.host, "--data-root", filepath.Join(dir, "data"),
		"--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "pid"), "--bridge", "none", "--iptables=false")
	if err != nil {
		return err
	}
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	return until(30*time.Second, "dockerd answers: "+e.proc.tail(), func() bool {
		reply, err := client.Get("http://docker/_ping")
		if err != nil {
			return false
		}
		return reply.Body.Close() == nil && reply.StatusCode == http.StatusOK
	})
}

func (e *engine) stop() {
	if e.proc != nil {
		e.proc.end()
	}
}

// run runs the docker command line against the engine.
func (e *engine) run(t testing.TB, args ...string) string {
	t.Helper()
	return must(t, e.env(), append([]string{"docker"}, args...)...)
}

func (e *engine) env() []string { return []string{"DOCKER_HOST=" + e.host} }

// load builds an image from nothing and loads it; it gives the image's id.
func (e *engine) load(t testing.TB, name string, layers ...[]byte) string {
	t.Helper()
	e.run(t, "load", "-q", "-i", dockerArchive(t, name, layers...))
	t.Cleanup(func() {
		_, _, _ = execute(context.Background(), e.env(), "docker", "rmi", "-f", name)
	})
	return e.id(t, name)
}

func (e *engine) id(t testing.TB, name string) string {
	t.Helper()
	return strings.TrimSpace(e.run(t, "image", "inspect", "--format", "{{.Id}}", name))
}
