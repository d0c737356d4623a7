//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

var burning = []string{"fire/a", "fire/b", "fire"}

// place is a tag of a repository.
type place struct{ repo, tag string }

// arsonist is a client of a registry that is cleaned up all the time, and
// killed. Tags are its own, so that it knows what each may name: one digest
// after an answer, several when the answer was lost, "" for none. Layers and
// repositories are everybody's.
type arsonist struct {
	t     testing.TB
	id    int
	b     *berth
	r     *rand.Rand
	grace time.Duration // for which the registry keeps what it promised
	may   map[place][]string
	signs map[place][]string // of what the tag names, acknowledged

	pushes, pulls, slow int
}

// errLost says that an answer did not come: the registry was killed.
var errLost = errors.New("the registry is gone")

// turnedAway says that the registry has not what it may have freed.
type turnedAway struct{ reply }

func (r turnedAway) Error() string { return fmt.Sprintf("%d: %.300s", r.status, r.body) }

func (a *arsonist) ask(method, path, mediaType string, body []byte, want ...int) (reply, error) {
	if strings.HasPrefix(path, "/") {
		path = "http://" + a.b.addr + path
	}
	request, err := http.NewRequestWithContext(a.t.Context(), method, path, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Content-Type", mediaType)
	request.Header.Set("Accept", everyManifest)
	answer, err := client.Do(request)
	if err != nil {
		return reply{}, errLost
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return reply{}, errLost
	}
	r := reply{answer.StatusCode, answer.Header, content}
	if !slices.Contains(want, r.status) {
		return r, turnedAway{r}
	}
	return r, nil
}

// work goes on until the registry is killed or stop is closed.
func (a *arsonist) work(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		at := place{burning[a.r.IntN(len(burning))], fmt.Sprintf("c%d-%d", a.id, a.r.IntN(4))}
		var err error
		switch a.r.IntN(9) {
		case 0, 1, 2:
			err = a.push(at, a.single)
		case 3, 4:
			err = a.push(at, a.multi)
		case 5:
			if d := a.certain(at); d != "" {
				err = a.push(at, func(at place) ([]byte, string, error) { return a.signature(at, d) })
			}
		case 6:
			err = a.drop(at, at.tag)
		case 7:
			if d := a.certain(at); d != "" {
				err = a.drop(at, d)
			}
		case 8:
			err = a.pull(at)
		}
		switch {
		case errors.Is(err, errLost):
			return
		case err != nil:
			a.t.Errorf("client %d, %s:%s: %v", a.id, at.repo, at.tag, err)
			return
		}
	}
}

// certain gives what a tag names, when that is known.
func (a *arsonist) certain(at place) string {
	if may := a.may[at]; len(may) == 1 {
		return may[0]
	}
	return ""
}

// push builds and puts a manifest; one with a subject has no tag. What takes
// longer than it was promised for may be refused, and is done again.
func (a *arsonist) push(at place, build func(place) ([]byte, string, error)) error {
	for {
		began := time.Now()
		content, mediaType, err := build(at)
		if err == nil {
			err = a.put(at, content, mediaType)
		}
		no, ok := errors.AsType[turnedAway](err)
		if !ok {
			a.pushes++
			return err
		}
		if time.Since(began) < a.grace/2 || !bytes.Contains(no.body, []byte("BLOB_UNKNOWN")) {
			return fmt.Errorf("push, after %v: %w", time.Since(began), err)
		}
		a.slow++
	}
}

func (a *arsonist) put(at place, content []byte, mediaType string) error {
	d := digestOf(content)
	if bytes.Contains(content, []byte(`"subject"`)) {
		_, err := a.ask("PUT", "/v2/"+at.repo+"/manifests/"+d, mediaType, content, 201)
		if err == nil {
			a.signs[at] = append(a.signs[at], d)
		}
		return err
	}
	_, err := a.ask("PUT", "/v2/"+at.repo+"/manifests/"+at.tag, mediaType, content, 201)
	a.came(at, d, err)
	return err
}

func (a *arsonist) came(at place, d string, err error) {
	switch {
	case err == nil:
		if a.certain(at) != d {
			delete(a.signs, at)
		}
		a.may[at] = []string{d}
	case errors.Is(err, errLost):
		if len(a.may[at]) == 0 {
			a.may[at] = []string{""}
		}
		a.may[at] = append(a.may[at], d)
		delete(a.signs, at)
	}
}

// drop deletes by tag, or by digest, which takes only this tag.
func (a *arsonist) drop(at place, ref string) error {
	if may := a.may[at]; len(may) == 0 || slices.Equal(may, []string{""}) {
		return nil
	}
	status := []int{202}
	if slices.Contains(a.may[at], "") {
		status = append(status, 404)
	}
	_, err := a.ask("DELETE", "/v2/"+at.repo+"/manifests/"+ref, "", nil, status...)
	a.came(at, "", err)
	return err
}

// blob pushes as docker does: only what is not there, and mounted when it is
// elsewhere.
func (a *arsonist) blob(repo string, content []byte) (descriptor, error) {
	d := digestOf(content)
	desc := descriptor{MediaType: mediaLayer, Digest: d, Size: len(content)}
	r, err := a.ask("HEAD", "/v2/"+repo+"/blobs/"+d, "", nil, 200, 404)
	if err != nil || r.status == 200 {
		return desc, err
	}
	if a.r.IntN(2) == 0 {
		r, err := a.ask("POST", "/v2/"+repo+"/blobs/uploads/?mount="+d+"&from="+burning[a.r.IntN(len(burning))], "", nil, 201, 202)
		if err != nil || r.status == 201 {
			return desc, err
		}
	}
	_, err = a.ask("POST", "/v2/"+repo+"/blobs/uploads/?digest="+d, "application/octet-stream", content, 201)
	return desc, err
}

// single is an image of layers that everybody uses now and then.
func (a *arsonist) single(at place) ([]byte, string, error) {
	config, err := a.blob(at.repo, fmt.Appendf(nil, `{"os":"linux","architecture":"amd64","author":"%d","rootfs":{"type":"layers","diff_ids":[]}}`, a.r.IntN(3)))
	if err != nil {
		return nil, "", err
	}
	config.MediaType = mediaConfig
	n := a.r.IntN(24)
	layer, err := a.blob(at.repo, bytes.Repeat(fmt.Appendf(nil, "layer %d;", n), 100+n%3*20_000))
	return fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s],"annotations":{"by":%q}}`,
		mediaManifest, toJSON(a.t, config), toJSON(a.t, layer), at.tag), mediaManifest, err
}

// multi pushes children by digest, those that are not there, and gives the index.
func (a *arsonist) multi(at place) ([]byte, string, error) {
	var children []descriptor
	for range 2 {
		content, mediaType, err := a.single(at)
		if err != nil {
			return nil, "", err
		}
		d := digestOf(content)
		r, err := a.ask("HEAD", "/v2/"+at.repo+"/manifests/"+d, "", nil, 200, 404)
		if err == nil && r.status == 404 {
			_, err = a.ask("PUT", "/v2/"+at.repo+"/manifests/"+d, mediaType, content, 201)
		}
		if err != nil {
			return nil, "", err
		}
		children = append(children, descriptor{MediaType: mediaType, Digest: d, Size: len(content)})
	}
	return toJSON(a.t, map[string]any{"schemaVersion": 2, "mediaType": mediaIndex, "manifests": children}), mediaIndex, nil
}

// signature refers to what a tag names, or to the last signature of that.
func (a *arsonist) signature(at place, subject string) ([]byte, string, error) {
	config, err := a.blob(at.repo, []byte("{}"))
	if err != nil {
		return nil, "", err
	}
	config.MediaType = mediaEmpty
	if all := a.signs[at]; len(all) > 0 && a.r.IntN(2) == 0 {
		subject = all[len(all)-1]
	}
	return fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"artifactType":"application/example.signature","config":%s,"layers":[],"subject":%s,"annotations":{"by":"%d-%d"}}`,
		mediaManifest, toJSON(a.t, config), toJSON(a.t, descriptor{MediaType: mediaManifest, Digest: subject, Size: 1}), a.id, a.r.IntN(9)), mediaManifest, nil
}

// pull fetches what a tag names, with its signatures, and hashes all of it.
func (a *arsonist) pull(at place) error {
	d := a.certain(at)
	if d == "" {
		return nil
	}
	for _, d := range append([]string{d}, a.signs[at]...) {
		if err := a.whole(at.repo, d, nil); err != nil {
			return fmt.Errorf("pull: %w", err)
		}
	}
	return nil
}

// whole fetches a manifest and all that it needs. Where seen is not nil, what is
// fetched is noted there, with all that refers to it.
func (a *arsonist) whole(repo, d string, seen map[string]bool) error {
	a.pulls++
	r, err := a.ask("GET", "/v2/"+repo+"/manifests/"+d, "", nil, 200)
	if err != nil {
		return err
	}
	if digestOf(r.body) != d {
		return fmt.Errorf("%s comes as %s", d, digestOf(r.body))
	}
	var m struct {
		Config            *descriptor
		Layers, Manifests []descriptor
	}
	if err := json.Unmarshal(r.body, &m); err != nil {
		return err
	}
	if m.Config != nil {
		m.Layers = append(m.Layers, *m.Config)
	}
	for _, b := range m.Layers {
		r, err := a.ask("GET", "/v2/"+repo+"/blobs/"+b.Digest, "", nil, 200)
		if err == nil && digestOf(r.body) != b.Digest {
			err = fmt.Errorf("%s comes as %s", b.Digest, digestOf(r.body))
		}
		if err != nil {
			return fmt.Errorf("of %s: %w", d, err)
		}
		if seen != nil {
			seen[b.Digest] = true
		}
	}
	for _, c := range m.Manifests {
		if err := a.whole(repo, c.Digest, seen); err != nil {
			return fmt.Errorf("child of %s: %w", d, err)
		}
	}
	if seen == nil {
		return nil
	}
	seen[d] = true
	for _, m := range a.referrers(repo, d) {
		if err := a.whole(repo, m.Digest, seen); err != nil {
			return fmt.Errorf("which refers to %s: %w", d, err)
		}
	}
	return nil
}

// look compares what is there with what may be. It gives what is needed.
func (a *arsonist) look(seen map[string]bool) {
	for at, may := range a.may {
		r, err := a.ask("GET", "/v2/"+at.repo+"/manifests/"+at.tag, "", nil, 200, 404)
		if err != nil {
			a.t.Errorf("%s:%s: %v", at.repo, at.tag, err)
			continue
		}
		d := ""
		if r.status == 200 {
			d = digestOf(r.body)
		}
		if !slices.Contains(may, d) {
			a.t.Errorf("%s:%s names %q, may name %q", at.repo, at.tag, d, may)
		}
		a.may[at] = []string{d}
		if d == "" {
			continue
		}
		for _, d := range append([]string{d}, a.signs[at]...) {
			if err := a.whole(at.repo, d, seen); err != nil {
				a.t.Errorf("%s:%s: %v", at.repo, at.tag, err)
			}
		}
	}
}

// referrers gives what refers to a manifest: also signatures whose answer was
// lost, and those that an image got under a tag before an index came in its place
// that has it as a child.
func (a *arsonist) referrers(repo, d string) []descriptor {
	var list struct{ Manifests []descriptor }
	r, err := a.ask("GET", "/v2/"+repo+"/referrers/"+d, "", nil, 200)
	if err == nil {
		err = json.Unmarshal(r.body, &list)
	}
	if err != nil {
		a.t.Errorf("referrers of %s: %v", d, err)
	}
	return list.Manifests
}
