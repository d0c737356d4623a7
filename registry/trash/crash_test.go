package trash_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/faulty"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"
	"berth/registry/trash"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// scenario is something that a person does. prepare runs with power; act is cut
// at each change in turn; want says what a tag may name afterwards, and what it
// must name once act has answered.
type scenario struct {
	prepare func(w *world) error
	act     func(w *world) error
	before  func(w *world) registry.Digest // what v1 named when act began
	after   func(w *world) registry.Digest // what it names when act has ended
}

// world is a store with a trash, and two images that are not pushed yet.
type world struct {
	drv      driver.Driver
	reg      *trash.Registry
	bin      *trash.Bin
	st       *store.Store
	old, new registry.Manifest
	blobs    [][]byte
	entry    string
	pieces   int // how many requests bring a blob; 0 means one behind an empty one
}

func nothing(*world) registry.Digest  { return "" }
func oldOne(w *world) registry.Digest { return w.old.Digest }
func newOne(w *world) registry.Digest { return w.new.Digest }

var scenarios = map[string]scenario{
	"push": {
		prepare: func(*world) error { return nil },
		act:     func(w *world) error { return w.push(w.old, 0) },
		before:  nothing, after: oldOne,
	},
	"overwrite": {
		prepare: func(w *world) error { return w.push(w.old, 0) },
		act:     func(w *world) error { return w.push(w.new, 1) },
		before:  oldOne, after: newOne,
	},
	"delete a tag": {
		prepare: func(w *world) error { return w.push(w.old, 0) },
		act:     func(w *world) error { return w.reg.DeleteTag(context.Background(), repo, "v1") },
		before:  oldOne, after: nothing,
	},
	"delete tags together": {
		prepare: func(w *world) error {
			if err := w.push(w.old, 0); err != nil {
				return err
			}
			_, err := w.reg.PutManifest(context.Background(), repo, w.old, "v0", "v2")
			return err
		},
		act: func(w *world) error {
			_, err := w.reg.Delete(context.Background(), repo, "v0", "v1", "v2")
			return err
		},
		before: oldOne, after: nothing,
	},
	"delete a manifest": {
		prepare: func(w *world) error { return w.push(w.old, 0) },
		act:     func(w *world) error { return w.reg.DeleteManifest(context.Background(), repo, w.old.Digest) },
		before:  oldOne, after: nothing,
	},
	"push blobs at once": {
		prepare: func(*world) error { return nil },
		act:     func(w *world) error { w.pieces = 1; return w.push(w.old, 0) },
		before:  nothing, after: oldOne,
	},
	"push blobs in pieces": {
		prepare: func(*world) error { return nil },
		act:     func(w *world) error { w.pieces = 3; return w.push(w.old, 0) },
		before:  nothing, after: oldOne,
	},
	"push a large layer": {
		prepare: func(w *world) error {
			w.blobs[1] = registrytest.Bytes(9, 200<<10)
			w.old = imageOf(w.blobs[0], w.blobs[1])
			return nil
		},
		act:    func(w *world) error { w.pieces = 3; return w.push(w.old, 0) },
		before: nothing, after: oldOne,
	},
	"delete a repository": {
		prepare: func(w *world) error { return w.push(w.old, 0) },
		act: func(w *world) error {
			_, err := w.reg.DeleteRepository(context.Background(), repo, trash.Deletion{})
			return err
		},
		before: oldOne, after: nothing,
	},
	"restore a repository": {
		prepare: func(w *world) error {
			if err := w.push(w.old, 0); err != nil {
				return err
			}
			e, err := w.reg.DeleteRepository(context.Background(), repo, trash.Deletion{})
			w.entry = e.ID
			return err
		},
		act: func(w *world) error {
			_, err := w.reg.RestoreRepository(context.Background(), w.entry)
			return err
		},
		before: nothing, after: oldOne,
	},
	"restore a tag": {
		prepare: func(w *world) error {
			if err := w.push(w.old, 0); err != nil {
				return err
			}
			return w.discard()
		},
		act: func(w *world) error {
			_, err := w.reg.Restore(context.Background(), w.entry, "")
			return err
		},
		before: nothing, after: oldOne,
	},
}

func (w *world) discard() error {
	gone, err := w.reg.Delete(context.Background(), repo, "v1")
	if err != nil {
		return err
	}
	w.entry = gone[0].ID
	return nil
}

// push pushes an image as a client does: config and layer, then the manifest.
func (w *world) push(m registry.Manifest, which int) error {
	ctx := context.Background()
	for _, content := range w.blobs[2*which : 2*which+2] {
		if err := w.upload(ctx, content); err != nil {
			return err
		}
	}
	_, err := w.reg.PutManifest(ctx, repo, m, "v1")
	return err
}

func (w *world) upload(ctx context.Context, content []byte) error {
	up, err := w.reg.StartUpload(ctx, repo)
	if err != nil {
		return err
	}
	for i := range max(w.pieces, 2) {
		piece := content[:len(content)*i/max(w.pieces-1, 1)]
		if w.pieces == 1 {
			piece = content
		}
		if _, err := io.Copy(up, bytes.NewReader(piece[up.Size():])); err != nil {
			return errors.Join(err, up.Close())
		}
		if up.Size() == int64(len(content)) {
			break
		}
		id := up.ID()
		if err := up.Close(); err != nil {
			return err
		}
		if up, err = w.reg.ResumeUpload(ctx, repo, id); err != nil {
			return err
		}
	}
	if _, err := up.Commit(ctx, digest.FromBytes(content)); err != nil {
		return errors.Join(err, up.Close())
	}
	return nil
}

func newWorld(t *testing.T, drv driver.Driver) *world {
	t.Helper()
	w := &world{}
	w.open(t, drv)
	for i := range 2 {
		config, layer := fmt.Appendf(nil, `{"os":"linux","author":"%d"}`, i), registrytest.Bytes(uint64(i), 5000)
		w.blobs = append(w.blobs, config, layer)
		if m := imageOf(config, layer); i == 0 {
			w.old = m
		} else {
			w.new = m
		}
	}
	return w
}

func imageOf(config, layer []byte) registry.Manifest {
	content := fmt.Appendf(nil, `{"schemaVersion":2,"config":{"mediaType":%q,"digest":%q,"size":%d},"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
		ocispec.MediaTypeImageConfig, digest.FromBytes(config), len(config), ocispec.MediaTypeImageLayer, digest.FromBytes(layer), len(layer))
	return registry.Manifest{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(content), Content: content}
}

func (w *world) open(t *testing.T, drv driver.Driver) {
	t.Helper()
	st, err := store.Open(context.Background(), drv, nil, store.Options{Grace: -1, Park: -1})
	if err != nil {
		t.Fatal(err)
	}
	w.drv, w.st, w.bin = drv, st, trash.New(drv, time.Hour)
	w.reg = trash.Wrap(st, st, w.bin)
}

// accidents are the ways in which an operation of the disk goes wrong.
var accidents = map[string]faulty.Plan{
	"power, before":   {Writes: true, Drop: true, Effect: faulty.None},
	"power, half-way": {Writes: true, Drop: true, Effect: faulty.Torn},
	"power, after":    {Writes: true, Drop: true, Effect: faulty.Done},
	"killed":          {Effect: faulty.Torn},
	"fails once":      {Effect: faulty.None, Once: true},
	"answer is lost":  {Writes: true, Effect: faulty.Done, Once: true},
}

// TestAnAccidentAtAnyMomentLosesNothingThatWasAnswered has every accident at
// every operation of every scenario, starts again (unless the operation only
// failed once), and looks.
func TestAnAccidentAtAnyMomentLosesNothingThatWasAnswered(t *testing.T) {
	t.Parallel()
	for name, sc := range scenarios {
		for accident, plan := range accidents {
			t.Run(name+", "+accident, func(t *testing.T) {
				t.Parallel()
				plan := plan
				for fired := true; fired; {
					plan.At++
					fired = sc.run(t, plan)
				}
				if plan.At < 3 {
					t.Errorf("only %d operations: nothing was tested", plan.At)
				}
			})
		}
	}
}

// run plays the scenario with an accident, and reports whether it came to it.
func (sc scenario) run(t *testing.T, plan faulty.Plan) (fired bool) {
	t.Helper()
	disk := memory.New()
	w := newWorld(t, disk)
	if err := sc.prepare(w); err != nil {
		t.Fatalf("prepare: %v", err)
	}
	before, after := sc.before(w), sc.after(w)
	_ = w.st.Close()
	drv := faulty.New(disk, plan)
	w.open(t, drv)
	err := sc.act(w)
	fired = drv.Fired()
	if err != nil && !errors.Is(err, faulty.ErrCut) {
		t.Fatalf("operation %d: %v", plan.At, err)
	}
	if !plan.Once || !fired { // else it is the running store that must be right
		_ = w.st.Close()
		w.open(t, disk)
	}
	at := fmt.Sprintf("operation %d", plan.At)
	now := resolve(t, w.reg, "v1")
	switch {
	case err == nil && now != after:
		t.Errorf("%s: answered, and v1 names %q", at, now)
	case now != before && now != after:
		t.Errorf("%s: v1 names %q", at, now)
	}
	if now != before && before != "" || now == "" && w.entry != "" {
		w.checkUndo(t, at)
	}
	w.checkLitter(t, at)
	w.checkDisk(t, at)
	w.sweep(t)
	w.checkDisk(t, at+" and a sweep")
	if got := resolve(t, w.reg, "v1"); got != now {
		t.Errorf("%s: the sweep changed v1 from %q to %q", at, now, got)
	}
	return fired
}
