package drivertest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"berth/registry/driver"
)

func apply(t *testing.T, d driver.Driver, changes ...driver.Change) {
	t.Helper()
	if err := driver.Apply(t.Context(), d, changes...); err != nil {
		t.Fatalf("apply %v: %v", changes, err)
	}
}

func batchOrder(t *testing.T, d driver.Driver) {
	put(t, d, "r/old/link", "old")
	write(t, d, "up/data", 0, "blob")
	apply(t, d,
		driver.Put{Key: "r/a", Content: []byte("1")},
		driver.Put{Key: "r/a", Content: []byte("22")},
		driver.Move{From: "r/a", To: "r/b"},
		driver.Put{Key: "r/a", Content: []byte("333")},
		driver.Delete{Key: "r/old"},
		driver.Put{Key: "r/old/other", Content: []byte("new")},
		driver.Move{From: "up/data", To: "blobs/aa/data"},
		driver.Delete{Key: "up"},
	)
	want(t, d, "r/a", "333")
	want(t, d, "r/b", "22")
	want(t, d, "r/old/other", "new")
	want(t, d, "blobs/aa/data", "blob")
	gone(t, d, "r/old/link", "up/data", "up")
	if got := list(t, d, "r"); got != "r/a r/b r/old/" {
		t.Errorf("the folder lists %q", got)
	}
}

func batchStops(t *testing.T, d driver.Driver) {
	put(t, d, "there", "kept")
	put(t, d, "folder/file", "kept")
	for i, bad := range []driver.Change{
		driver.Move{From: "no", To: "there"},
		driver.Move{From: "there", To: "../x"},
		driver.Put{Key: "/x"},
		driver.Put{Key: "folder", Content: []byte("over it")},
		driver.Put{Key: "there/below", Content: []byte("below a file")},
	} {
		first, last := fmt.Sprintf("first%d/link", i), fmt.Sprintf("last%d/link", i)
		err := driver.Apply(t.Context(), d, driver.Put{Key: first, Content: []byte("1")}, bad, driver.Put{Key: last})
		if err == nil {
			t.Errorf("%+v was made", bad)
		}
		if _, ok := bad.(driver.Move); ok && i == 0 && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%+v: %v; want fs.ErrNotExist", bad, err)
		}
		gone(t, d, last)
		if !errors.Is(err, driver.ErrKey) { // a malformed key may be seen before the first is made
			want(t, d, first, "1")
		}
	}
	want(t, d, "there", "kept")
	want(t, d, "folder/file", "kept")
}

func batchDeletesNothing(t *testing.T, d driver.Driver) {
	apply(t, d, driver.Delete{Key: "no/where"})
	put(t, d, "file", "1")
	apply(t, d, driver.Delete{Key: "no"}, driver.Delete{Key: "file/below"}, driver.Put{Key: "a", Content: []byte("1")}, driver.Delete{Key: "a"}, driver.Delete{Key: "a"})
	gone(t, d, "a", "no")
	want(t, d, "file", "1")
}

func batchEmpty(t *testing.T, d driver.Driver) {
	apply(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := driver.Apply(ctx, d, driver.Put{Key: "a"}, driver.Delete{Key: "b"}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
	gone(t, d, "a")
}

// batchesMeet has many batches on the same, on nested and on other keys. Each
// key ends with what one of them wrote.
func batchesMeet(t *testing.T, d driver.Driver) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 6 {
				own := fmt.Sprintf("own/%d/%d", i, n)
				changes := []driver.Change{
					driver.Put{Key: own, Content: content(i)},
					driver.Put{Key: "shared/a", Content: content(i)},
					driver.Put{Key: "shared/b", Content: content(i)},
				}
				if i == 0 {
					changes = append(changes, driver.Delete{Key: "tree"})
				} else {
					changes = append(changes, driver.Put{Key: fmt.Sprintf("tree/%d/link", n), Content: content(i)})
				}
				if err := driver.Apply(t.Context(), d, changes...); err != nil {
					t.Errorf("apply: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for i := range 8 {
		for n := range 6 {
			want(t, d, fmt.Sprintf("own/%d/%d", i, n), string(content(i)))
		}
	}
	for _, key := range []string{"shared/a", "shared/b"} {
		if got := read(t, d, key); !whole(got) {
			t.Errorf("%s holds a mixture: %q", key, clip(got))
		}
	}
}

func batchReadersSeeWhole(t *testing.T, d driver.Driver) {
	big := func(i int) string { return strings.Repeat(string(rune('a'+i)), 300<<10+i) }
	put(t, d, "k/manifest", big(0))
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				got, err := get(t.Context(), d, "k/manifest")
				if err != nil || got == "" || got != big(int(got[0]-'a')) {
					t.Errorf("a reader saw %q of %d bytes, %v", clip(got), len(got), err)
					return
				}
			}
		})
	}
	for i := range 10 {
		apply(t, d, driver.Put{Key: "k/link", Content: []byte("x")}, driver.Put{Key: "k/manifest", Content: []byte(big(i))})
	}
	stop()
	wg.Wait()
}

// batchIsLarge is a manifest as large as they are allowed, several at once.
func batchIsLarge(t *testing.T, d driver.Driver) {
	var changes []driver.Change
	for i := range 3 {
		changes = append(changes, driver.Put{Key: fmt.Sprintf("large/%d", i), Content: []byte(strings.Repeat(string(rune('a'+i)), 4<<20))})
	}
	apply(t, d, changes...)
	for i := range 3 {
		want(t, d, fmt.Sprintf("large/%d", i), strings.Repeat(string(rune('a'+i)), 4<<20))
	}
}
