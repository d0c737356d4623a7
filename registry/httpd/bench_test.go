package httpd_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/driver/filesystem"
	"berth/registry/event"
	"berth/registry/filter"
	"berth/registry/httpd"
	"berth/registry/index/sqlite"
	"berth/registry/registrytest"
	"berth/registry/server"
	"berth/registry/store"
	"berth/registry/trash"
)

// product is the registry as the program composes it, on files and with an
// index, somebody who listens to its events included.
func product(b *testing.B, root string) (registry.Registry, string) {
	b.Helper()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: root})
	if err != nil {
		b.Fatal(err)
	}
	ix, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "index.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	st, err := store.Open(b.Context(), drv, ix, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	bus := event.NewBus()
	go func() {
		for range bus.Subscribe(b.Context(), 4096) {
		}
	}()
	reg := filter.Observe(filter.ReadOnly(trash.Wrap(st, st, trash.New(drv, 0)), func() bool { return false }), bus)
	srv := httpd.New(server.New(reg, server.Options{}), httpd.Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	b.Cleanup(func() {
		_ = srv.Shutdown(b.Context())
		<-done
		_ = st.Close()
		_ = ix.Close()
	})
	return reg, l.Addr().String()
}

// BenchmarkAnswer measures the small answers of the whole stack, and each beside
// them as net/http alone would give the same headers and bytes. Requests come
// on 16 connections that are kept.
func BenchmarkAnswer(b *testing.B) {
	root := b.TempDir()
	reg, addr := product(b, root)
	m := registrytest.PushImage(b, reg, "team/app", "v1")
	for i := range 49 {
		if _, err := reg.PutManifest(b.Context(), "team/app", m, fmt.Sprint("v1.", i)); err != nil {
			b.Fatal(err)
		}
	}
	small := registrytest.PushBlob(b, reg, "team/app", registrytest.Bytes(1, 1<<10)).Digest
	subject := digest.FromString("nobody has it")
	for i := range 1000 {
		refer(b, reg, subject, i)
	}
	age(b, root)
	for _, c := range []struct{ name, method, path string }{
		{"ManifestByTag", "GET", "manifests/v1"},
		{"ManifestByDigest", "GET", "manifests/" + string(m.Digest)},
		{"ManifestHead", "HEAD", "manifests/v1"},
		{"BlobHead", "HEAD", "blobs/" + string(small)},
		{"Blob1KiB", "GET", "blobs/" + string(small)},
		{"Tags50", "GET", "tags/list"},
		{"Referrers1000", "GET", "referrers/" + string(subject)},
	} {
		b.Run(c.name+"/berth", func(b *testing.B) { ask(b, addr, c.method, "/v2/team/app/"+c.path) })
		b.Run(c.name+"/bare", func(b *testing.B) {
			ask(b, bare(b, c.method, "http://"+addr+"/v2/team/app/"+c.path), c.method, "/v2/team/app/"+c.path)
		})
	}
}

// age makes files old: what was just written is read anew each time.
func age(b *testing.B, root string) {
	b.Helper()
	then := time.Now().Add(-time.Hour)
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, then, then)
	})
	if err != nil {
		b.Fatal(err)
	}
}

func refer(b *testing.B, reg registry.Registry, subject registry.Digest, i int) {
	b.Helper()
	config := registrytest.PushBlob(b, reg, "team/app", []byte("{}"))
	m := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.example.sbom",`+
		`"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":%q,"size":2},"layers":[],`+
		`"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":%q,"size":2},"annotations":{"n":"%d"}}`, config.Digest, subject, i)
	if _, err := reg.PutManifest(b.Context(), "team/app", registry.Manifest{Content: m}); err != nil {
		b.Fatal(err)
	}
}

// bare serves, by net/http alone, what url answers.
func bare(b *testing.B, method, url string) string {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.Fatal(resp.Status, err)
	}
	resp.Header.Del("Date")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		header := w.Header()
		for key, values := range resp.Header {
			header[key] = values
		}
		_, _ = w.Write(body)
	})}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	b.Cleanup(func() { _ = srv.Close(); <-done })
	return l.Addr().String()
}

// ask sends b.N requests, and reads their answers as bytes: a client that
// costs as little as it can.
func ask(b *testing.B, addr, method, path string) {
	b.Helper()
	const conns = 16
	request := []byte(method + " " + path + " HTTP/1.1\r\nHost: " + addr + "\r\nUser-Agent: bench/1\r\n\r\n")
	size := answerSize(b, addr, request)
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range conns {
		wg.Go(func() {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			answer := make([]byte, size)
			for n := i; n < b.N; n += conns {
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
					return
				}
				if _, err := io.ReadFull(conn, answer); err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 200")) {
					b.Errorf("%.40q, %v", answer, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// answerSize learns how long an answer is; they are all of one length.
func answerSize(b *testing.B, addr string, request []byte) int {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	once := strings.Replace(string(request), "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
	if _, err := io.WriteString(conn, once); err != nil {
		b.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		b.Fatal(err)
	}
	return len(answer) - len("Connection: close\r\n")
}
