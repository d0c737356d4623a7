package dockerbridge_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"berth/dockerbridge"
	"berth/dockerbridge/dockertest"
)

// machine gives a machine with docker contexts, name → address.
func machine(t *testing.T, current string, contexts map[string]string) dockerbridge.Machine {
	t.Helper()
	dir := t.TempDir()
	write := func(path, content string) {
		p := filepath.Join(dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o700), os.WriteFile(p, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("config.json", fmt.Sprintf(`{"currentContext":%q}`, current))
	for name, host := range contexts {
		id := sha256.Sum256([]byte(name))
		write("contexts/meta/"+hex.EncodeToString(id[:])+"/meta.json",
			fmt.Sprintf(`{"Name":%q,"Metadata":{"Description":"the one called %s"},"Endpoints":{"docker":{"Host":%q,"SkipTLSVerify":false}}}`, name, name, host))
	}
	return dockerbridge.Machine{Env: map[string]string{}, Home: filepath.Join(dir, "home"), ConfigDir: dir, OS: "linux"}
}

func TestWhereAnEngineIsLookedFor(t *testing.T) {
	t.Parallel()
	contexts := map[string]string{"colima": "unix:///c.sock", "far": "ssh://me@far"}
	for _, c := range []struct {
		what, current, name string
		env                 map[string]string
		want                []string
	}{
		{"DOCKER_HOST beats the context", "colima", "", map[string]string{"DOCKER_HOST": "tcp://h:1"}, []string{"tcp://h:1"}},
		{"a name beats DOCKER_HOST", "", "far", map[string]string{"DOCKER_HOST": "tcp://h:1"}, []string{"ssh://me@far"}},
		{"the current context", "colima", "", nil, []string{"unix:///c.sock"}},
		{"DOCKER_CONTEXT beats the file", "colima", "", map[string]string{"DOCKER_CONTEXT": "far"}, []string{"ssh://me@far"}},
	} {
		m := machine(t, c.current, contexts)
		m.Env = c.env
		got, err := m.Hosts(c.name)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.what, got, err, c.want)
		}
	}
	m := machine(t, "", nil)
	m.Env["XDG_RUNTIME_DIR"] = "/run/user/7"
	got, err := m.Hosts("")
	if err != nil || got[0] != "unix:///var/run/docker.sock" || !slices.Contains(got, "unix:///run/user/7/podman/podman.sock") {
		t.Errorf("the well-known places are %v, %v", got, err)
	}
	_, err = m.Hosts("nobody")
	wantKind(t, err, dockerbridge.KindNotFound)
	_, err = m.Hosts("../../etc")
	wantKind(t, err, dockerbridge.KindNotFound)
}

func TestContextsAreListedWithTheCurrentOne(t *testing.T) {
	t.Parallel()
	m := machine(t, "far", map[string]string{"far": "ssh://me@far", "colima": "unix:///c.sock"})
	got, err := m.Contexts()
	if err != nil {
		t.Fatal(err)
	}
	want := []dockerbridge.Context{
		{Name: "default", Address: "unix:///var/run/docker.sock"},
		{Name: "colima", Address: "unix:///c.sock", Description: "the one called colima"},
		{Name: "far", Address: "ssh://me@far", Description: "the one called far", Current: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	m.Env["DOCKER_HOST"] = "tcp://h:1"
	if got, err = m.Contexts(); err != nil || !got[0].Current || got[0].Address != "tcp://h:1" || got[2].Current {
		t.Errorf("with DOCKER_HOST: %+v, %v", got, err)
	}
	m.ConfigDir = filepath.Join(t.TempDir(), "none")
	if got, err = m.Contexts(); err != nil || len(got) != 1 {
		t.Errorf("without docker's folder: %+v, %v", got, err)
	}
}

func TestAContextOpensItsEngine(t *testing.T) {
	t.Parallel()
	d := dockertest.Start(t, dockertest.Options{TCP: true})
	m := machine(t, "", map[string]string{"mine": d.Host})
	e, err := m.Open(t.Context(), "mine")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	info, err := e.Info(t.Context())
	want := dockerbridge.Info{Name: "Docker Engine", Version: "28.5.2", Address: d.Host, Context: "mine", Platform: "linux/amd64"}
	if err != nil || info != want {
		t.Errorf("info %+v, %v; want %+v", info, err, want)
	}
}

func TestAnotherSocketIsTakenWhenTheDefaultIsSilent(t *testing.T) {
	t.Parallel()
	d := dockertest.Start(t, dockertest.Options{Podman: true})
	m := machine(t, "", nil)
	m.Env["XDG_RUNTIME_DIR"] = filepath.Dir(filepath.Dir(strings.TrimPrefix(d.Host, "unix://")))
	// The engine's socket is not called podman.sock: a link is as good.
	dir := t.TempDir()
	err := errors.Join(os.Mkdir(filepath.Join(dir, "podman"), 0o700),
		os.Symlink(strings.TrimPrefix(d.Host, "unix://"), filepath.Join(dir, "podman", "podman.sock")))
	if err != nil {
		t.Fatal(err)
	}
	m.Env["XDG_RUNTIME_DIR"] = dir
	hosts, err := m.Hosts("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(strings.TrimPrefix(hosts[0], "unix://")); err == nil {
		t.Logf("an engine answers on %s; it comes first", hosts[0])
		return
	}
	e, err := m.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if info, err := e.Info(t.Context()); err != nil || info.Name != "Podman" || info.Version != "5.4.0" {
		t.Errorf("info %+v, %v", info, err)
	}
}

func TestNoEngineIsToldFromOneThatIsForbidden(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := dockerbridge.OpenHost(t.Context(), "unix://"+filepath.Join(dir, "none.sock"))
	wantKind(t, err, dockerbridge.KindAbsent)

	// A socket nobody listens on any more.
	d := dockertest.Start(t, dockertest.Options{TCP: true})
	d.Stop()
	_, err = dockerbridge.OpenHost(t.Context(), d.Host)
	wantKind(t, err, dockerbridge.KindAbsent)

	// Root may open anything, so the refusal is made by hand.
	wantKind(t, dockerbridge.AsError(&os.PathError{Op: "dial", Path: "docker.sock", Err: os.ErrPermission}), dockerbridge.KindPermission)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = dockerbridge.OpenHost(ctx, "tcp://127.0.0.1:1")
	wantKind(t, err, dockerbridge.KindCancelled)
}

func TestAnEngineThatStopsEndsTheWatchWithAnError(t *testing.T) {
	t.Parallel()
	d, e := open(t, dockertest.Options{Images: []dockertest.Image{app("acme/app:dev")}, Push: dockertest.Stream(t, "push")})
	if _, err := e.Push(t.Context(), options("acme/app:dev"), nil); err != nil {
		t.Fatal(err)
	}
	var actions []string
	var last error
	for c, err := range e.Watch(t.Context()) {
		if err != nil {
			last = err
			break
		}
		actions = append(actions, c.Action)
		if len(actions) == 2 {
			d.Stop()
		}
	}
	if !slices.Equal(actions, []string{"tag", "untag"}) {
		t.Errorf("actions %v", actions)
	}
	wantKind(t, last, dockerbridge.KindAbsent)

	ctx, cancel := context.WithCancel(t.Context())
	_, e = open(t, dockertest.Options{})
	cancel()
	for c, err := range e.Watch(ctx) {
		t.Errorf("after the end of the context: %+v, %v", c, err)
	}
}

func TestWhichEnginesReachThisMachine(t *testing.T) {
	t.Parallel()
	refused := dockertest.Failure{Status: http.StatusInternalServerError, Message: `Get "http://localhost:5000/v2/": dial tcp 127.0.0.1:5000: connect: connection refused`}
	there := dockertest.Failure{Status: http.StatusNotFound, Message: "manifest unknown: manifest unknown"}
	for _, c := range []struct {
		what    string
		address string
		o       dockertest.Options
		want    bool
		asks    bool
	}{
		{"a local engine", "localhost:5000", dockertest.Options{Distribution: refused}, true, false},
		{"Docker Desktop in its machine", "localhost:5000", dockertest.Options{Desktop: true, Distribution: refused}, false, true},
		{"Docker Desktop with host networking", "localhost:5000", dockertest.Options{Desktop: true, Distribution: there}, true, true},
		{"rootless Docker", "127.0.0.1:5000", dockertest.Options{Rootless: true, Distribution: refused}, false, true},
		{"an engine on another host", "localhost:5000", dockertest.Options{Hostname: "far", TCP: true, Distribution: refused}, false, true},
		{"a forwarded port", "localhost:5000", dockertest.Options{TCP: true, Distribution: there}, true, true},
		{"Podman, which wants TLS", "localhost:5000", dockertest.Options{Podman: true}, false, false},
		{"an address that is not loopback", "192.0.2.1:5000", dockertest.Options{Distribution: refused}, false, true},
	} {
		d, e := open(t, c.o)
		got, err := e.Reaches(t.Context(), c.address)
		if err != nil || got != c.want {
			t.Errorf("%s: %v, %v; want %v", c.what, got, err, c.want)
		}
		asked := slices.ContainsFunc(d.Asked(), func(call string) bool { return strings.Contains(call, "/distribution/") })
		if asked != c.asks {
			t.Errorf("%s: asked the registry %v, want %v", c.what, asked, c.asks)
		}
	}
}
