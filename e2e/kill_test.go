//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// victim is a client of a registry that will be killed. It works on tags of
// its own, so that it knows what each may name: one digest after an answer,
// several when the answer was lost, "" for none.
type victim struct {
	t    testing.TB
	id   int
	b    *berth
	r    *rand.Rand
	n    int
	may  map[string][]string // by tag
	blob map[string][]byte   // by digest: in its repository, acknowledged

	// An upload in pieces, which goes on after each kill.
	content     []byte
	location    string
	sent        int
	acquired    int // of its bytes were acknowledged
	mount, from string
}

func (v *victim) repo() string { return fmt.Sprintf("kill/r%d", v.id) }

// ask sends one request; ok is false when the answer was lost.
func (v *victim) ask(method, path string, header map[string]string, body []byte) (r reply, ok bool) {
	if strings.HasPrefix(path, "/") {
		path = "http://" + v.b.addr + path
	}
	request, err := http.NewRequestWithContext(v.t.Context(), method, path, bytes.NewReader(body))
	if err != nil {
		v.t.Error(err)
		return r, false
	}
	for k, value := range header {
		request.Header.Set(k, value)
	}
	answer, err := client.Do(request)
	if err != nil {
		return r, false
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return r, false
	}
	return reply{answer.StatusCode, answer.Header, content}, true
}

// work goes on until the registry is killed.
func (v *victim) work() {
	for alive := true; alive; {
		tag := fmt.Sprintf("v%d", v.r.IntN(5))
		switch v.r.IntN(8) {
		case 0, 1, 2, 3: // a new tag, or an overwrite
			alive = v.push(tag)
		case 4:
			alive = v.drop(tag, tag)
		case 5:
			if may := v.may[tag]; len(may) == 1 && may[0] != "" {
				alive = v.drop(tag, may[0])
			}
		case 6:
			alive = v.mounts()
		default:
			alive = v.piece()
		}
	}
}

func (v *victim) push(tag string) bool {
	v.n++
	layer := fmt.Appendf(nil, "layer %d of %d, %d", v.n, v.id, v.r.Uint64())
	layer = bytes.Repeat(layer, 1+v.r.IntN(2000))
	cfg := []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`)
	for _, blob := range [][]byte{layer, cfg} {
		r, ok := v.ask("POST", "/v2/"+v.repo()+"/blobs/uploads/?digest="+digestOf(blob), map[string]string{"Content-Type": "application/octet-stream"}, blob)
		if !ok {
			return false
		}
		v.want(r, 201, "blob")
		v.blob[digestOf(blob)] = blob
	}
	manifest := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":%d},"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
		mediaManifest, mediaConfig, digestOf(cfg), len(cfg), mediaLayer, digestOf(layer), len(layer))
	r, ok := v.ask("PUT", "/v2/"+v.repo()+"/manifests/"+tag, map[string]string{"Content-Type": mediaManifest}, manifest)
	return v.came(tag, digestOf(manifest), r, ok, 201)
}

// came notes what a tag may name after an answer, or without one.
func (v *victim) came(tag, d string, r reply, ok bool, status int) bool {
	if !ok {
		if len(v.may[tag]) == 0 {
			v.may[tag] = []string{""}
		}
		v.may[tag] = append(v.may[tag], d)
		return false
	}
	v.want(r, status, tag)
	v.may[tag] = []string{d}
	return true
}

// drop deletes by tag, or by the digest that it alone names.
func (v *victim) drop(tag, ref string) bool {
	if may := v.may[tag]; len(may) == 0 || slices.Equal(may, []string{""}) {
		return true
	}
	r, ok := v.ask("DELETE", "/v2/"+v.repo()+"/manifests/"+ref, nil, nil)
	if ok && r.status == 404 && slices.Contains(v.may[tag], "") {
		r.status = 202
	}
	return v.came(tag, "", r, ok, 202)
}

// mounts asks for a blob of its own in the repository that all mount to.
func (v *victim) mounts() bool {
	for d := range v.blob {
		r, ok := v.ask("POST", "/v2/kill/mounted/blobs/uploads/?mount="+d+"&from="+v.repo(), nil, nil)
		if !ok {
			return false
		}
		v.want(r, 201, "mount")
		v.mount, v.from = d, v.repo()
		break
	}
	return true
}

// piece sends the next piece of an upload that is longer than a life.
func (v *victim) piece() bool {
	if v.location == "" {
		v.content = layer(v.t, v.r.Uint64(), 3<<20)
		r, ok := v.ask("POST", "/v2/"+v.repo()+"/blobs/uploads/", nil, nil)
		if !ok {
			return false
		}
		v.want(r, 202, "upload")
		v.location, v.sent, v.acquired = v.b.located(r), 0, 0
		return true
	}
	if v.sent == len(v.content) {
		d := digestOf(v.content)
		r, ok := v.ask("PUT", with(v.location, "digest="+d), nil, nil)
		if !ok {
			v.location = "" // it may be there or not
			return false
		}
		v.want(r, 201, "end of an upload")
		v.blob[d], v.location = v.content, ""
		return true
	}
	part := v.content[v.sent:min(v.sent+200_000, len(v.content))]
	r, ok := v.ask("PATCH", v.location, map[string]string{
		"Content-Type": "application/octet-stream", "Content-Range": fmt.Sprintf("%d-%d", v.sent, v.sent+len(part)-1),
	}, part)
	if !ok {
		return false
	}
	v.want(r, 202, "piece")
	v.sent += len(part)
	v.location, v.acquired = v.b.located(r), v.sent
	return true
}

func (v *victim) want(r reply, status int, what string) {
	if r.status != status {
		v.t.Errorf("%s of client %d: %d, want %d: %.300s", what, v.id, r.status, status, r.body)
	}
}

// look compares what is there after the kill with what may be.
func (v *victim) look(b *berth) {
	v.b = b
	var there []string
	for tag, may := range v.may {
		r := b.call(v.t, "GET", "/v2/"+v.repo()+"/manifests/"+tag, map[string]string{"Accept": mediaManifest}, nil)
		d := ""
		if r.status == 200 {
			d = digestOf(r.body)
			there = append(there, tag)
			b.whole(v.t, v.repo()+":"+tag)
		}
		if !slices.Contains(may, d) {
			v.t.Errorf("%s:%s names %q after the kill, may be %q", v.repo(), tag, d, may)
		}
		v.may[tag] = []string{d}
	}
	slices.Sort(there)
	var list struct{ Tags []string }
	r := b.call(v.t, "GET", "/v2/"+v.repo()+"/tags/list", nil, nil)
	if err := json.Unmarshal(r.body, &list); r.status == 200 && err != nil || !slices.Equal(list.Tags, there) {
		v.t.Errorf("tags of %s after the kill: %s, want %q", v.repo(), r.body, there)
	}
	for d := range v.blob {
		if r := b.call(v.t, "GET", "/v2/"+v.repo()+"/blobs/"+d, nil, nil); digestOf(r.body) != d {
			v.t.Errorf("%s of %s after the kill: %d", d, v.repo(), r.status)
		}
	}
	if v.mount != "" {
		if r := b.call(v.t, "GET", "/v2/kill/mounted/blobs/"+v.mount, nil, nil); digestOf(r.body) != v.mount {
			v.t.Errorf("the mounted %s after the kill: %d", v.mount, r.status)
		}
	}
	if v.location != "" {
		v.resume()
	}
}

// resume asks where the upload is: not before what was acknowledged.
func (v *victim) resume() {
	r := v.b.call(v.t, "GET", v.location, nil, nil)
	at := 0
	if _, err := fmt.Sscanf(r.header.Get("Range"), "0-%d", &at); err == nil && at > 0 {
		at++
	}
	if r.status == 404 && v.acquired == 0 {
		v.location = "" // nothing of it was promised yet
		return
	}
	if r.status != 204 || at < v.acquired || at > len(v.content) {
		v.t.Errorf("the upload is at %d after the kill (%d), and was at %d of %d", at, r.status, v.acquired, len(v.content))
		v.location = ""
		return
	}
	v.location, v.sent = v.b.located(r), at
}

// TestKillingTheRegistryAgainAndAgain kills it under pushes, overwrites,
// deletes, mounts and uploads in pieces, and goes on with the same folder.
// BERTH_KILLS=100 makes it a hundred lives instead of four.
func TestKillingTheRegistryAgainAndAgain(t *testing.T) {
	t.Parallel()
	lives := 4
	if n, err := strconv.Atoi(os.Getenv("BERTH_KILLS")); err == nil {
		lives = n
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	data := t.TempDir()
	victims := make([]*victim, 4)
	for id := range victims {
		victims[id] = &victim{t: t, id: id, r: rand.New(rand.NewPCG(seed, uint64(id))), may: map[string][]string{}, blob: map[string][]byte{}}
	}
	for life := 0; life <= lives && !t.Failed(); life++ {
		b, err := startBerth(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range victims {
			v.look(b)
		}
		if life == lives {
			b.proc.end()
			return
		}
		var wg sync.WaitGroup
		for _, v := range victims {
			wg.Go(v.work)
		}
		<-time.After(time.Duration(50+victims[0].r.IntN(400)) * time.Millisecond)
		b.kill(t)
		wg.Wait()
	}
}
