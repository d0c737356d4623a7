package server_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry/index/sqlite"
	"berth/registry/registrytest"
	"berth/registry/server"
)

// indexed is a site as the product is composed, with its index.
func indexed(b *testing.B) *site {
	b.Helper()
	ix, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "index.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ix.Close() })
	return openWith(b, ix, server.Options{})
}

// listen serves h on loopback, and gives its address.
func listen(b *testing.B, h http.Handler) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	b.Cleanup(func() { _ = srv.Close(); <-done })
	return "http://" + l.Addr().String()
}

// hammer sends the same request again and again, from many connections.
func hammer(b *testing.B, method, url string) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.Cleanup(client.CloseIdleConnections)
	b.ReportAllocs()
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, _ := http.NewRequest(method, url, nil)
			resp, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != 200 {
				b.Errorf("%s %s: %s", method, url, resp.Status)
				return
			}
		}
	})
}

func BenchmarkManifestGet(b *testing.B) {
	s := indexed(b)
	registrytest.PushImage(b, s.reg, "team/app", "v1")
	hammer(b, "GET", listen(b, s.handler)+"/v2/team/app/manifests/v1")
}

func BenchmarkManifestHead(b *testing.B) {
	s := indexed(b)
	registrytest.PushImage(b, s.reg, "team/app", "v1")
	hammer(b, "HEAD", listen(b, s.handler)+"/v2/team/app/manifests/v1")
}

// BenchmarkBareGet is what net/http alone does with the bytes and headers of a
// manifest: the measure of the others.
func BenchmarkBareGet(b *testing.B) {
	m := registrytest.PushImage(b, registrytest.NewFake(), "team/app", "v1")
	hammer(b, "GET", listen(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", m.MediaType)
		w.Header().Set("Docker-Content-Digest", string(m.Digest))
		w.Header().Set("Content-Length", strconv.Itoa(len(m.Content)))
		_, _ = w.Write(m.Content)
	})))
}

func BenchmarkTagsList(b *testing.B) {
	for _, tags := range []int{10, 1000} {
		b.Run(strconv.Itoa(tags), func(b *testing.B) {
			s := indexed(b)
			m := registrytest.PushImage(b, s.reg, "team/app", "latest")
			for i := range tags {
				if _, err := s.reg.PutManifest(b.Context(), "team/app", m, fmt.Sprintf("v%04d", i)); err != nil {
					b.Fatal(err)
				}
			}
			hammer(b, "GET", listen(b, s.handler)+"/v2/team/app/tags/list")
		})
	}
}

func BenchmarkBlobPull(b *testing.B) {
	for _, size := range []int{4 << 10, 1 << 20, 64 << 20} {
		b.Run(strconv.Itoa(size>>10)+"KiB", func(b *testing.B) {
			s := indexed(b)
			d := s.blob("team/app", registrytest.Bytes(1, size))
			b.SetBytes(int64(size))
			hammer(b, "GET", listen(b, s.handler)+"/v2/team/app/blobs/"+string(d))
		})
	}
}

func BenchmarkBlobPush(b *testing.B) {
	for _, size := range []int{4 << 10, 16 << 20} {
		b.Run(strconv.Itoa(size>>10)+"KiB", func(b *testing.B) {
			s := indexed(b)
			base := listen(b, s.handler) + "/v2/team/app/blobs/uploads/?digest="
			content := registrytest.Bytes(1, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				copy(content, strconv.Itoa(n)+" ")
				resp, err := http.Post(base+string(digest.FromBytes(content)), "application/octet-stream", bytes.NewReader(content))
				if err != nil {
					b.Fatal(err)
				}
				_ = resp.Body.Close()
				if resp.StatusCode != 201 {
					b.Fatal(resp.Status)
				}
			}
		})
	}
}

// The handler alone: what a request costs beside the connection.
func BenchmarkManifestHandler(b *testing.B) {
	s := indexed(b)
	registrytest.PushImage(b, s.reg, "team/app", "v1")
	r, _ := http.NewRequest("GET", "/v2/team/app/manifests/v1", nil)
	w := &nothing{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		s.handler.ServeHTTP(w, r)
	}
}

type nothing struct{ header http.Header }

func (n *nothing) Header() http.Header         { return n.header }
func (n *nothing) Write(p []byte) (int, error) { return len(p), nil }
func (n *nothing) WriteHeader(int)             {}
