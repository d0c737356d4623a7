package dockerbridge_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"berth/dockerbridge"
	"berth/dockerbridge/dockertest"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/server"
	"berth/registry/store"
)

// imported makes an image of one layer with n bytes in a real engine, and
// gives its id.
func imported(t *testing.T, host, name string, n int) string {
	t.Helper()
	api, err := client.NewClientWithOpts(client.WithHost(host), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err = w.WriteHeader(&tar.Header{Name: "content", Size: int64(n), Mode: 0o600, Typeflag: tar.TypeReg})
	_, werr := w.Write(registrytest.Bytes(uint64(n), n))
	if err := errors.Join(err, werr, w.Close()); err != nil {
		t.Fatal(err)
	}
	repo, tag, _ := strings.Cut(name, ":")
	body, err := api.ImageImport(t.Context(), image.ImportSource{Source: &b, SourceName: "-"}, repo, image.ImportOptions{Tag: tag})
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, body)
	if err := errors.Join(err, body.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		api, err := client.NewClientWithOpts(client.WithHost(host), client.WithAPIVersionNegotiation())
		if err == nil {
			_, _ = api.ImageRemove(context.WithoutCancel(t.Context()), name, image.RemoveOptions{Force: true})
			_ = api.Close()
		}
	})
	inspected, err := api.ImageInspect(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return inspected.ID
}

// listen serves a registry in memory on a free port of localhost.
func listen(t *testing.T) (reg *store.Store, address string) {
	t.Helper()
	reg, err := store.Open(t.Context(), memory.New(), nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: server.New(reg, server.Options{}), ReadHeaderTimeout: time.Minute}
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
		if err := reg.Close(); err != nil {
			t.Error(err)
		}
	})
	return reg, l.Addr().String()
}

func namesOf(t *testing.T, e dockerbridge.Engine) (out []string) {
	t.Helper()
	list, err := e.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		out = append(out, i.Names...)
	}
	slices.Sort(out)
	return out
}

// comesBack pulls ref, checks that it is the image it was, and removes it.
func comesBack(t *testing.T, e dockerbridge.Engine, host, ref, id string) {
	t.Helper()
	if err := e.Pull(t.Context(), ref, nil); err != nil {
		t.Errorf("pull %s: %v", ref, err)
	}
	api, err := client.NewClientWithOpts(client.WithHost(host), client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	if got, err := api.ImageInspect(t.Context(), ref); err != nil || got.ID != id {
		t.Errorf("pulled %s as %s, %v; want %s", ref, got.ID, err, id)
	}
	if _, err := api.ImageRemove(t.Context(), ref, image.RemoveOptions{}); err != nil {
		t.Error(err)
	}
}

// TestARealEngineBringsCarriesAndPulls goes the whole way once: it is one test
// because a real engine takes seconds to start.
func TestARealEngineBringsCarriesAndPulls(t *testing.T) {
	t.Parallel()
	host := dockertest.Real(t)
	e, err := dockerbridge.OpenHost(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	const size = 64 << 20
	id := imported(t, host, "berth-test/app:dev", size)
	reg, address := listen(t)
	o := dockerbridge.PushOptions{Image: "berth-test/app:dev", Address: address, Repository: "team/app", Tag: "v1", TempDir: t.TempDir()}
	before := namesOf(t, e)

	start := time.Now()
	var last dockerbridge.Progress
	pushed, err := dockerbridge.Send(t.Context(), e, reg, o, func(p dockerbridge.Progress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("pushed %d MiB in %s, carried %v", size>>20, time.Since(start).Round(time.Millisecond), pushed.Carried)
	if last.Done == 0 || last.Done != last.Total {
		t.Errorf("progress ended at %d of %d", last.Done, last.Total)
	}
	if config := configOf(t, reg, "team/app", "v1"); config.String() != id && pushed.Digest.String() != id {
		t.Errorf("the registry has config %s in %s, the engine image %s", config, pushed.Digest, id)
	}
	if after := namesOf(t, e); !slices.Equal(after, before) {
		t.Errorf("names before %v, after %v", before, after)
	}

	start = time.Now()
	o.Tag = "carried"
	carried, err := dockerbridge.Carry(t.Context(), e, reg, o, nil)
	if err != nil || !carried.Carried {
		t.Fatalf("%+v, %v", carried, err)
	}
	t.Logf("carried %d MiB in %s", size>>20, time.Since(start).Round(time.Millisecond))
	if config := configOf(t, reg, "team/app", "carried"); config.String() != id && carried.Digest.String() != id {
		t.Errorf("carried config %s, the engine has %s", config, id)
	}

	for _, tag := range []string{"v1", "carried"} {
		comesBack(t, e, host, address+"/team/app:"+tag, id)
	}
	wantKind(t, e.Pull(t.Context(), address+"/team/app:nothing", nil), dockerbridge.KindNotFound)
}

// TestARealPushThatIsCancelledShowsNothing cancels in the middle of a layer.
func TestARealPushThatIsCancelledShowsNothing(t *testing.T) {
	t.Parallel()
	host := dockertest.Real(t)
	e, err := dockerbridge.OpenHost(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	imported(t, host, "berth-test/cancelled:dev", 96<<20)
	reg, address := listen(t)
	before := namesOf(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err = e.Push(ctx, dockerbridge.PushOptions{Image: "berth-test/cancelled:dev", Address: address, Repository: "team/app", Tag: "v1"},
		func(p dockerbridge.Progress) {
			if p.Done > 1<<20 {
				cancel()
			}
		})
	wantKind(t, err, dockerbridge.KindCancelled)
	if after := namesOf(t, e); !slices.Equal(after, before) {
		t.Errorf("names before %v, after %v", before, after)
	}
	for repo, err := range reg.Repositories(t.Context(), "") {
		t.Errorf("the registry shows %s, %v", repo, err)
	}
	// Where nothing listens, the engine says so.
	_, err = e.Push(t.Context(), dockerbridge.PushOptions{Image: "berth-test/cancelled:dev", Address: "localhost:1", Repository: "team/app", Tag: "v1"}, nil)
	wantKind(t, err, dockerbridge.KindUnreachable)
}
