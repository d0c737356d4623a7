//go:build unix

package server_test

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/driver/filesystem"
	"berth/registry/registrytest"
	"berth/registry/server"
	"berth/registry/store"
)

const layerSize = 64 << 20

// BenchmarkPushLayers pushes layers of 64 MiB over loopback, as docker does, to
// the registry and to a bare sink that hashes, writes and syncs one file. The
// processor's time is that of both ends.
func BenchmarkPushLayers(b *testing.B) {
	for _, streams := range []int{1, 4} {
		b.Run(fmt.Sprintf("sink/%d", streams), func(b *testing.B) {
			base := listen(b, sink(b.TempDir()))
			pushLayers(b, streams, func(client *http.Client, l *layerMaker) error {
				body, _ := l.next()
				return send(client, "PUT", base, body, http.StatusCreated, new(string))
			})
		})
		b.Run(fmt.Sprintf("registry/%d", streams), func(b *testing.B) {
			drv, err := filesystem.Open(filesystem.Options{RootDirectory: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			st, err := store.Open(b.Context(), drv, nil, store.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _, _ = st.Close(), drv.Close() })
			base := listen(b, server.New(st, server.Options{Secret: []byte("a secret of a test")}))
			pushLayers(b, streams, func(client *http.Client, l *layerMaker) error {
				body, d := l.next()
				at := ""
				if err := send(client, "POST", base+"/v2/app/blobs/uploads/", nil, http.StatusAccepted, &at); err != nil {
					return err
				}
				if err := send(client, "PATCH", at, body, http.StatusAccepted, &at); err != nil {
					return err
				}
				return send(client, "PUT", at+"&digest="+d.String(), nil, http.StatusCreated, new(string))
			})
		})
	}
}

// sink is what a registry cannot be faster than.
func sink(dir string) http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := os.Create(filepath.Join(dir, fmt.Sprint(n.Add(1))))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer f.Close()
		_, err = io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(f, sha256.New())}, r.Body, make([]byte, 256<<10))
		if err == nil {
			err = f.Sync()
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
}

// layerMaker makes layers of which each has another end, so that a digest costs
// nearly nothing.
type layerMaker struct {
	most  []byte
	state []byte
	n     atomic.Int64
}

func newLayerMaker(b *testing.B) *layerMaker {
	b.Helper()
	l := &layerMaker{most: registrytest.Bytes(1, layerSize-16)}
	h := sha256.New()
	_, _ = h.Write(l.most)
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		b.Fatal(err)
	}
	l.state = state
	return l
}

func (l *layerMaker) next() (io.Reader, registry.Digest) {
	end := fmt.Appendf(nil, "%016d", l.n.Add(1))
	h := sha256.New()
	_ = h.(encoding.BinaryUnmarshaler).UnmarshalBinary(l.state)
	_, _ = h.Write(end)
	return io.MultiReader(bytes.NewReader(l.most), bytes.NewReader(end)), digest.NewDigest(digest.SHA256, h)
}

func pushLayers(b *testing.B, streams int, push func(*http.Client, *layerMaker) error) {
	b.Helper()
	l := newLayerMaker(b)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: streams, WriteBufferSize: 256 << 10}}
	b.Cleanup(client.CloseIdleConnections)
	b.SetBytes(layerSize)
	before := processorTime(b)
	b.ResetTimer()
	var all sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(b.N))
	for range streams {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := push(client, l); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric((processorTime(b)-before).Seconds()/(float64(b.N)*layerSize/1e9), "cpu-s/GB")
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func send(client *http.Client, method, url string, body io.Reader, want int, at *string) error {
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return err
	}
	if body != nil {
		req.ContentLength = layerSize
	}
	resp, err := do(client, req, want)
	if err == nil {
		*at = resp.Header.Get("Location")
	}
	return err
}
