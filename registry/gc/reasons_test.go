package gc_test

import (
	"testing"
	"testing/synctest"
	"time"

	"berth/registry/driver/memory"
	"berth/registry/gc"
	"berth/registry/registrytest"
	"berth/registry/store"
)

func TestAPlanTellsWhatIsYoungerThanTheRulesFromWhatIsYoungerThanTheGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.New(), store.Options{Grace: -1})
		o := gc.Options{Untagged: true, UntaggedAfter: 24 * time.Hour}
		at := time.Now()
		w.put(w.image("a"))
		time.Sleep(2 * time.Hour)
		p := w.plan(o)
		if p.Untagged.Blobs != 3 || p.Young.Blobs != 0 || !p.UntaggedRipe.Equal(at.Add(24*time.Hour)) || !p.Ripe.IsZero() {
			t.Errorf("untagged %+v until %s, young %+v until %s", p.Untagged, p.UntaggedRipe, p.Young, p.Ripe)
		}
		// Of both, the rules hold for longer, but not for what has no manifest.
		later := time.Now()
		w.put(w.image("b"))
		registrytest.PushBlob(t, w.st, repo, []byte("loose"))
		p = w.plan(o)
		if p.Untagged.Blobs != 6 || p.Young.Blobs != 1 || !p.UntaggedRipe.Equal(later.Add(24*time.Hour)) || !p.Ripe.Equal(later.Add(time.Hour)) {
			t.Errorf("untagged %+v until %s, young %+v until %s", p.Untagged, p.UntaggedRipe, p.Young, p.Ripe)
		}
		// What the rules say is less than the grace.
		p = w.plan(gc.Options{Untagged: true, UntaggedAfter: time.Minute})
		if p.Untagged.Blobs != 0 || p.Young.Blobs != 4 || p.Garbage.Blobs != 3 || !p.Ripe.Equal(later.Add(time.Hour)) {
			t.Errorf("untagged %+v, young %+v until %s, garbage %+v", p.Untagged, p.Young, p.Ripe, p.Garbage)
		}
		time.Sleep(24 * time.Hour)
		w.clean(o)
		w.stored(0)
	})
}

// TestWhatTheRulesHoldIsNotRipeBeforeTheLayerThatWasPushedAgain has a layer of
// an old image be younger than the image.
func TestWhatTheRulesHoldIsNotRipeBeforeTheLayerThatWasPushedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.New(), store.Options{Grace: -1})
		m := w.image("a")
		w.put(m)
		time.Sleep(23*time.Hour + 50*time.Minute)
		layer := layerOf(w, m)
		at := time.Now()
		w.file(linkPath(repo, "_layers", layer), layer.String())
		o := gc.Options{Untagged: true, UntaggedAfter: 24 * time.Hour}
		p := w.plan(o)
		if !p.UntaggedRipe.Equal(at.Add(time.Hour)) {
			t.Errorf("ripe at %s, want %s", p.UntaggedRipe, at.Add(time.Hour))
		}
		time.Sleep(time.Until(p.UntaggedRipe))
		w.clean(o)
		w.stored(0)
	})
}

// TestWhatIsLeftAloneOnDoubtIsDoubtful has a repository of which a manifest is
// damaged: what its tags need is in use all the same.
func TestWhatIsLeftAloneOnDoubtIsDoubtful(t *testing.T) {
	t.Parallel()
	for _, o := range []gc.Options{all, {Untagged: true}, {Untagged: true, UntaggedAfter: 24 * time.Hour}} {
		w := rash(t)
		w.put(w.image("used"), "v1")
		w.put(w.image("untagged"))
		registrytest.PushBlob(t, w.st, repo, []byte("loose"))
		d := w.put(w.image("damaged"))
		w.file(blobPath(d.Digest), "{")
		p := w.plan(o)
		if p.InUse.Blobs != 3 || p.Doubtful.Blobs != 7 || p.Garbage.Blobs != 0 || p.Young.Blobs != 0 || p.Untagged.Blobs != 0 {
			t.Errorf("in use %+v, doubtful %+v, garbage %+v, young %+v, untagged %+v", p.InUse, p.Doubtful, p.Garbage, p.Young, p.Untagged)
		}
	}
}
