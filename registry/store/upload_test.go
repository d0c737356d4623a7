package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

// watched counts what is opened for reading, and can be full.
type watched struct {
	*memory.Driver
	opened atomic.Int64
	full   atomic.Bool
}

func (w *watched) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	if strings.HasSuffix(key, "/data") {
		w.opened.Add(1)
	}
	return w.Driver.Open(ctx, key)
}

func (w *watched) Append(ctx context.Context, key string, offset int64) (driver.Writer, error) {
	inner, err := w.Driver.Append(ctx, key, offset)
	return &watchedWriter{inner, w}, err
}

func (w *watched) Put(ctx context.Context, key string, content []byte) error {
	if w.full.Load() {
		return fmt.Errorf("put %s: %w", key, driver.ErrNoSpace)
	}
	return w.Driver.Put(ctx, key, content)
}

type watchedWriter struct {
	driver.Writer
	w *watched
}

// Write of a full disk takes a part.
func (w *watchedWriter) Write(p []byte) (int, error) {
	if !w.w.full.Load() {
		return w.Writer.Write(p)
	}
	n, err := w.Writer.Write(p[:len(p)/2])
	return n, errors.Join(err, driver.ErrNoSpace)
}

func start(t testing.TB, st registry.Registry, ctx context.Context) registry.Upload {
	t.Helper()
	up, err := st.StartUpload(ctx, "app")
	if err != nil {
		t.Fatal(err)
	}
	return up
}

func write(t testing.TB, up registry.Upload, b []byte) {
	t.Helper()
	if n, err := io.Copy(up, bytes.NewReader(b)); err != nil || n != int64(len(b)) {
		t.Fatalf("wrote %d of %d: %v", n, len(b), err)
	}
}

func resume(t testing.TB, st registry.Registry, id string) registry.Upload {
	t.Helper()
	up, err := st.ResumeUpload(context.Background(), "app", id)
	if err != nil {
		t.Fatal(err)
	}
	return up
}

func TestBytesAreTheSameHoweverTheyComeIn(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 64 << 10, 64<<10 + 1, 256<<10 - 1, 256 << 10, 256<<10 + 1, 3<<20 + 17} {
		b := registrytest.Bytes(uint64(size), size)
		for name, feed := range map[string]func(registry.Upload) error{
			"at once":  func(up registry.Upload) error { _, err := up.Write(b); return err },
			"a reader": func(up registry.Upload) error { _, err := io.Copy(up, bytes.NewReader(b)); return err },
			"bit by bit": func(up registry.Upload) error {
				_, err := io.Copy(up, iotest.HalfReader(bytes.NewReader(b)))
				return err
			},
			"data with end": func(up registry.Upload) error {
				_, err := up.(io.ReaderFrom).ReadFrom(iotest.DataErrReader(bytes.NewReader(b)))
				return err
			},
		} {
			t.Run(fmt.Sprintf("%d %s", size, name), func(t *testing.T) {
				t.Parallel()
				st := open(t, memory.New(), nil, store.Options{})
				up := start(t, st, t.Context())
				if err := feed(up); err != nil || up.Size() != int64(size) {
					t.Fatalf("size %d, %v", up.Size(), err)
				}
				d, err := up.Commit(t.Context(), digest.FromBytes(b))
				if err != nil || d.Size != int64(size) {
					t.Fatalf("%+v, %v", d, err)
				}
				blob, err := st.OpenBlob(t.Context(), "app", d.Digest)
				if err != nil {
					t.Fatal(err)
				}
				defer blob.Close()
				if got, err := io.ReadAll(blob); err != nil || !bytes.Equal(got, b) {
					t.Fatalf("read %d bytes, %v", len(got), err)
				}
			})
		}
	}
}

func TestGoingOnAfterARestartReadsNothingAgain(t *testing.T) {
	t.Parallel()
	drv := &watched{Driver: memory.New()}
	b := registrytest.Bytes(1, 700<<10)
	st := open(t, drv, nil, store.Options{})
	up := start(t, st, t.Context())
	write(t, up, b[:400<<10])
	if err := errors.Join(up.Close(), st.Close()); err != nil {
		t.Fatal(err)
	}
	up = resume(t, open(t, drv, nil, store.Options{}), up.ID())
	write(t, up, b[400<<10:])
	if _, err := up.Commit(t.Context(), digest.FromBytes(b)); err != nil || drv.opened.Load() != 0 {
		t.Fatalf("opened %d times, %v", drv.opened.Load(), err)
	}
}

func TestGoingOnAfterAKillHashesTheFile(t *testing.T) {
	t.Parallel()
	drv := &watched{Driver: memory.New()}
	b := registrytest.Bytes(1, 700<<10)
	up := start(t, open(t, drv, nil, store.Options{}), t.Context())
	write(t, up, b[:400<<10]) // never closed
	up = resume(t, open(t, drv, nil, store.Options{}), up.ID())
	if up.Size() != 400<<10 {
		t.Fatalf("size %d", up.Size())
	}
	write(t, up, b[400<<10:])
	if _, err := up.Commit(t.Context(), digest.FromBytes(b)); err != nil || drv.opened.Load() != 1 {
		t.Fatalf("opened %d times, %v", drv.opened.Load(), err)
	}
}

func TestADamagedHashStateIsNotUsed(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	st := open(t, drv, nil, store.Options{Park: -1})
	up := start(t, st, t.Context())
	write(t, up, []byte("hello"))
	if err := up.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, drv, map[string]string{v2 + "repositories/app/_uploads/" + up.ID() + "/hashstates/sha256/5": "junk"})
	if _, err := resume(t, st, up.ID()).Commit(t.Context(), digest.FromString("hello")); err != nil {
		t.Fatal(err)
	}
}

func TestSHA512IsHashedOnceWhenItIsKnown(t *testing.T) {
	t.Parallel()
	for ctx, reads := range map[context.Context]int64{
		registry.WithAlgorithm(context.Background(), digest.SHA512): 0,
		context.Background(): 1,
	} {
		drv := &watched{Driver: memory.New()}
		st := open(t, drv, nil, store.Options{Park: -1})
		up := start(t, st, ctx)
		write(t, up, []byte("hello"))
		if err := up.Close(); err != nil {
			t.Fatal(err)
		}
		d := digest.SHA512.FromString("hello")
		if _, err := resume(t, st, up.ID()).Commit(t.Context(), d); err != nil || drv.opened.Load() != reads {
			t.Errorf("read %d times, want %d, %v", drv.opened.Load(), reads, err)
		}
		if got := content(t, drv, blobPath(d)); got != "hello" {
			t.Errorf("stored %q", got)
		}
	}
}

func TestAFullDiskKeepsTheUploadForLater(t *testing.T) {
	t.Parallel()
	drv := &watched{Driver: memory.New()}
	st := open(t, drv, nil, store.Options{})
	b := registrytest.Bytes(2, 900<<10)
	up := start(t, st, t.Context())
	write(t, up, b[:300<<10])
	drv.full.Store(true)
	if _, err := io.Copy(up, bytes.NewReader(b[300<<10:])); !errors.Is(err, driver.ErrNoSpace) {
		t.Fatalf("got %v", err)
	}
	if _, err := up.Commit(t.Context(), digest.FromBytes(b)); !errors.Is(err, registry.ErrBlobUploadInvalid) {
		t.Fatalf("commit after a failed write: %v", err)
	}
	if err := up.Close(); err != nil {
		t.Fatal(err)
	}
	drv.full.Store(false)
	up = resume(t, st, up.ID())
	if up.Size() < 300<<10 || up.Size() >= int64(len(b)) {
		t.Fatalf("size %d", up.Size())
	}
	write(t, up, b[up.Size():])
	drv.full.Store(true)
	if _, err := up.Commit(t.Context(), digest.FromBytes(b)); !errors.Is(err, driver.ErrNoSpace) {
		t.Fatalf("commit on a full disk: %v", err)
	}
	_ = up.Close()
}

func TestABodyThatBreaksOffKeepsWhatCame(t *testing.T) {
	t.Parallel()
	st := open(t, memory.New(), nil, store.Options{})
	b := registrytest.Bytes(3, 600<<10)
	up := start(t, st, t.Context())
	gone := errors.New("client gone")
	if n, err := io.Copy(up, io.MultiReader(bytes.NewReader(b[:500<<10]), iotest.ErrReader(gone))); n != 500<<10 || !errors.Is(err, gone) {
		t.Fatalf("took %d, %v", n, err)
	}
	if err := up.Close(); err != nil {
		t.Fatal(err)
	}
	up = resume(t, st, up.ID())
	write(t, up, b[up.Size():])
	if _, err := up.Commit(t.Context(), digest.FromBytes(b)); err != nil {
		t.Fatal(err)
	}
}

func TestAMismatchLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, want := range []registry.Digest{digest.FromString("other"), digest.SHA512.FromString("other")} {
		drv := memory.New()
		st := open(t, drv, nil, store.Options{})
		up := start(t, st, t.Context())
		write(t, up, []byte("hello"))
		if _, err := up.Commit(t.Context(), want); !errors.Is(err, registry.ErrDigestInvalid) {
			t.Errorf("got %v", err)
		}
		if left := keys(t, drv, ""); len(left) != 0 || st.OpenUploads() != 0 {
			t.Errorf("left %v", left)
		}
		if _, err := st.ResumeUpload(t.Context(), "app", up.ID()); !errors.Is(err, registry.ErrBlobUploadUnknown) {
			t.Errorf("resume: %v", err)
		}
	}
}

func TestADamagedBlobIsReplacedByTheNextPush(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	st := open(t, drv, nil, store.Options{})
	d := registrytest.PushBlob(t, st, "app", []byte("hello")).Digest
	for _, damage := range []string{"", "hel", "jello"} {
		put(t, drv, map[string]string{blobPath(d): damage})
		if _, err := st.StatBlob(t.Context(), "app", d); damage == "" && !errors.Is(err, registry.ErrBlobUnknown) {
			t.Errorf("stat of an emptied blob: %v", err)
		}
		registrytest.PushBlob(t, st, "app", []byte("hello"))
		if got := content(t, drv, blobPath(d)); got != "hello" {
			t.Errorf("%q was left", got)
		}
	}
}

func TestAnUploadHasOneHolderAndIsCountedWhileItIsWarm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st, err := store.Open(context.Background(), memory.New(), nil, store.Options{Park: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		up := start(t, st, context.Background())
		if _, err := st.ResumeUpload(context.Background(), "app", up.ID()); !errors.Is(err, registry.ErrBlobUploadInvalid) {
			t.Errorf("second holder: %v", err)
		}
		write(t, up, []byte("hello"))
		if err := up.Close(); err != nil || st.OpenUploads() != 1 {
			t.Errorf("%d open, %v", st.OpenUploads(), err)
		}
		time.Sleep(3 * time.Second)
		if st.OpenUploads() != 0 {
			t.Error("a stop would still wait for a client that does not come")
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if _, err := resume(t, st, up.ID()).Commit(context.Background(), digest.FromString("hello")); err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestPurgeTakesOnlyOldUploadsThatNobodyHolds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st, err := store.Open(context.Background(), memory.New(), nil, store.Options{Park: -1})
		if err != nil {
			t.Fatal(err)
		}
		old, held := start(t, st, context.Background()), start(t, st, context.Background())
		_ = old.Close()
		time.Sleep(time.Hour)
		young := start(t, st, context.Background())
		_ = young.Close()
		n, err := st.PurgeUploads(context.Background(), time.Now().Add(-time.Minute))
		if n != 1 || err != nil {
			t.Fatalf("purged %d, %v", n, err)
		}
		if _, err := st.ResumeUpload(context.Background(), "app", old.ID()); !errors.Is(err, registry.ErrBlobUploadUnknown) {
			t.Errorf("old: %v", err)
		}
		write(t, held, []byte("hello"))
		if _, err := held.Commit(context.Background(), digest.FromString("hello")); err != nil {
			t.Errorf("held: %v", err)
		}
		if err := resume(t, st, young.ID()).Cancel(context.Background()); err != nil {
			t.Errorf("young: %v", err)
		}
	})
}

func TestUploadIDsThatAreNoneAreUnknown(t *testing.T) {
	t.Parallel()
	st := open(t, memory.New(), nil, store.Options{})
	for _, id := range []string{"", ".", "..", "a/b", "../../x", strings.Repeat("a", 200), "a b", "nothing"} {
		if _, err := st.ResumeUpload(t.Context(), "app", id); !errors.Is(err, registry.ErrBlobUploadUnknown) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
