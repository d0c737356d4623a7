package server_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry/server"
)

// layer is n bytes that differ from layer to layer and cost nothing to make.
func layer(seed byte, n int64) io.Reader {
	return io.LimitReader(&pattern{seed: seed}, n)
}

type pattern struct{ seed byte }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = p.seed
	}
	p.seed++ // so that no two blocks are the same
	return len(b), nil
}

// transfer pushes a layer in one PATCH over a connection, and pulls it again.
func transfer(client *http.Client, base string, seed byte, size int64) error {
	resp, err := client.Post(base+"/v2/big/layers/blobs/uploads/", "", nil)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	hash := digest.SHA256.Digester()
	req, err := http.NewRequest("PATCH", resp.Header.Get("Location"), io.TeeReader(layer(seed, size), hash.Hash()))
	if err != nil {
		return err
	}
	req.ContentLength = size
	if resp, err = do(client, req, http.StatusAccepted); err != nil {
		return err
	}
	req, err = http.NewRequest("PUT", resp.Header.Get("Location")+"&digest="+string(hash.Digest()), nil)
	if err != nil {
		return err
	}
	if resp, err = do(client, req, http.StatusCreated); err != nil {
		return err
	}
	resp, err = client.Get(resp.Header.Get("Location"))
	if err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if err == nil && n != size {
		err = fmt.Errorf("%d bytes came of %d", n, size)
	}
	return errors.Join(err, resp.Body.Close())
}

func do(client *http.Client, req *http.Request, want int) (*http.Response, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != want {
		return nil, fmt.Errorf("%s: %s", req.Method, resp.Status)
	}
	return resp, nil
}

// transfers runs several at once, and gives how many bytes were allocated.
func transfers(t testing.TB, base string, client *http.Client, at int, size int64) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var all sync.WaitGroup
	for i := range at {
		all.Go(func() {
			if err := transfer(client, base, byte(i*31), size); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Not parallel: it measures what the whole process allocates.
func TestALargeLayerGoesInAndOutWithoutMemory(t *testing.T) {
	s := open(t, server.Options{})
	srv := httptest.NewServer(s.handler)
	defer srv.Close()
	const size = 128 << 20
	if got := transfers(t, srv.URL, srv.Client(), 1, size); got > 8<<20 {
		t.Errorf("%d KiB were allocated for a layer of %d MiB", got>>10, size>>20)
	}
}

// BenchmarkEightLayersAtOnce is the large case: 2 GiB each, eight at a time.
// It reports what the process allocated for all of them.
func BenchmarkEightLayersAtOnce(b *testing.B) {
	s := open(b, server.Options{})
	srv := httptest.NewServer(s.handler)
	defer srv.Close()
	const size = 2 << 30
	b.SetBytes(8 * 2 * size)
	for b.Loop() {
		b.ReportMetric(float64(transfers(b, srv.URL, srv.Client(), 8, size))/(1<<20), "MiB-allocated/op")
	}
}
