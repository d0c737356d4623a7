package dockertest

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var versionPrefix = regexp.MustCompile(`^/v1\.\d+`)

// routes is the part of the Docker API that the bridge uses.
func (d *Daemon) routes() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.47")
		path := versionPrefix.ReplaceAllString(r.URL.Path, "")
		call := r.Method + " " + path
		d.mu.Lock()
		d.asked = append(d.asked, call)
		d.mu.Unlock()
		if f, ok := d.failure(call); ok {
			f.send(w)
			return
		}
		switch {
		case path == "/_ping":
			_, _ = io.WriteString(w, "OK")
		case path == "/version":
			d.version(w)
		case path == "/info":
			d.info(w)
		case path == "/events":
			d.stream(w, r)
		case strings.HasPrefix(path, "/distribution/"):
			d.o.Distribution.send(w)
		case path == "/images/json":
			d.list(w)
		case path == "/images/create":
			_, _ = io.WriteString(w, d.o.Pull)
		case path == "/images/get":
			_, _ = w.Write(d.o.Archive)
		default:
			d.image(w, r, path)
		}
	})
}

func (d *Daemon) version(w http.ResponseWriter) {
	v := map[string]any{"Version": "28.5.2", "ApiVersion": "1.47", "Os": "linux", "Arch": "amd64"}
	if d.o.Podman {
		v["Components"] = []map[string]string{{"Name": "Podman Engine", "Version": "5.4.0"}}
		v["Version"] = "5.4.0"
	}
	send(w, http.StatusOK, v)
}

func (d *Daemon) info(w http.ResponseWriter) {
	v := map[string]any{"Name": d.o.Hostname, "OperatingSystem": "Debian GNU/Linux 13 (trixie)"}
	if d.o.Desktop {
		v["OperatingSystem"] = "Docker Desktop"
	}
	if d.o.Rootless {
		v["SecurityOptions"] = []string{"name=seccomp,profile=builtin", "name=rootless"}
	}
	if d.o.Containerd {
		v["DriverStatus"] = [][2]string{{"driver-type", "io.containerd.snapshotter.v1"}}
	}
	send(w, http.StatusOK, v)
}

func (d *Daemon) list(w http.ResponseWriter) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []map[string]any{}
	for i, img := range d.images {
		out = append(out, map[string]any{
			"Id": img.ID, "RepoTags": img.Names, "RepoDigests": img.Digests, "Size": img.Size, "Created": 1_700_000_000 + i,
		})
	}
	send(w, http.StatusOK, out)
}

// stream sends events until the client goes.
func (d *Daemon) stream(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	rc := http.NewResponseController(w)
	_ = rc.Flush()
	for {
		select {
		case action := <-d.events:
			_, _ = fmt.Fprintf(w, `{"Type":"image","Action":%q,"Actor":{"ID":"sha256:1"},"timeNano":1700000000000000000}`+"\n", action)
			_ = rc.Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// image answers what concerns one image: /images/NAME[/verb].
func (d *Daemon) image(w http.ResponseWriter, r *http.Request, path string) {
	name := strings.TrimPrefix(path, "/images/")
	verb := ""
	for _, v := range []string{"json", "tag", "push", "history"} {
		if rest, ok := strings.CutSuffix(name, "/"+v); ok {
			name, verb = rest, v
		}
	}
	if verb == "push" {
		d.push(w, r)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.find(name)
	if i < 0 {
		Failure{http.StatusNotFound, "No such image: " + name}.send(w)
		return
	}
	img := d.images[i]
	switch {
	case verb == "json":
		send(w, http.StatusOK, map[string]any{
			"Id": img.ID, "RepoTags": img.Names, "RepoDigests": img.Digests, "Size": img.Size,
			"RootFS": map[string]any{"Type": "layers", "Layers": img.Layers},
		})
	case verb == "history":
		out := []map[string]any{{"Id": img.ID, "Size": 0}}
		for _, size := range slices.Backward(img.Sizes) {
			out = append(out, map[string]any{"Id": "<missing>", "Size": size})
		}
		send(w, http.StatusOK, out)
	case verb == "tag":
		d.tag(name, r.URL.Query().Get("repo")+":"+r.URL.Query().Get("tag"))
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodDelete:
		d.untag(name)
		send(w, http.StatusOK, []map[string]string{{"Untagged": name}})
	default:
		Failure{http.StatusNotFound, "page not found"}.send(w)
	}
}

func (d *Daemon) push(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, d.o.Push)
	_ = http.NewResponseController(w).Flush()
	if d.o.HoldPush {
		d.Pushing <- struct{}{}
		<-r.Context().Done()
		close(d.Abandoned)
	}
}
