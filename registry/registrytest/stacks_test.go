package registrytest_test

import (
	"errors"
	"path/filepath"
	"testing"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/filesystem"
	"berth/registry/driver/memory"
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
