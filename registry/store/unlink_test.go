package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver/faulty"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// TestARemovalHoldsUpOnlyWhoNeedsWhatGoes stops a removal in the midst of its
// deletion, and lets others work.
func TestARemovalHoldsUpOnlyWhoNeedsWhatGoes(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"_layers", "/blobs/"} {
		t.Run(strings.Trim(key, "/_"), func(t *testing.T) {
			t.Parallel()
			drv, deleting, goOn := stopping(key)
			st := open(t, drv, nil, store.Options{Grace: -1, Park: -1})
			b := registrytest.PushBlob(t, st, "a", []byte("going"))
			c, err := st.Census(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			link := registry.Link{Kind: registry.BlobLink, Digest: b.Digest, Target: b.Digest}
			removed := make(chan error, 1)
			go func() {
				_, err := c.Unlink(context.WithoutCancel(t.Context()), "a", time.Now(), []registry.Link{link})
				if err == nil {
					_, err = c.Sweep(context.WithoutCancel(t.Context()), future(), b.Digest)
				}
				removed <- err
			}()
			<-deleting
			seen := make(chan error, 1)
			go func() {
				_, err := st.StatBlob(context.WithoutCancel(t.Context()), "a", b.Digest)
				seen <- err
			}()
			m := registrytest.PushImage(t, st, "a", "v1") // the same repository
			select {
			case err := <-seen:
				// Where only the bytes are on their way, the link is gone.
				if !errors.Is(err, registry.ErrBlobUnknown) {
					t.Errorf("a blob on its way out is promised: %v", err)
				}
				seen <- err
			default:
			}
			again := make(chan struct{})
			go func() {
				defer close(again)
				registrytest.PushBlob(t, st, "a", []byte("going"))
			}()
			close(goOn)
			if err := <-removed; err != nil {
				t.Error(err)
			}
			<-again
			if err := <-seen; err != nil && !errors.Is(err, registry.ErrBlobUnknown) {
				t.Error(err) // there again, or not any more
			}
			if _, err := st.StatBlob(t.Context(), "a", b.Digest); err != nil {
				t.Errorf("pushed again: %v", err)
			}
			if _, err := st.StatManifest(t.Context(), "a", m.Digest); err != nil {
				t.Error(err)
			}
		})
	}
}

// stopping gives a driver that stops at the first deletion of a key that contains
// a text: it says so, and waits.
func stopping(key string) (drv *faulty.Driver, deleting, goOn chan struct{}) {
	deleting, goOn = make(chan struct{}), make(chan struct{})
	var once sync.Once
	return faulty.New(memory.New(), faulty.Plan{Writes: true, Before: func(_ context.Context, op faulty.Op) error {
		if op.Kind == faulty.Delete && strings.Contains(op.Key, key) {
			once.Do(func() { close(deleting) })
			<-goOn
		}
		return nil
	}}), deleting, goOn
}

func TestACensusThatIsClosedRemovesNothing(t *testing.T) {
	t.Parallel()
	st := open(t, memory.New(), nil, store.Options{Grace: -1})
	b := registrytest.PushBlob(t, st, "a", []byte("loose"))
	c, err := st.Census(t.Context())
	if err != nil || c.Lost() {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil || !c.Lost() {
		t.Error(err)
	}
	if _, err := c.Unlink(t.Context(), "a", time.Now(), []registry.Link{{Kind: registry.BlobLink, Digest: b.Digest}}); !errors.Is(err, registry.ErrCensusLost) {
		t.Errorf("unlink: %v", err)
	}
	if _, err := c.Sweep(t.Context(), future(), b.Digest); !errors.Is(err, registry.ErrCensusLost) {
		t.Errorf("sweep: %v", err)
	}
}
