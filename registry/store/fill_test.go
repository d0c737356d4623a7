package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver/filesystem"
	"berth/registry/index/sqlite"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// foreignFolder makes what distribution would have made of so many pushes,
// with hard links for what is the same everywhere.
func foreignFolder(t testing.TB, root string, repos, tags, manifests int) {
	t.Helper()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: root})
	if err != nil {
		t.Fatal(err)
	}
	st := open(t, drv, nil, store.Options{})
	var ds []registry.Digest
	for i := range manifests {
		m := registrytest.Image(t, st, "seed", fmt.Sprint("image ", i))
		if _, err := st.PutManifest(t.Context(), "seed", m); err != nil {
			t.Fatal(err)
		}
		ds = append(ds, m.Digest)
	}
	base := filepath.Join(root, filepath.FromSlash(v2), "repositories")
	link := func(from, to string) {
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(from, to); err != nil {
			t.Fatal(err)
		}
	}
	seed := filepath.Join(base, "seed", "_manifests", "revisions", "sha256")
	for r := range repos {
		repo := filepath.Join(base, "team", fmt.Sprintf("app%06d", r), "_manifests")
		for _, d := range ds {
			link(filepath.Join(seed, d.Encoded(), "link"), filepath.Join(repo, "revisions", "sha256", d.Encoded(), "link"))
		}
		for n := range tags {
			d := ds[n%len(ds)]
			link(filepath.Join(seed, d.Encoded(), "link"), filepath.Join(repo, "tags", fmt.Sprintf("v%05d", n), "current", "link"))
		}
	}
}

// BenchmarkAForeignFolderOf100000Tags is how long the index takes to know it,
// at first and when nothing is new; and how long a request takes meanwhile.
func BenchmarkAForeignFolderOf100000Tags(b *testing.B) {
	root := b.TempDir()
	foreignFolder(b, root, 200, 500, 20)
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: root})
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; b.Loop(); n++ {
		path := filepath.Join(b.TempDir(), fmt.Sprint(n))
		for _, what := range []string{"fill", "look"} {
			ix, err := sqlite.Open(b.Context(), path, sqlite.Options{})
			if err != nil {
				b.Fatal(err)
			}
			began := time.Now()
			st, err := store.Open(b.Context(), drv, ix, store.Options{})
			if err != nil {
				b.Fatal(err)
			}
			slowest, peak := askMeanwhile(b, st)
			b.ReportMetric(time.Since(began).Seconds(), "s/"+what)
			b.ReportMetric(float64(slowest.Microseconds()), "µs-slowest/"+what)
			b.ReportMetric(float64(peak)/(1<<20), "MB/"+what)
			if err := st.Close(); err != nil {
				b.Fatal(err)
			}
			if err := ix.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// askMeanwhile resolves tags until the index is filled, and gives the time of
// the slowest but one in a thousand, and the most memory.
func askMeanwhile(b *testing.B, st *store.Store) (slowest time.Duration, peak uint64) {
	b.Helper()
	var times []time.Duration
	var mem runtime.MemStats
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-st.Reconciled():
			return worst(times), peak
		case <-tick.C:
		}
		began := time.Now()
		if _, err := st.ResolveTag(b.Context(), fmt.Sprintf("team/app%06d", n%200), "v00007"); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(began))
		if n%100 == 0 {
			runtime.ReadMemStats(&mem)
			peak = max(peak, mem.HeapInuse)
		}
	}
}

func worst(times []time.Duration) time.Duration {
	var most time.Duration
	over := len(times) / 1000
	for range over + 1 {
		most = 0
		at := 0
		for i, d := range times {
			if d > most {
				most, at = d, i
			}
		}
		times[at] = 0
	}
	return most
}
