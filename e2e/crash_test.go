//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// open starts an upload and gives its Location.
func (b *berth) open(t testing.TB, repo string) string {
	t.Helper()
	return b.located(b.expect(t, 202, "POST", "/v2/"+repo+"/blobs/uploads/", nil, nil))
}

func (b *berth) located(r reply) string {
	where := r.header.Get("Location")
	if strings.HasPrefix(where, "http") {
		where = where[strings.Index(where, "/v2/"):]
	}
	return where
}

func with(location, query string) string {
	if strings.Contains(location, "?") {
		return location + "&" + query
	}
	return location + "?" + query
}

// cut sends the head of a PATCH of size bytes and only part of its body, then
// drops the connection.
func (b *berth) cut(t testing.TB, location string, part []byte, size int) {
	t.Helper()
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", location, b.addr, size)
	if err == nil {
		_, err = conn.Write(part)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	// The registry answers or hangs up; both end the request.
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}

func TestAnInterruptedUploadResumesWhereItStopped(t *testing.T) {
	t.Parallel()
	b, content := serve(t), layer(t, 60, 4<<20)
	half := len(content) / 2
	location := b.open(t, "team/app")
	b.cut(t, location, content[:half], len(content))

	status := b.expect(t, 204, "GET", location, nil, nil)
	var got int
	if _, err := fmt.Sscanf(status.header.Get("Range"), "0-%d", &got); err != nil || got+1 > half || got < 0 {
		t.Fatalf("the upload is at Range %q, want at most %d bytes", status.header.Get("Range"), half)
	}
	from := got + 1
	if got == 0 {
		t.Fatalf("nothing of %d bytes was kept", half)
	}
	next := b.expect(t, 202, "PATCH", b.located(status), map[string]string{
		"Content-Type": "application/octet-stream", "Content-Range": fmt.Sprintf("%d-%d", from, len(content)-1),
	}, bytes.NewReader(content[from:]))
	b.expect(t, 201, "PUT", with(b.located(next), "digest="+digestOf(content)), nil, nil)
	if r := b.expect(t, 200, "GET", "/v2/team/app/blobs/"+digestOf(content), nil, nil); !bytes.Equal(r.body, content) {
		t.Error("what came back is not what was sent")
	}
}

func TestAKilledRegistryResumesAnUploadAfterItsRestart(t *testing.T) {
	t.Parallel()
	data, content := t.TempDir(), layer(t, 61, 4<<20)
	b, err := startBerth(data)
	if err != nil {
		t.Fatal(err)
	}
	location := b.open(t, "team/app")
	location = b.located(b.expect(t, 202, "PATCH", location, map[string]string{"Content-Type": "application/octet-stream"}, bytes.NewReader(content[:1<<20])))
	b.kill(t)

	b = serveOn(t, data)
	if names := b.names(t); len(names) != 0 {
		t.Errorf("after the crash the registry lists %v", names)
	}
	b.expect(t, 404, "HEAD", "/v2/team/app/blobs/"+digestOf(content), nil, nil)
	status := b.expect(t, 204, "GET", location, nil, nil)
	if want := fmt.Sprintf("0-%d", 1<<20-1); status.header.Get("Range") != want {
		t.Fatalf("the upload is at Range %q, want %q", status.header.Get("Range"), want)
	}
	next := b.expect(t, 202, "PATCH", b.located(status), map[string]string{"Content-Type": "application/octet-stream"}, bytes.NewReader(content[1<<20:]))
	b.expect(t, 201, "PUT", with(b.located(next), "digest="+digestOf(content)), nil, nil)
	if r := b.expect(t, 200, "GET", "/v2/team/app/blobs/"+digestOf(content), nil, nil); !bytes.Equal(r.body, content) {
		t.Error("what came back is not what was sent")
	}
}

// TestKillingTheRegistryLosesNothingThatWasAnswered pushes images from several
// clients at once, kills the registry in the middle, and looks at every answer
// that was given: what was acknowledged is whole, what was not is invisible or
// whole.
func TestKillingTheRegistryLosesNothingThatWasAnswered(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		data := t.TempDir()
		b, err := startBerth(data)
		if err != nil {
			t.Fatal(err)
		}
		var (
			mu    sync.Mutex // guards acked
			acked []string
			wg    sync.WaitGroup
		)
		for worker := range 4 {
			wg.Go(func() {
				for n := 0; ; n++ {
					name := fmt.Sprintf("team/app-%d:v%d", worker, n)
					if !pushQuietly(b.addr, name, bytes.Repeat([]byte{byte(round), byte(worker), byte(n)}, 100<<10)) {
						return
					}
					mu.Lock()
					acked = append(acked, name)
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(300+200*round) * time.Millisecond)
		b.kill(t)
		wg.Wait()
		if len(acked) == 0 {
			t.Fatal("nothing was pushed before the kill")
		}
		b = serveOn(t, data)
		for _, name := range acked {
			b.whole(t, name)
		}
		var seen []string
		waitFor(t, 10*time.Second, "what was acknowledged is in the window again", func() bool {
			seen = b.names(t)
			return len(seen) >= len(acked)
		})
		if len(seen) > len(acked)+4 {
			t.Errorf("%d images are seen, %d were acknowledged to 4 clients", len(seen), len(acked))
		}
		for _, name := range seen {
			b.whole(t, name)
		}
	}
}

// whole fetches an image and hashes all of it.
func (b *berth) whole(t testing.TB, name string) {
	t.Helper()
	repo, tag, _ := strings.Cut(name, ":")
	found := b.expect(t, 200, "GET", "/v2/"+repo+"/manifests/"+tag, map[string]string{"Accept": mediaManifest}, nil)
	if got := found.header.Get("Docker-Content-Digest"); got != digestOf(found.body) {
		t.Errorf("%s: the manifest's digest is %s, its bytes say %s", name, got, digestOf(found.body))
	}
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	if err := json.Unmarshal(found.body, &manifest); err != nil {
		t.Fatal(err)
	}
	for _, d := range append(manifest.Layers, manifest.Config) {
		if r := b.expect(t, 200, "GET", "/v2/"+repo+"/blobs/"+d.Digest, nil, nil); digestOf(r.body) != d.Digest {
			t.Errorf("%s: the bytes of %s are others", name, d.Digest)
		}
	}
}

// pushQuietly pushes an image of one layer, and says whether it was
// acknowledged.
func pushQuietly(addr, name string, content []byte) bool {
	repo, tag, _ := strings.Cut(name, ":")
	layer, err := makeTar(map[string][]byte{"data": content})
	if err != nil {
		return false
	}
	cfg := fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[%q]}}`, digestOf(layer))
	for _, blob := range [][]byte{layer, cfg} {
		if !quietly(addr, "POST", "/v2/"+repo+"/blobs/uploads/?digest="+digestOf(blob), "application/octet-stream", blob) {
			return false
		}
	}
	manifest := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":%d},"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
		mediaManifest, mediaConfig, digestOf(cfg), len(cfg), mediaLayer, digestOf(layer), len(layer))
	return quietly(addr, "PUT", "/v2/"+repo+"/manifests/"+tag, mediaManifest, manifest)
}

func quietly(addr, method, path, mediaType string, body []byte) bool {
	r, err := http.NewRequest(method, "http://"+addr+path, bytes.NewReader(body))
	if err != nil {
		return false
	}
	r.Header.Set("Content-Type", mediaType)
	answer, err := client.Do(r)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.Body.Close() == nil && err == nil && answer.StatusCode == http.StatusCreated
}

func TestStockDistributionServesOurFolderAndWeServeIts(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	b, err := startBerth(data)
	if err != nil {
		t.Fatal(err)
	}
	crane := func(args ...string) string { return must(t, nil, append([]string{tool("crane")}, args...)...) }
	crane("push", dockerArchive(t, "app:v1", layer(t, 70, 1<<20)), b.addr+"/ours/app:v1")
	ours := crane("digest", b.addr+"/ours/app:v1")
	b.proc.end()

	stock, end := distribution(t, data)
	if got := crane("digest", stock+"/ours/app:v1"); got != ours {
		t.Errorf("distribution serves %s, want %s", got, ours)
	}
	crane("validate", "--remote", stock+"/ours/app:v1")
	crane("push", dockerArchive(t, "app:v1", layer(t, 71, 1<<20)), stock+"/theirs/app:v1")
	theirs := crane("digest", stock+"/theirs/app:v1")
	end()

	b = serveOn(t, data)
	if got := crane("digest", b.addr+"/theirs/app:v1"); got != theirs {
		t.Errorf("Berth serves %s, want %s", got, theirs)
	}
	crane("validate", "--remote", b.addr+"/theirs/app:v1")
	waitFor(t, 10*time.Second, "what distribution pushed is listed", func() bool {
		return strings.Join(b.names(t), " ") == "ours/app:v1 theirs/app:v1"
	})
}

// distribution runs the stock registry on a folder.
func distribution(t testing.TB, data string) (addr string, end func()) {
	t.Helper()
	program := tool("docker-registry")
	if found, err := exec.LookPath("docker-registry"); err == nil {
		program = found
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(t.TempDir(), "config.yml")
	writeFile(t, settings, "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: "+data+"\n  delete:\n    enabled: true\nhttp:\n  addr: "+addr+"\n")
	proc, err := start("distribution", nil, program, "serve", settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proc.kill)
	waitFor(t, 20*time.Second, "distribution answers", func() bool {
		answer, err := client.Get("http://" + addr + "/v2/")
		return err == nil && answer.Body.Close() == nil
	})
	return addr, proc.end
}
