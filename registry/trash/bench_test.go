package trash_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver/filesystem"
	"berth/registry/index/sqlite"
	"berth/registry/registrytest"
	"berth/registry/store"
	"berth/registry/trash"
)

// many gives a registry on files with an index and a trash, and 10,000 tags in
// repo, all of one manifest; next makes an image that differs each time.
func many(b *testing.B) (reg *trash.Registry, next func() registry.Manifest) {
	b.Helper()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	ix, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "index.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	st, err := store.Open(context.Background(), drv, ix, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _, _, _ = st.Close(), ix.Close(), drv.Close() })
	bin := trash.New(drv, time.Hour)
	bin.Pushed = func(ctx context.Context, repo, tag string, d registry.Digest) (time.Time, string) {
		at, by, _ := ix.Pushed(ctx, repo, tag, d)
		return at, by
	}
	reg = trash.Wrap(st, st, bin)
	m := registrytest.Image(b, reg, repo, "many")
	tags := make([]string, 10_000)
	for i := range tags {
		tags[i] = fmt.Sprint("v", i)
	}
	if _, err := reg.PutManifest(b.Context(), repo, m, tags...); err != nil {
		b.Fatal(err)
	}
	<-st.Reconciled()
	n := 0
	return reg, func() registry.Manifest {
		n++
		m := m
		m.Content = fmt.Appendf(nil, `{"annotations":{"n":"%d"},%s`, n, m.Content[1:])
		m.Digest = ""
		return m
	}
}

func BenchmarkDeleteTagOf10000(b *testing.B) {
	reg, _ := many(b)
	for n := 0; b.Loop(); n++ {
		if err := reg.DeleteTag(b.Context(), repo, fmt.Sprint("v", n)); err != nil && n < 10_000 {
			b.Fatal(err)
		}
	}
}

func BenchmarkDeleteManifestOf10000(b *testing.B) {
	reg, next := many(b)
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		d, err := reg.PutManifest(b.Context(), repo, next(), fmt.Sprint("more", n))
		b.StartTimer()
		if err == nil {
			err = reg.DeleteManifest(b.Context(), repo, d.Digest)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPutTagInto10000(b *testing.B) {
	reg, next := many(b)
	for n := 0; b.Loop(); n++ {
		if _, err := reg.PutManifest(b.Context(), repo, next(), fmt.Sprint("more", n)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMoveTagOf10000(b *testing.B) {
	reg, next := many(b)
	for b.Loop() {
		if _, err := reg.PutManifest(b.Context(), repo, next(), "v5000"); err != nil {
			b.Fatal(err)
		}
	}
}
