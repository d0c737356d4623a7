package store

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver/faulty"
	"berth/registry/driver/memory"
	"berth/registry/index"

	"github.com/opencontainers/go-digest"
)

// deaf is an index that is only told.
type deaf struct{ index.Index }

func (deaf) Apply(context.Context, ...index.Change) error { return nil }

// TestAfterASweepThatFailedNothingIsBelieved removes two blobs from a disk that
// breaks between them, and cannot be looked at after that.
func TestAfterASweepThatFailedNothingIsBelieved(t *testing.T) {
	t.Parallel()
	first, second := digest.FromString("first"), digest.FromString("second")
	var broken atomic.Bool
	drv := faulty.New(memory.New(), faulty.Plan{Before: func(_ context.Context, op faulty.Op) error {
		if op.Kind == faulty.Delete && strings.HasPrefix(op.Key, blobDir(second)) {
			broken.Store(true)
		}
		if broken.Load() && (op.Kind == faulty.Delete || op.Kind == faulty.Stat) {
			return errors.New("input/output error")
		}
		return nil
	}})
	s, err := Open(t.Context(), drv, nil, Options{Grace: -1, Park: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	s.ix = deaf{}
	for _, content := range []string{"first", "second"} {
		d := digest.FromString(content)
		if err := drv.Put(t.Context(), blobKey(d), []byte(content)); err != nil {
			t.Fatal(err)
		}
		s.cache.put(registry.Manifest{Digest: d, Content: bytes.Clone([]byte(content))})
	}
	c, err := s.Census(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Sweep(t.Context(), time.Now().Add(time.Hour), first, second); err == nil || !broken.Load() {
		t.Fatalf("the sweep did not fail: %v", err)
	}
	if _, ok := s.cache.get(first); ok {
		t.Error("what went is served from memory")
	}
	if len(s.doubts) == 0 {
		t.Error("the index is believed")
	}
}
