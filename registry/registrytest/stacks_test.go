package registrytest_test

import (
	"errors"
	"path/filepath"
	"testing"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/filesystem"
	"berth/registry/driver/memory"
	"berth/registry/index"
	"berth/registry/index/sqlite"
	"berth/registry/registrytest"
	"berth/registry/store"
)

func openStore(t testing.TB, drv driver.Driver) registry.Registry {
	t.Helper()
	s, err := store.Open(t.Context(), drv, nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}

func onFiles(t testing.TB) registry.Registry {
	t.Helper()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return openStore(t, drv)
}

func TestAStoreInMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registry.Registry { return openStore(t, memory.New()) })
}

func TestAStoreOnFilesKeepsTheContract(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registry.Registry { return onFiles(t) })
}

// withIndex waits until the index is trusted, so that lists come from it.
func withIndex(t *testing.T) registry.Registry {
	t.Helper()
	dir := t.TempDir()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: dir})
	if err != nil {
		t.Fatal(err)
	}
	ix, err := sqlite.Open(t.Context(), filepath.Join(dir, "index.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), drv, ix, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), ix.Close()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	<-s.Reconciled()
	return s
}

func TestAStoreWithAnIndexKeepsTheContract(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, withIndex)
}

func TestAClientOfAServerOfAStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registry.Registry { return overHTTP(t, onFiles(t)) })
}

// restarted gives a store on drv that can be opened again, with its index when
// ix is not empty.
func restarted(t *testing.T, drv driver.Driver, ix string) (registry.Registry, func() registry.Registry) {
	t.Helper()
	var closeAll func() error
	open := func() registry.Registry {
		var x index.Index
		closeIndex := func() error { return nil }
		if ix != "" {
			opened, err := sqlite.Open(t.Context(), ix, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			x, closeIndex = opened, opened.Close
		}
		s, err := store.Open(t.Context(), drv, x, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		closeAll = func() error { return errors.Join(s.Close(), closeIndex()) }
		return s
	}
	again := func() registry.Registry {
		if err := closeAll(); err != nil {
			t.Fatalf("close: %v", err)
		}
		return open()
	}
	reg := open()
	t.Cleanup(func() {
		if err := closeAll(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return reg, again
}

// files gives a driver of an empty folder.
func files(t *testing.T) driver.Driver {
	t.Helper()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return drv
}

func TestAStoreInMemoryIsTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	registrytest.RunRestarts(t, func(t *testing.T) (registry.Registry, func() registry.Registry) {
		return restarted(t, memory.New(), "")
	})
}

func TestAStoreOnFilesIsTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	registrytest.RunRestarts(t, func(t *testing.T) (registry.Registry, func() registry.Registry) {
		return restarted(t, files(t), "")
	})
}

func TestAStoreWithAnIndexIsTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	registrytest.RunRestarts(t, func(t *testing.T) (registry.Registry, func() registry.Registry) {
		return restarted(t, files(t), filepath.Join(t.TempDir(), "index.db"))
	})
}

func TestAServerIsTheSameForItsClientsAfterARestart(t *testing.T) {
	t.Parallel()
	registrytest.RunRestarts(t, func(t *testing.T) (registry.Registry, func() registry.Registry) {
		reg, again := restarted(t, files(t), "")
		return overHTTP(t, reg), func() registry.Registry { return overHTTP(t, again()) }
	})
}
