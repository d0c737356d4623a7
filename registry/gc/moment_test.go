package gc_test

import (
	"context"
	"io"
	"testing"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/manifest"
	"berth/registry/store"
)

// moments are requests that refer to garbage, in whose midst a clean-up comes.
// What they return is where their answer, if it is a good one, says that an
// image is, or a blob.
var moments = map[string]func(reg registry.Registry, st *store.Store, g garbage) (in string, d registry.Digest, err error){
	"a manifest is pushed": func(reg registry.Registry, _ *store.Store, g garbage) (string, registry.Digest, error) {
		_, err := reg.PutManifest(context.Background(), repo, g.image, "v1")
		return repo, g.image.Digest, err
	},
	"an index is pushed": func(reg registry.Registry, _ *store.Store, g garbage) (string, registry.Digest, error) {
		_, err := reg.PutManifest(context.Background(), repo, g.index, "v1")
		return repo, g.index.Digest, err
	},
	"a layer is mounted": func(reg registry.Registry, _ *store.Store, g garbage) (string, registry.Digest, error) {
		_, err := reg.MountBlob(context.Background(), repo, "else/where", layerIn(g.image))
		return "else/where", layerIn(g.image), err
	},
	"a layer is mounted from anywhere": func(reg registry.Registry, _ *store.Store, g garbage) (string, registry.Digest, error) {
		_, err := reg.MountBlob(context.Background(), "", "else/where", layerIn(g.image))
		return "else/where", layerIn(g.image), err
	},
	"a layer is uploaded again": func(reg registry.Registry, _ *store.Store, g garbage) (string, registry.Digest, error) {
		return again(reg, repo, g)
	},
	"a layer is uploaded elsewhere": func(reg registry.Registry, _ *store.Store, g garbage) (string, registry.Digest, error) {
		return again(reg, "else/where", g)
	},
	"a manifest is linked again": func(_ registry.Registry, st *store.Store, g garbage) (string, registry.Digest, error) {
		return "", "", st.Relink(context.Background(), repo, g.index.Digest, "v1")
	},
}

func layerIn(m registry.Manifest) registry.Digest {
	p, _ := manifest.Parse("", m.Content)
	return p.Blobs[1].Digest
}

// again uploads the layer of the garbage image, see registrytest.Image.
func again(reg registry.Registry, in string, g garbage) (string, registry.Digest, error) {
	up, err := reg.StartUpload(context.Background(), in)
	if err == nil {
		_, err = up.Write([]byte("layer of a"))
	}
	if err == nil {
		_, err = up.Commit(context.Background(), layerIn(g.image))
	}
	return in, layerIn(g.image), err
}

// TestWhateverMomentACleanUpComesAtAGoodAnswerIsTrue has a clean-up run to its
// end before and after each operation of the disk that a request makes.
func TestWhateverMomentACleanUpComesAtAGoodAnswerIsTrue(t *testing.T) {
	t.Parallel()
	for name, do := range moments {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, good := 0, 0
			for fired := true; fired; {
				at++
				var ok bool
				if fired, ok = comeAt(t, at, do); ok {
					good++
				}
			}
			if at < 4 || good == 0 {
				t.Errorf("%d operations, %d good answers: nothing was tested", at, good)
			}
		})
	}
}

// moment has something come before or after an operation of a driver.
type moment struct {
	driver.Driver
	at, n int // of what is counted; at is 0 before and after the request
	come  func()
}

func (m *moment) tick() {
	if m.at == 0 {
		return
	}
	if m.n++; m.n == m.at {
		at := m.at
		m.at = 0 // the clean-up is not counted
		m.come()
		m.at = at
	}
}

func (m *moment) Stat(ctx context.Context, key string) (driver.Info, error) {
	m.tick()
	defer m.tick()
	return m.Driver.Stat(ctx, key)
}

func (m *moment) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	m.tick()
	defer m.tick()
	return m.Driver.Open(ctx, key)
}

func (m *moment) Put(ctx context.Context, key string, content []byte) error {
	m.tick()
	return m.Driver.Put(ctx, key, content)
}

func comeAt(t *testing.T, at int, do func(registry.Registry, *store.Store, garbage) (string, registry.Digest, error)) (fired, ok bool) {
	t.Helper()
	drv := &moment{Driver: memory.New()}
	w := newWorld(t, drv, store.Options{Grace: -1})
	g := newGarbage(w)
	p := w.plan(all)
	drv.at, drv.come = at, func() {
		if _, err := p.Execute(t.Context(), nil); err != nil {
			t.Errorf("operation %d: %v", at, err)
		}
	}
	in, d, err := do(w.reg, w.st, g)
	fired, drv.at = drv.n >= at, 0
	switch {
	case err != nil:
		return fired, false // the client pushes again
	case in == "":
	case d == layerIn(g.image):
		err = hashes(w.st, in, d)
	default:
		err = whole(w.st, in, d)
	}
	if err != nil {
		t.Errorf("operation %d: %v", at, err)
	}
	if err := consistent(w.st); err != nil {
		t.Errorf("operation %d: %v", at, err)
	}
	return fired, true
}
