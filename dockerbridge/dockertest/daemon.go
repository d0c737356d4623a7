package dockertest

import (
	"embed"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

//go:embed streams
var streams embed.FS

// Stream gives a recorded stream: push, push-exists, push-mounted, pull or
// pull-uptodate.
func Stream(t testing.TB, name string) string {
	t.Helper()
	b, err := streams.ReadFile("streams/" + name + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Image is an image of the fake.
type Image struct {
	ID string
	// Names are its tags.
	Names []string
	// Digests are "repository@sha256:…".
	Digests []string
	Size    int64
	// Layers are diff ids, Sizes the history's, oldest first.
	Layers []string
	Sizes  []int64
}

// Failure is an answer that is an error.
type Failure struct {
	Status  int
	Message string
}

// Options say how the fake is. The zero value is an empty Docker Engine.
type Options struct {
	// TCP listens on a port instead of a socket.
	TCP bool
	// Podman, Desktop, Rootless and Containerd change what it says it is.
	Podman, Desktop, Rootless, Containerd bool
	// Hostname is the engine's; empty means this machine's.
	Hostname string
	Images   []Image
	// Push and Pull are the streams that answer; HoldPush leaves a push open
	// after its stream until the client goes.
	Push, Pull string
	HoldPush   bool
	// Archive is what a save sends.
	Archive []byte
	// Distribution answers the question whether a registry has a manifest.
	Distribution Failure
	// Fail answers calls, such as "GET /images/json" or "POST /images/*/push",
	// with an error.
	Fail map[string]Failure
}

// Daemon is a fake engine. Host is its address.
type Daemon struct {
	Host string
	// Abandoned is closed when a client has left a held push.
	Abandoned chan struct{}
	// Pushing gets a value when a held push has sent its stream.
	Pushing chan struct{}

	o      Options
	server *httptest.Server
	events chan string
	once   sync.Once

	mu     sync.Mutex
	images []Image
	asked  []string
}

// Start starts a fake engine, which ends with the test.
func Start(t testing.TB, o Options) *Daemon {
	t.Helper()
	d := &Daemon{
		o: o, images: slices.Clone(o.Images), events: make(chan string, 64),
		Abandoned: make(chan struct{}), Pushing: make(chan struct{}, 1),
	}
	if d.o.Hostname == "" {
		d.o.Hostname, _ = os.Hostname()
	}
	d.server = httptest.NewUnstartedServer(d.routes())
	if !o.TCP {
		// Socket names are short: a test's folder may be too long for one.
		dir, err := os.MkdirTemp("", "engine")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		socket := filepath.Join(dir, "engine.sock")
		listener, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		_ = d.server.Listener.Close()
		d.server.Listener = listener
		d.Host = "unix://" + socket
	}
	d.server.Start()
	if o.TCP {
		d.Host = "tcp://" + d.server.Listener.Addr().String()
	}
	t.Cleanup(d.Stop)
	return d
}

// Stop ends the engine as a crash would: open streams break off.
func (d *Daemon) Stop() {
	d.once.Do(func() {
		d.server.CloseClientConnections()
		d.server.Close()
	})
}

// Names lists the tags of all images, sorted.
func (d *Daemon) Names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, i := range d.images {
		out = append(out, i.Names...)
	}
	slices.Sort(out)
	return out
}

// IDs lists what Names are tags of: "name → id".
func (d *Daemon) IDs() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]string{}
	for _, i := range d.images {
		for _, n := range i.Names {
			out[n] = i.ID
		}
	}
	return out
}

// Has reports whether an image is still there.
func (d *Daemon) Has(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.images, func(i Image) bool { return i.ID == id })
}

// Asked lists the calls so far, as "POST /images/x/push".
func (d *Daemon) Asked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.asked)
}

// find gives the index of an image by id or name; -1 when there is none.
func (d *Daemon) find(name string) int {
	return slices.IndexFunc(d.images, func(i Image) bool {
		return i.ID == name || strings.TrimPrefix(i.ID, "sha256:") == name || slices.Contains(i.Names, name)
	})
}

// untag removes a name, and with its last name the image, as Docker does.
func (d *Daemon) untag(name string) bool {
	i := d.find(name)
	if i < 0 {
		return false
	}
	img := &d.images[i]
	img.Names = slices.DeleteFunc(slices.Clone(img.Names), func(n string) bool { return n == name })
	repo := name[:strings.LastIndex(name, ":")]
	if !slices.ContainsFunc(img.Names, func(n string) bool { return strings.HasPrefix(n, repo+":") }) {
		img.Digests = slices.DeleteFunc(slices.Clone(img.Digests), func(n string) bool { return strings.HasPrefix(n, repo+"@") })
	}
	if len(img.Names)+len(img.Digests) == 0 {
		d.images = slices.Delete(d.images, i, i+1)
	}
	d.event("untag")
	return true
}

// tag gives an image a name, which it takes from another that has it.
func (d *Daemon) tag(source, target string) bool {
	i := d.find(source)
	if i < 0 {
		return false
	}
	id := d.images[i].ID
	for j := range d.images {
		d.images[j].Names = slices.DeleteFunc(slices.Clone(d.images[j].Names), func(n string) bool { return n == target })
		if d.images[j].ID == id {
			d.images[j].Names = append(d.images[j].Names, target)
		}
	}
	d.event("tag")
	return true
}

func (d *Daemon) event(action string) {
	select {
	case d.events <- action:
	default:
	}
}

func send(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (f Failure) send(w http.ResponseWriter) {
	send(w, f.Status, map[string]string{"message": f.Message})
}

// failure finds the failure set for a call; a * stands for one name.
func (d *Daemon) failure(call string) (Failure, bool) {
	for pattern := range maps.Keys(d.o.Fail) {
		head, tail, star := strings.Cut(pattern, "*")
		if call == pattern || star && strings.HasPrefix(call, head) && strings.HasSuffix(call, tail) {
			return d.o.Fail[pattern], true
		}
	}
	return Failure{}, false
}
