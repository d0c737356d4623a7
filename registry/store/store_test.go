package store_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/filesystem"
	"berth/registry/driver/memory"
	"berth/registry/index"
	"berth/registry/index/sqlite"
	"berth/registry/registrytest"
	"berth/registry/store"
)

func open(t testing.TB, drv driver.Driver, ix index.Index, o store.Options) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), drv, ix, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return st
}

func openIndex(t testing.TB) index.Index {
	t.Helper()
	ix, err := sqlite.Open(context.Background(), ":memory:", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ix.Close() })
	return ix
}

func files(t testing.TB) driver.Driver {
	t.Helper()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return drv
}

func TestTheStoreKeepsTheContractInMemory(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		return open(t, memory.New(), nil, store.Options{})
	})
}

func TestTheStoreKeepsTheContractWithAnIndex(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		return open(t, memory.New(), openIndex(t), store.Options{Park: -1})
	})
}

func TestTheStoreKeepsTheContractOnFiles(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		return open(t, files(t), openIndex(t), store.Options{})
	})
}

func list(t testing.TB, seq iter.Seq2[string, error]) []string {
	t.Helper()
	var out []string
	for name, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, name)
	}
	return out
}

func future() time.Time { return time.Now().Add(time.Hour) }
