package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

// batches notes each flush of a driver: a batch by its changes, and what else
// makes something durable by its name.
type batches struct {
	*memory.Driver
	mu      sync.Mutex
	flushes []string // guarded by mu
}

func (b *batches) note(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flushes = append(b.flushes, what)
}

// take gives what was noted since it was called last.
func (b *batches) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.flushes
	b.flushes = nil
	return out
}

func (b *batches) Apply(ctx context.Context, changes ...driver.Change) error {
	var what []string
	for _, c := range changes {
		switch c := c.(type) {
		case driver.Put:
			what = append(what, "put "+short(c.Key))
		case driver.Move:
			what = append(what, "move "+short(c.To))
		case driver.Delete:
			what = append(what, "delete "+short(c.Key))
		}
	}
	b.note(strings.Join(what, ", "))
	return driver.OneByOne(ctx, b.Driver, changes...)
}

func (b *batches) Put(ctx context.Context, key string, content []byte) error {
	b.note("Put")
	return b.Driver.Put(ctx, key, content)
}

func (b *batches) Move(ctx context.Context, from, to string) error {
	b.note("Move")
	return b.Driver.Move(ctx, from, to)
}

func (b *batches) Delete(ctx context.Context, key string) error {
	b.note("Delete")
	return b.Driver.Delete(ctx, key)
}

func (b *batches) Append(ctx context.Context, key string, offset int64) (driver.Writer, error) {
	w, err := b.Driver.Append(ctx, key, offset)
	return &flushed{w, b}, err
}

type flushed struct {
	driver.Writer
	b *batches
}

func (w *flushed) Close() error {
	w.b.note("Close")
	return w.Writer.Close()
}

// Drop implements driver.Dropper.
func (w *flushed) Drop() error { return nil }

// short names what a key is for.
func short(key string) string {
	for part, name := range map[string]string{
		"/current/": "tag", "/index/": "history", "/revisions/": "revision", "/blobs/": "blob", "/_layers/": "link", "/_uploads/": "upload",
	} {
		if strings.Contains(key, part) {
			return name
		}
	}
	if strings.Contains(key, "/tags/") {
		return "tag"
	}
	return key
}

func TestWhatAClientWaitsForIsOneFlush(t *testing.T) {
	t.Parallel()
	drv := &batches{Driver: memory.New()}
	st := open(t, drv, openIndex(t), store.Options{Grace: -1})
	<-st.Reconciled()
	ctx := t.Context()
	small, large := []byte("config"), registrytest.Bytes(1, 300<<10)
	m := image("config", 0)
	must := func(what string, err error, want ...string) {
		t.Helper()
		if got := drv.take(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: flushed %q, %v; want %q", what, got, err, want)
		}
	}
	push := func(content []byte) error {
		registrytest.PushBlob(t, st, "a", content)
		return nil
	}
	must("small blob", push(small), "put blob, put link")
	must("the same again", push(small))
	must("large blob", push(large), "Close", "move blob, put link, delete upload")
	_, err := st.MountBlob(ctx, "a", "b", digest.FromBytes(small))
	must("mount", err, "put link")
	_, err = st.MountBlob(ctx, "a", "b", digest.FromBytes(small))
	must("mount again", err)
	_, err = st.PutManifest(ctx, "a", m, "v1", "v2")
	must("manifest", err, "put blob, put revision, put history, put history, put tag, put tag")
	_, err = st.PutManifest(ctx, "a", m, "v3")
	must("one more tag", err, "put history, put tag")
	must("delete a tag", st.DeleteTag(ctx, "a", "v3"), "delete tag")
	must("delete a manifest", st.DeleteManifest(ctx, "a", m.Digest), "delete tag, delete tag, delete revision")
	must("relink", st.Relink(ctx, "a", m.Digest, "v1"), "put revision, put history, put tag")
	must("unlink", st.Unlink(ctx, "b", digest.FromBytes(small)), "delete revision, delete link")
}

func TestAnUploadIsOnDiskOnlyWhenItMustBe(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	st, err := store.Open(t.Context(), drv, nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	left := func(what string, want ...string) {
		t.Helper()
		var got []string
		for _, key := range keys(t, drv, "") {
			got = append(got, key[strings.LastIndexByte(key, '/')+1:])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: on disk %v, want %v", what, got, want)
		}
	}
	up := start(t, st, t.Context())
	write(t, up, registrytest.Bytes(1, 64<<10))
	left("64 KiB")
	if repos := list(t, st.AllRepositories(t.Context())); len(repos) != 0 {
		t.Errorf("repositories %v", repos)
	}
	write(t, up, []byte("!"))
	left("more", "data")
	if err := up.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	left("cancelled")
	begun, some := start(t, st, t.Context()), start(t, st, t.Context())
	if err := begun.Close(); err != nil {
		t.Fatal(err)
	}
	left("begun, and closed")
	write(t, some, []byte("hello"))
	if err := some.Close(); err != nil {
		t.Fatal(err)
	}
	left("a piece, and closed", "data")
	if up := resume(t, open(t, drv, nil, store.Options{}), some.ID()); up.Size() != 5 { // as after a kill
		t.Errorf("%d bytes survive", up.Size())
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, drv, nil, store.Options{})
	for id, text := range map[string]string{begun.ID(): "world", some.ID(): " world"} {
		up := resume(t, again, id)
		text = map[int64]string{0: "", 5: "hello"}[up.Size()] + text
		write(t, up, []byte(text[up.Size():]))
		if _, err := up.Commit(t.Context(), digest.FromString(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestASmallUploadGrowsPieceByPiece(t *testing.T) {
	t.Parallel()
	for _, park := range []time.Duration{0, -1} {
		st := open(t, memory.New(), nil, store.Options{Park: park})
		content := registrytest.Bytes(7, 200<<10)
		up := start(t, st, t.Context())
		for rest := content; len(rest) > 0; rest = rest[min(len(rest), 13<<10):] {
			if err := up.Close(); err != nil {
				t.Fatal(err)
			}
			up = resume(t, st, up.ID())
			if up.Size() != int64(len(content)-len(rest)) {
				t.Fatalf("at %d, not at %d", up.Size(), len(content)-len(rest))
			}
			write(t, up, rest[:min(len(rest), 13<<10)])
			if up.Size() == 39<<10 {
				status := resumeLater(t, st, up)
				up = status
			}
		}
		if _, err := up.Commit(t.Context(), digest.FromBytes(content)); err != nil {
			t.Fatal(err)
		}
	}
}

// resumeLater asks for the status twice, as a client does that lost its way.
func resumeLater(t *testing.T, st *store.Store, up registry.Upload) registry.Upload {
	t.Helper()
	for range 2 {
		size := up.Size()
		if err := up.Close(); err != nil {
			t.Fatal(err)
		}
		if up = resume(t, st, up.ID()); up.Size() != size {
			t.Fatalf("at %d, not at %d", up.Size(), size)
		}
	}
	return up
}

func TestASmallBlobThatFindsNoRoomCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	for _, pieces := range []bool{false, true} {
		drv := &watched{Driver: memory.New()}
		st := open(t, drv, nil, store.Options{})
		up := start(t, st, t.Context())
		write(t, up, []byte("hello"))
		if pieces {
			_ = up.Close()
			up = resume(t, st, up.ID())
		}
		drv.full.Store(true)
		if _, err := up.Commit(t.Context(), digest.FromString("hello")); !errors.Is(err, driver.ErrNoSpace) {
			t.Fatalf("commit on a full disk: %v", err)
		}
		drv.full.Store(false)
		if err := up.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := resume(t, st, up.ID()).Commit(t.Context(), digest.FromString("hello")); err != nil {
			t.Fatal(err)
		}
		if left := keys(t, drv.Driver, v2+"repositories/app/_uploads"); len(left) != 0 {
			t.Errorf("left %v", left)
		}
	}
}

func TestUploadsThatWereOnlyBegunAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drv := memory.New()
		st, err := store.Open(context.Background(), drv, nil, store.Options{Park: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		begin := func() string {
			up := start(t, st, context.Background())
			if err := up.Close(); err != nil {
				t.Fatal(err)
			}
			return up.ID()
		}
		first := begin()
		for range 4200 {
			begin()
		}
		if n := len(keys(t, drv, "")); n != 105*3 {
			t.Errorf("%d files of uploads", n)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := len(keys(t, drv, "")); n != 4201*3 {
			t.Errorf("%d files of uploads at last", n)
		}
		if err := resume(t, st, first).Cancel(context.Background()); err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
}

// opens counts the links of tags that are read.
type opens struct {
	*memory.Driver
	mu   sync.Mutex
	tags map[string]int // guarded by mu
}

func (o *opens) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	if _, tag, ok := strings.Cut(key, "/tags/"); ok {
		o.mu.Lock()
		o.tags[tag]++
		o.mu.Unlock()
	}
	return o.Driver.Open(ctx, key)
}

func TestDeletingAManifestReadsNoOtherTag(t *testing.T) {
	t.Parallel()
	drv := &opens{Driver: memory.New(), tags: map[string]int{}}
	st := open(t, drv, openIndex(t), store.Options{Grace: -1})
	<-st.Reconciled()
	registrytest.PushBlob(t, st, "app", []byte("config"))
	first, second := image("config", 0), image("config", 1)
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprint("v", i))
	}
	for _, m := range []struct {
		m    registry.Manifest
		tags []string
	}{{first, []string{"a", "b", "moved"}}, {second, many}} {
		if _, err := st.PutManifest(t.Context(), "app", m.m, m.tags...); err != nil {
			t.Fatal(err)
		}
	}
	// Another program points a tag elsewhere, which the index does not know.
	put(t, drv, map[string]string{v2 + "repositories/app/_manifests/tags/moved/current/link": second.Digest.String()})
	drv.tags = map[string]int{}
	if err := st.DeleteManifest(t.Context(), "app", first.Digest); err != nil {
		t.Fatal(err)
	}
	if len(drv.tags) > 3 {
		t.Errorf("read %d tags", len(drv.tags))
	}
	for tag, want := range map[string]registry.Digest{"a": "", "b": "", "moved": second.Digest, "v7": second.Digest} {
		if d, err := st.ResolveTag(t.Context(), "app", tag); d.Digest != want || err != nil && !errors.Is(err, registry.ErrManifestUnknown) {
			t.Errorf("%s names %q, %v", tag, d.Digest, err)
		}
	}
	if got, err := st.TagsOf(t.Context(), "app", second.Digest); err != nil || len(got) != 300 && len(got) != 301 {
		t.Errorf("%d tags, %v", len(got), err)
	}
	bare := open(t, drv, nil, store.Options{})
	if got, err := bare.TagsOf(t.Context(), "app", second.Digest); err != nil || len(got) != 301 {
		t.Errorf("%d tags without an index, %v", len(got), err)
	}
}
