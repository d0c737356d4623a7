package gc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/faulty"
	"berth/registry/driver/memory"
	"berth/registry/gc"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// accidents are the ways in which an operation of the disk goes wrong.
var accidents = map[string]faulty.Plan{
	"power, before":   {Writes: true, Drop: true, Effect: faulty.None},
	"power, half-way": {Writes: true, Drop: true, Effect: faulty.Torn},
	"power, after":    {Writes: true, Drop: true, Effect: faulty.Done},
	"killed":          {Effect: faulty.Torn},
	"fails once":      {Effect: faulty.None, Once: true},
	"answer is lost":  {Writes: true, Effect: faulty.Done, Once: true},
}

// scene is a store with everything that a clean-up meets.
type scene struct {
	live    []registry.Digest // in repo
	trashed string            // entry of the trash
	trash   registry.Digest
}

func newScene(w *world) scene {
	var s scene
	index := w.put(registrytest.Index(w.t, w.put(w.image("amd")), w.put(w.image("arm"))), "v1")
	signature := w.put(registrytest.Artifact(w.t, w.st, repo, "application/signature", index, nil))
	s.live = append(s.live, index.Digest, signature.Digest)
	old := w.put(registrytest.Index(w.t, w.put(w.image("old amd")), w.put(w.image("arm"))), "v0")
	w.put(registrytest.Artifact(w.t, w.st, repo, "application/signature", old, nil))
	w.untag("v0")
	deleted := w.put(registrytest.Index(w.t, w.put(w.image("deleted"))), "oops")
	gone, err := w.reg.Delete(context.Background(), repo, "oops")
	if err != nil {
		w.t.Fatal(err)
	}
	s.trashed, s.trash = gone[0].ID, deleted.Digest
	registrytest.PushBlob(w.t, w.st, repo, []byte("loose"))
	registrytest.PushBlob(w.t, w.st, "empty/soon", []byte("loose, too"))
	return s
}

// check looks at what must be there, in a store on disk.
func (s scene) check(t *testing.T, disk driver.Driver, at int) {
	t.Helper()
	w := newWorld(t, disk, store.Options{Grace: -1})
	for _, d := range s.live {
		if err := whole(w.st, repo, d); err != nil {
			t.Errorf("operation %d: %v", at, err)
		}
	}
	if d, err := w.st.ResolveTag(t.Context(), repo, "v1"); err != nil || d.Digest != s.live[0] {
		t.Errorf("operation %d: v1 names %s, %v", at, d.Digest, err)
	}
	if err := consistent(w.st); err != nil {
		t.Errorf("operation %d: %v", at, err)
	}
}

// consistent: what is linked is there.
func consistent(st *store.Store) error {
	ctx := context.Background()
	for name, err := range st.AllRepositories(ctx) {
		if err != nil {
			return err
		}
		for l, err := range st.Contents(ctx, name) {
			if err != nil {
				return err
			}
			switch l.Kind {
			case registry.TagLink:
				if _, err := st.Manifest(ctx, name, l.Digest); err != nil {
					return errors.Join(errors.New(name+":"+l.Tag), err)
				}
			case registry.ManifestLink:
				if err := whole(st, name, l.Digest); err != nil {
					return errors.Join(errors.New(name+"@"+l.Digest.String()), err)
				}
			case registry.BlobLink:
				if err := hashes(st, name, l.Digest); err != nil {
					return errors.Join(errors.New(name+"@"+l.Digest.String()), err)
				}
			}
		}
	}
	return nil
}

// TestACleanUpThatIsCutAnywhereLosesNothingAndCanBeRunAgain has every accident
// at every operation.
func TestACleanUpThatIsCutAnywhereLosesNothingAndCanBeRunAgain(t *testing.T) {
	t.Parallel()
	for name, plan := range accidents {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := 0
			for fired := true; fired; {
				at++
				plan.At = at
				fired = cut(t, plan)
			}
			if at < 15 {
				t.Errorf("only %d operations: nothing was tested", at)
			}
		})
	}
}

func cut(t *testing.T, plan faulty.Plan) (fired bool) {
	t.Helper()
	disk := memory.New()
	scene := newScene(newWorld(t, disk, store.Options{Grace: -1}))
	drv := faulty.New(disk, plan)
	w := newWorld(t, drv, store.Options{Grace: -1})
	p, err := gc.NewPlan(t.Context(), w.st, []registry.Rooter{w.bin}, all)
	if err == nil {
		_, err = p.Execute(t.Context(), nil)
	}
	fired = drv.Fired()
	if err != nil && !errors.Is(err, faulty.ErrCut) {
		t.Fatalf("operation %d: %v", plan.At, err)
	}
	scene.check(t, disk, plan.At)
	again := newWorld(t, disk, store.Options{Grace: -1})
	if _, err := again.reg.Restore(t.Context(), scene.trashed, ""); err != nil {
		t.Errorf("operation %d: %v", plan.At, err)
	}
	again.clean(all)
	if err := whole(again.st, repo, scene.trash); err != nil {
		t.Errorf("operation %d: what was in the trash: %v", plan.At, err)
	}
	scene.check(t, disk, plan.At)
	if p := again.plan(all); p.Garbage.Blobs+p.Links+p.Manifests != 0 {
		t.Errorf("operation %d: %+v is still garbage", plan.At, p.Garbage)
	}
	// 2 images with an index, its signature with an empty config, an image
	// with an index.
	again.stored(6 + 1 + 2 + 3 + 1)
	return fired
}

func TestACleanUpWithoutTheTrashLeavesNothingOfIt(t *testing.T) {
	t.Parallel()
	w := rash(t)
	newScene(w)
	if _, err := w.bin.Purge(t.Context(), time.Now().Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	w.clean(all)
	w.stored(6 + 1 + 2)
}
