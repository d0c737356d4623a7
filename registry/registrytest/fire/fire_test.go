package fire

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	clients = 12
	churned = "team/churn"
	other   = "team/other"
	listed  = "team/listed"
)

var churn = []string{"latest", "v1", "V1"}

// world is what all clients share.
type world struct {
	s       *stack
	h       *history
	base    image
	subject ocispec.Descriptor
	blobs   [][]byte
	seed    uint64
}

// TestFireLeavesEveryHistoryLinearizable is the whole: see the package comment.
func TestFireLeavesEveryHistoryLinearizable(t *testing.T) {
	t.Parallel()
	w := &world{s: newStack(t), h: newHistory(), seed: rand.Uint64()}
	if s := os.Getenv("BERTH_FIRE_SEED"); s != "" {
		w.seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("seed %d", w.seed)
	burn := 3 * time.Second
	if d, err := time.ParseDuration(os.Getenv("BERTH_FIRE")); err == nil {
		burn = d
	}
	for n := range 3 {
		content := make([]byte, []int{900, 40_000, 1 << 20}[n])
		for i := range content {
			content[i] = byte(i * (n + 3) / 7)
		}
		w.blobs = append(w.blobs, content)
	}
	all := make([]*client, clients)
	for id := range all {
		all[id] = w.client(t, id)
	}
	w.prepare(all[0])
	ops := 0
	for end, round := time.Now().Add(burn), 0; (round == 0 || time.Now().Before(end)) && !t.Failed(); round++ {
		amid := func() error { return nil }
		switch round % 4 {
		case 1, 3:
			amid = w.s.restart
		case 2:
			amid = func() error { return os.Remove(filepath.Join(w.s.dir, "berth", "index.db")) }
		}
		w.round(t, all, 600*time.Millisecond, amid)
		ops += w.quiet(t, all[0])
	}
	t.Logf("%d operations", ops)
}

func (w *world) client(t *testing.T, id int) *client {
	return &client{
		t: t, id: id, s: w.s, http: newClient(t), h: w.h, doubtful: map[string]bool{},
		r: rand.New(rand.NewPCG(w.seed, uint64(id))), //nolint:gosec // choices, not secrets
	}
}

// prepare pushes what stays.
func (w *world) prepare(c *client) {
	for _, repo := range []string{churned, other, listed} {
		w.base = c.prepare(repo)
	}
	for _, tag := range steady {
		content, _ := c.image(w.base, nil)
		if answer := c.putManifest(listed, tag, content); answer != done {
			c.t.Fatalf("prepare: %s", answer)
		}
		w.subject = ocispec.Descriptor{MediaType: mediaManifest, Digest: digest.FromBytes(content), Size: int64(len(content))}
	}
}

// round lets all clients do what they like for a while; amid happens in the
// midst of it: the registry is closed and opened again, or loses its index.
func (w *world) round(t *testing.T, all []*client, burn time.Duration, amid func() error) {
	t.Helper()
	end := time.Now().Add(burn)
	var wg sync.WaitGroup
	for _, c := range all {
		wg.Go(func() {
			for n := 0; n < 400 && time.Now().Before(end); n++ {
				w.act(c)
			}
		})
	}
	<-time.After(burn / 2)
	if err := amid(); err != nil {
		t.Errorf("in the midst of it: %v", err)
	}
	wg.Wait()
}

// act does one thing that fits the client.
func (w *world) act(c *client) {
	switch c.id % 6 {
	case 0, 1, 2:
		w.tag(c, []string{churned, other}[c.id%2])
	case 3:
		w.blob(c)
	case 4:
		c.listTags(listed, w.base)
	default:
		if c.r.IntN(2) == 0 {
			c.listCatalog()
		} else {
			c.listReferrers(listed, w.base, w.subject)
		}
	}
}

// tag works on a tag that others work on as well.
func (w *world) tag(c *client, repo string) {
	tag := churn[c.r.IntN(len(churn))]
	switch c.r.IntN(10) {
	case 0, 1, 2:
		content, _ := c.image(w.base, nil)
		c.putManifest(repo, tag, content)
		c.getTag(repo, tag) // at once: nothing old may be seen
	case 3: // what another tag names, too
		if d := c.getTag(repo, churn[c.r.IntN(len(churn))]); d != "" {
			r, err := c.ask("GET", "/v2/"+repo+"/manifests/"+d, map[string]string{"Accept": mediaManifest}, nil)
			if err == nil && r.status == 200 {
				c.putManifest(repo, tag, r.body)
			}
		}
	case 4:
		c.dropTag(repo, tag)
		c.getTag(repo, tag)
	case 5:
		if d := c.getTag(repo, tag); d != "" {
			c.dropManifest(repo, d, churn)
			c.getTag(repo, tag)
			c.getManifest(repo, d)
		}
	case 6:
		if d := c.getTag(repo, tag); d != "" {
			c.getManifest(repo, d)
		}
	default:
		c.getTag(repo, tag)
	}
}

// blob works on a blob that others work on as well: the same one pushed by
// many, mounted while it is deleted.
func (w *world) blob(c *client) {
	content := w.blobs[c.r.IntN(len(w.blobs))]
	from, to := "blobs/a", "blobs/b"
	if c.r.IntN(2) == 0 {
		from, to = to, from
	}
	d := digest.FromBytes(content).String()
	switch c.r.IntN(6) {
	case 0, 1:
		c.putBlob(from, content)
	case 2:
		c.mount(from, to, d)
	case 3:
		c.dropBlob(from, d)
	default:
		c.getBlob(from, content)
	}
}

// TestFireManyPushTheSameBlobAtOnce pushes one blob from all sides, and finds one.
func TestFireManyPushTheSameBlobAtOnce(t *testing.T) {
	t.Parallel()
	w := &world{s: newStack(t), h: newHistory(), seed: 1}
	content := make([]byte, 3<<20)
	var wg sync.WaitGroup
	for id := range 16 {
		c := w.client(t, id)
		wg.Go(func() { c.putBlob(fmt.Sprintf("same/%d", id%4), content) })
	}
	wg.Wait()
	for id := range 4 {
		w.client(t, id).getBlob(fmt.Sprintf("same/%d", id), content)
	}
	w.h.judge(t, w.seed)
	n := 0
	for stored, err := range w.s.st.Stored(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; stored.Digest != digest.FromBytes(content) || stored.Size != int64(len(content)) {
			t.Errorf("stored: %+v", stored)
		}
	}
	if n != 1 {
		t.Errorf("%d blobs are stored", n)
	}
}

// TestFireUploadsGoOnInAnotherLife opens the registry anew while everybody
// uploads in pieces: what was answered is kept, and what is sent is whole.
func TestFireUploadsGoOnInAnotherLife(t *testing.T) {
	t.Parallel()
	w := &world{s: newStack(t), h: newHistory(), seed: 2}
	var wg sync.WaitGroup
	for id := range 6 {
		c := w.client(t, id)
		content := make([]byte, 2<<20+id)
		for i := range content {
			content[i] = byte(i * (id + 1))
		}
		wg.Go(func() {
			d, began := digest.FromBytes(content).String(), c.h.now()
			for try := 0; ; try++ {
				r, err := c.chunks("up/load", d, content)
				if err == nil && r.status == 201 {
					break
				}
				if err == nil || try == 50 {
					c.odd("upload", r)
					return
				}
			}
			c.h.note(c.id, began, question{put, blobThing("up/load", d), d}, done)
			c.getBlob("up/load", content)
		})
	}
	for range 3 {
		<-time.After(30 * time.Millisecond)
		if err := w.s.restart(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	w.h.judge(t, w.seed)
}
