package drivertest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"berth/registry/driver"
)

func putByMany(t *testing.T, d driver.Driver) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 5 {
				if err := d.Put(t.Context(), "one/key", content(i)); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if got := read(t, d, "one/key"); !whole(got) {
		t.Errorf("the key holds a mixture: %q", clip(got))
	}
	if got := list(t, d, "one"); got != "one/key" {
		t.Errorf("the folder lists %q", got)
	}
}

func content(i int) []byte { return []byte(strings.Repeat(string(rune('a'+i)), 100+i)) }

func whole(s string) bool {
	return s != "" && s == string(content(int(s[0]-'a')))
}

func readersSeeWhole(t *testing.T, d driver.Driver) {
	put(t, d, "k/link", string(content(0)))
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				got, err := get(t.Context(), d, "k/link")
				if err != nil || !whole(got) {
					t.Errorf("a reader saw %q, %v", clip(got), err)
					return
				}
			}
		})
	}
	for i := range 30 {
		put(t, d, "k/link", string(content(i%8)))
	}
	stop()
	wg.Wait()
}

func putVersusDelete(t *testing.T, d driver.Driver) {
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			for n := range 15 {
				key := fmt.Sprintf("tree/sub%d/%d/link", i, n)
				if err := d.Put(t.Context(), key, []byte("x")); err != nil {
					t.Errorf("put %s: %v", key, err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			if err := d.Delete(t.Context(), "tree"); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("delete: %v", err)
			}
		}
	})
	wg.Wait()
	put(t, d, "tree/last", "1")
	want(t, d, "tree/last", "1")
}

func manyFolders(t *testing.T, d driver.Driver) {
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			key := fmt.Sprintf("a/b/c/%d/d/link", i%4)
			if err := d.Put(t.Context(), key, content(i%8)); err != nil {
				t.Errorf("put %s: %v", key, err)
			}
		})
	}
	wg.Wait()
	if got := list(t, d, "a/b/c"); got != "a/b/c/0/ a/b/c/1/ a/b/c/2/ a/b/c/3/" {
		t.Errorf("list = %q", got)
	}
}

func racingMoves(t *testing.T, d driver.Driver) {
	for range 5 {
		put(t, d, "up/data", "blob")
		var wg sync.WaitGroup
		var done atomic.Int32
		for i := range 4 {
			wg.Go(func() {
				err := d.Move(t.Context(), "up/data", fmt.Sprintf("to/%d", i))
				switch {
				case err == nil:
					done.Add(1)
				case !errors.Is(err, fs.ErrNotExist):
					t.Errorf("move: %v", err)
				}
			})
		}
		wg.Wait()
		if n := done.Load(); n != 1 {
			t.Errorf("%d of 4 moves of one file succeeded", n)
		}
		if got := list(t, d, "to"); strings.Contains(got, " ") {
			t.Errorf("the file is in two places: %s", got)
		}
		if err := d.Delete(t.Context(), "to"); err != nil {
			t.Fatal(err)
		}
	}
}

// model plays random operations against a map from keys to contents.
func model(t *testing.T, d driver.Driver) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	files := map[string]string{}
	// No key is the folder of another, so every operation has one right answer.
	key := func() string { return fmt.Sprintf("d%d/e%d/f%d", rnd.IntN(3), rnd.IntN(2), rnd.IntN(3)) }
	for i := range 150 {
		k, text := key(), fmt.Sprint(i)
		_, there := files[k]
		switch rnd.IntN(6) {
		case 0, 1:
			put(t, d, k, text)
			files[k] = text
		case 2:
			write(t, d, k, int64(len(files[k])), text)
			if files[k] == "" {
				files[k] = ""
			}
			files[k] += text
		case 3:
			to := key()
			err := d.Move(t.Context(), k, to)
			expect(t, err, there)
			if there {
				content := files[k]
				delete(files, k)
				files[to] = content
			}
		case 4:
			expect(t, d.Delete(t.Context(), k), there)
			delete(files, k)
		case 5:
			folder := k[:strings.LastIndexByte(k, '/')]
			_ = d.Delete(t.Context(), folder) // whether an emptied folder still is there is the driver's matter
			for f := range files {
				if strings.HasPrefix(f, folder+"/") {
					delete(files, f)
				}
			}
		}
		compare(t, d, files, k)
	}
	for k := range files {
		compare(t, d, files, k)
	}
}

func expect(t *testing.T, err error, there bool) {
	t.Helper()
	if there && err != nil || !there && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the key is there: %v; the error: %v", there, err)
	}
}

func compare(t *testing.T, d driver.Driver, files map[string]string, key string) {
	t.Helper()
	if text, ok := files[key]; ok {
		want(t, d, key, text)
	} else {
		gone(t, d, key)
	}
}
