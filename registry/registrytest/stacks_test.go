package registrytest_test

import (
	"testing"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/filesystem"
	"berth/registry/driver/memory"
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

func TestAClientOfAServerOfAStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registry.Registry { return overHTTP(t, onFiles(t)) })
}
