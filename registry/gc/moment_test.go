package gc_test

import (
	"context"
	"testing"

	"berth/registry"
	"berth/registry/driver/faulty"
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
// end before each operation of the disk that a request makes.
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

func comeAt(t *testing.T, at int, do func(registry.Registry, *store.Store, garbage) (string, registry.Digest, error)) (fired, ok bool) {
	t.Helper()
	armed, n := false, 0
	var come func()
	drv := faulty.New(memory.New(), faulty.Plan{Before: func(context.Context, faulty.Op) error {
		if armed {
			if n++; n == at {
				armed, fired = false, true
				come()
			}
		}
		return nil
	}})
	w := newWorld(t, drv, store.Options{Grace: -1})
	g := newGarbage(w)
	p := w.plan(all)
	come = func() {
		if _, err := p.Execute(t.Context(), nil); err != nil {
			t.Errorf("operation %d: %v", at, err)
		}
	}
	armed = true
	in, d, err := do(w.reg, w.st, g)
	armed = false
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

