package store_test

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/index"
	"berth/registry/registrytest"
	"berth/registry/store"
)

func pulled(t testing.TB, ix index.Index, repo, tag string, d registry.Digest, n int) {
	t.Helper()
	for range n {
		if err := ix.Apply(t.Context(), index.Pulled{Repository: repo, Tag: tag, Digest: d, At: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatAnotherProgramDeletesCostsNoCountsOfTheRest(t *testing.T) {
	t.Parallel()
	drv, ix := memory.New(), openIndex(t)
	st := open(t, drv, ix, store.Options{})
	ctx := registry.WithCaller(t.Context(), registry.Caller{User: "anna"})
	kept := registrytest.Image(t, st, "app", "kept")
	if _, err := st.PutManifest(ctx, "app", kept, "kept", "gone"); err != nil {
		t.Fatal(err)
	}
	lost := registrytest.PushImage(t, st, "app", "lost")
	<-st.Reconciled()
	pulled(t, ix, "app", "kept", kept.Digest, 3)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	base := v2 + "repositories/app/_manifests/"
	remove(t, drv, base+"tags/gone")
	remove(t, drv, base+"revisions/sha256/"+lost.Digest.Encoded()) // and its tag dangles
	again := open(t, drv, ix, store.Options{})
	<-again.Reconciled()
	got := rows(t, ix, "app")
	if len(got) != 1 || got["kept"].Pulls != 3 || got["kept"].By != "anna" {
		t.Errorf("rows %+v", got)
	}
	if ds, err := ix.Manifests(t.Context(), "app", "", 0); err != nil || !slices.Equal(ds, []registry.Digest{kept.Digest}) {
		t.Errorf("manifests %v, %v", ds, err)
	}
}

// TestWhatAnotherProgramDoesIsSeenWhileWeRun plays hours of a store beside
// another program on the same disk.
func TestWhatAnotherProgramDoesIsSeenWhileWeRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drv, ix := memory.New(), openIndex(t)
		theirs := open(t, drv, nil, store.Options{})
		a := registrytest.PushImage(t, theirs, "app", "v1")
		b := registrytest.PushImage(t, theirs, "app", "v2")
		r := registrytest.PushImage(t, theirs, "renamed", "v1")
		registrytest.PushImage(t, theirs, "removed", "v1")
		st := open(t, drv, ix, store.Options{})
		<-st.Reconciled()
		see := func(after time.Duration, what string, want ...string) {
			t.Helper()
			time.Sleep(after)
			var got []string
			for _, repo := range list(t, st.Repositories(t.Context(), "")) {
				for tag, row := range rows(t, ix, repo) {
					got = append(got, repo+":"+tag+"="+string(row.Descriptor.Digest[7:11]))
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s: the index says %q, want %q", what, got, want)
			}
		}
		short := func(m registry.Manifest) string { return string(m.Digest[7:11]) }
		v1, v2nd := "app:v1="+short(a), "app:v2="+short(b)
		is := registrytest.PushImage(t, theirs, "new/repo", "v1")
		rename(t, drv, v2+"repositories/renamed", v2+"repositories/other")
		remove(t, drv, v2+"repositories/removed")
		time.Sleep(5 * time.Second) // the time of a folder must be told from the next
		renamed, fresh := "other:v1="+short(r), "new/repo:v1="+short(is)
		see(5*time.Minute, "repositories come and go", v1, v2nd, renamed, fresh)

		c := registrytest.PushImage(t, theirs, "app", "v3")
		if err := theirs.DeleteManifest(t.Context(), "app", b.Digest); err != nil {
			t.Fatal(err)
		}
		v3 := "app:v3=" + short(c)
		see(5*time.Minute, "tags come and go", v1, v3, renamed, fresh)

		put(t, drv, map[string]string{v2 + "repositories/app/_manifests/tags/v1/current/link": string(c.Digest)})
		see(2*time.Hour, "a tag is moved to what was there", "app:v1="+short(c), v3, renamed, fresh)
	})
}

// rename moves a folder with everything in it.
func rename(t testing.TB, drv *memory.Driver, from, to string) {
	t.Helper()
	w, _ := driver.As[driver.Walker](drv)
	var keys []string
	for info, err := range w.Walk(t.Context(), from) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, info.Key)
	}
	for _, key := range keys {
		if err := drv.Move(t.Context(), key, to+strings.TrimPrefix(key, from)); err != nil {
			t.Fatal(err)
		}
	}
	remove(t, drv, from)
}

func TestAForeignRepositoryThatARequestFoundIsIndexedSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drv, ix := memory.New(), openIndex(t)
		st := open(t, drv, ix, store.Options{})
		<-st.Reconciled()
		time.Sleep(time.Minute)
		registrytest.PushImage(t, open(t, drv, nil, store.Options{}), "other", "v1")
		if got := list(t, st.Tags(t.Context(), "other", "")); !slices.Equal(got, []string{"v1"}) {
			t.Errorf("tags %v", got)
		}
		time.Sleep(10 * time.Second)
		if got := rows(t, ix, "other"); len(got) != 1 {
			t.Errorf("the index has %v", got)
		}
	})
}

// TestUnknownFilesAndFoldersAreTolerated strews them over the whole tree.
func TestUnknownFilesAndFoldersAreTolerated(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	seed := open(t, drv, nil, store.Options{})
	for _, repo := range []string{"a", "a/b"} {
		registrytest.PushImage(t, seed, repo, "v1")
	}
	var folders []string
	var collect func(folder string)
	collect = func(folder string) {
		for info, err := range drv.List(t.Context(), folder) {
			if err != nil {
				t.Fatal(err)
			}
			if info.Dir {
				folders = append(folders, info.Key)
				collect(info.Key)
			}
		}
	}
	collect("")
	for _, folder := range folders {
		put(t, drv, map[string]string{
			path.Join(folder, ".DS_Store"): "?", path.Join(folder, "lost+found", "x"): "?",
			path.Join(folder, "UPPER case", "y"): "?", path.Join(folder, "desktop.ini"): "?", path.Join(folder, "-dash", "z"): "?",
		})
	}
	ix := openIndex(t)
	st := open(t, drv, ix, store.Options{})
	<-st.Reconciled()
	for name, st := range map[string]*store.Store{"disk": seed, "index": st} {
		if got := list(t, st.Repositories(t.Context(), "")); !slices.Equal(got, []string{"a", "a/b"}) {
			t.Errorf("%s: repositories %q", name, got)
		}
		for _, repo := range []string{"a", "a/b"} {
			if got := list(t, st.Tags(t.Context(), repo, "")); !slices.Equal(got, []string{"v1"}) {
				t.Errorf("%s: tags of %s: %q", name, repo, got)
			}
		}
		if _, err := st.PurgeUploads(t.Context(), time.Time{}); err != nil {
			t.Errorf("%s: purge: %v", name, err)
		}
		for stored, err := range st.Stored(t.Context()) {
			if err != nil || stored.Size == 0 {
				t.Errorf("%s: stored %+v, %v", name, stored, err)
			}
		}
	}
	registrytest.PushImage(t, st, "a", "v2")
	if err := st.DeleteTag(t.Context(), "a", "v1"); err != nil {
		t.Error(err)
	}
}

// TestAFillIsNotBegunAnew stops a store in the midst of its first look at a
// large folder; the next one does not read again what is in the index.
func TestAFillIsNotBegunAnew(t *testing.T) {
	t.Parallel()
	drv, ix := &counting{Driver: memory.New(), stopped: make(chan struct{})}, openIndex(t)
	seed := open(t, drv, nil, store.Options{})
	const repos = 30
	for i := range repos {
		registrytest.PushImage(t, seed, fmt.Sprintf("app%02d", i), "v1")
	}
	drv.stopAt = v2 + "repositories/app20/_manifests/revisions"
	st := open(t, drv, ix, store.Options{})
	<-drv.stopped
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if complete, err := ix.Complete(t.Context()); complete || err != nil {
		t.Fatalf("complete %v, %v", complete, err)
	}
	drv.stopAt = ""
	drv.blobs.Store(0)
	again := open(t, drv, ix, store.Options{})
	<-again.Reconciled()
	// Each new repository has a manifest and a config.
	if n := drv.blobs.Load(); n > 2*(repos-20) {
		t.Errorf("%d contents were read for %d repositories", n, repos-20)
	}
	if got := indexed(t, ix); len(got) != repos {
		t.Errorf("the index has %d repositories", len(got))
	}
}

func indexed(t testing.TB, ix index.Index) []string {
	t.Helper()
	names, err := ix.RepositoryNames(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestAnIndexIsNotEmptiedWhenTheStorageIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drv, ix := &vanishing{Driver: memory.New()}, openIndex(t)
		first := open(t, drv, ix, store.Options{})
		registrytest.PushImage(t, first, "app", "v1")
		<-first.Reconciled()
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		drv.gone.Store(true)
		st := open(t, drv, ix, store.Options{})
		time.Sleep(time.Minute)
		if got := indexed(t, ix); !slices.Equal(got, []string{"app"}) {
			t.Errorf("the index has %q", got)
		}
		drv.gone.Store(false)
		<-st.Reconciled()
		if got := rows(t, ix, "app"); len(got) != 1 {
			t.Errorf("rows %v", got)
		}
	})
}

func TestATimeFromTheFutureIsNow(t *testing.T) {
	t.Parallel()
	drv := &dated{Driver: memory.New()}
	registrytest.PushImage(t, open(t, drv, nil, store.Options{}), "app", "v1")
	drv.ahead = 100 * 365 * 24 * time.Hour
	ix := openIndex(t)
	st := open(t, drv, ix, store.Options{})
	<-st.Reconciled()
	if at := rows(t, ix, "app")["v1"].Pushed; time.Until(at) > 0 || time.Since(at) > time.Hour {
		t.Errorf("pushed at %v", at)
	}
}
