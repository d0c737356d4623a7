package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/drivertest/picky"
	"berth/registry/driver/memory"
	"berth/registry/driver/portable"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// pickySystems treat names as file systems do that are not those of Linux.
var pickySystems = map[string]picky.Rules{
	"case is ignored": {Fold: true, MaxName: 255},
	"Windows":         {Fold: true, Windows: true, MaxName: 255},
	"short names":     {MaxName: 143},
}

// onPicky gives a driver as the program opens it on such a file system.
func onPicky(t testing.TB, system string) driver.Driver {
	t.Helper()
	d, err := portable.For(t.Context(), picky.New(memory.New(), pickySystems[system]))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheStoreKeepsTheContractOnEveryFileSystem(t *testing.T) {
	t.Parallel()
	for system := range pickySystems {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			registrytest.Run(t, func(t *testing.T) registry.Registry {
				return open(t, onPicky(t, system), nil, store.Options{})
			})
		})
	}
}

func TestARandomLifeOnEveryFileSystemIsThatOfTheModel(t *testing.T) {
	t.Parallel()
	for system := range pickySystems {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(5) {
				t.Logf("seed %d", seed)
				playOn(t, onPicky(t, system), registrytest.Bytes(seed, 800), nil)
			}
		})
	}
}

func TestNamesThatFileSystemsDoNotLikeAreServed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("component-", 20)
	repos := []string{"aux", "com1.x", "con/prn", "lpt9/app", long + "x/" + "nul", strings.Repeat("r", 255)}
	tags := []string{"CON", "Latest", "V1.", "aux.TXT", "con", "latest", "v1", "v1.", strings.Repeat("A", 128), strings.Repeat("a", 128)}
	slices.Sort(tags)
	slices.Sort(repos)
	for system := range pickySystems {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			drv := onPicky(t, system)
			st := open(t, drv, nil, store.Options{})
			want := map[string]registry.Digest{}
			for i, repo := range repos {
				for j, tag := range tags {
					m := registrytest.Image(t, st, repo, fmt.Sprint(i, j))
					if _, err := st.PutManifest(t.Context(), repo, m, tag); err != nil {
						t.Fatalf("%s:%s: %v", repo, tag, err)
					}
					want[repo+":"+tag] = m.Digest
				}
			}
			for _, st := range []*store.Store{st, open(t, drv, nil, store.Options{})} {
				if got := list(t, st.Repositories(t.Context(), "")); !slices.Equal(got, repos) {
					t.Errorf("repositories %q", got)
				}
				for _, repo := range repos {
					if got := list(t, st.Tags(t.Context(), repo, "")); !slices.Equal(got, tags) {
						t.Errorf("tags of %s: %q", repo, got)
					}
					for _, tag := range tags {
						if d, err := st.ResolveTag(t.Context(), repo, tag); err != nil || d.Digest != want[repo+":"+tag] {
							t.Errorf("%s:%s: %v, %v", repo, tag, d.Digest, err)
						}
					}
				}
			}
		})
	}
}
