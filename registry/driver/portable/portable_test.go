package portable_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"berth/registry/driver"
	"berth/registry/driver/drivertest"
	"berth/registry/driver/drivertest/picky"
	"berth/registry/driver/memory"
	"berth/registry/driver/portable"
)

func TestPortableKeepsTheContractOnEverySystem(t *testing.T) {
	t.Parallel()
	for system := range systems {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			drivertest.Run(t, func(*testing.T) driver.Driver {
				d, _ := on(system)
				return d
			})
		})
	}
}

func TestWithoutItThePickyDriversLoseKeys(t *testing.T) {
	t.Parallel()
	d := picky.New(memory.New(), picky.Rules{Fold: true, Windows: true, MaxName: 255})
	put(t, d, "x/latest", "1")
	put(t, d, "x/Latest", "22")
	put(t, d, "x/v1", "1")
	put(t, d, "x/v1.", "22")
	if got := names(t, d, "x"); !slices.Equal(got, []string{"latest", "v1"}) {
		t.Errorf("listed %q", got)
	}
	for _, name := range []string{"con", "AUX.txt", "lpt9", "a:b", strings.Repeat("x", 256), "..."} {
		if err := d.Put(t.Context(), "x/"+name, nil); !errors.Is(err, picky.ErrName) {
			t.Errorf("put %s: %v", name, err)
		}
	}
}

func TestTheRulesAreFoundByLooking(t *testing.T) {
	t.Parallel()
	for system, rules := range systems {
		for _, folder := range []string{"", "berth/lock", "docker/registry/v2/repositories/app/_layers/x"} {
			disk := picky.New(memory.New(), rules.picky)
			if folder != "" {
				put(t, disk, folder, "")
			}
			got, err := portable.Probe(t.Context(), disk)
			if err != nil || got != rules.wrap {
				t.Errorf("%s: found %+v, %v; want %+v", system, got, err, rules.wrap)
			}
			for info, err := range disk.List(t.Context(), "berth") {
				if err == nil && info.Key != "berth/lock" {
					t.Errorf("%s: the probe left %s", system, info.Key)
				}
			}
		}
	}
}

func TestAnOrdinaryDriverIsNotWrapped(t *testing.T) {
	t.Parallel()
	for _, also := range []string{"docker/registry/v2/repositories/a", "DOCKER/x"} {
		inner := memory.New()
		put(t, inner, "docker/x", "")
		put(t, inner, also, "")
		d, err := portable.For(t.Context(), inner)
		if err != nil || d != driver.Driver(inner) {
			t.Errorf("it gave %T, %v", d, err)
		}
	}
}

const tagsFolder = "docker/registry/v2/repositories/app/_manifests/tags"

func link(tag string) string { return tagsFolder + "/" + tag + "/current/link" }

func content(t testing.TB, d driver.Driver, key string) string {
	t.Helper()
	f, err := d.Open(t.Context(), key)
	if errors.Is(err, fs.ErrNotExist) {
		return "nothing"
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestTagsThatDistributionWroteAreServedWhereTheyLie also looks at what differs
// from them by case: that is another tag.
func TestTagsThatDistributionWroteAreServedWhereTheyLie(t *testing.T) {
	t.Parallel()
	for _, system := range []string{"case is ignored", "Windows"} {
		d, disk := on(system)
		put(t, disk, link("Latest"), "theirs")
		if got := content(t, d, link("Latest")); got != "theirs" {
			t.Errorf("Latest is %s", got)
		}
		if got := content(t, d, link("latest")); got != "nothing" {
			t.Errorf("latest is %s", got)
		}
		put(t, d, link("Latest"), "overwritten")
		put(t, d, link("latest"), "ours")
		put(t, d, link("LATEST"), "ours, too")
		if got := content(t, disk, link("Latest")); got != "overwritten" {
			t.Errorf("on disk Latest is %s", got)
		}
		if got := names(t, d, tagsFolder); !slices.Equal(got, []string{"LATEST", "Latest", "latest"}) {
			t.Errorf("listed %q", got)
		}
		for tag, want := range map[string]string{"latest": "ours", "LATEST": "ours, too", "Latest": "overwritten"} {
			if got := content(t, d, link(tag)); got != want {
				t.Errorf("%s is %s, want %s", tag, got, want)
			}
		}
		if err := d.Delete(t.Context(), tagsFolder+"/Latest"); err != nil {
			t.Fatal(err)
		}
		if got := names(t, d, tagsFolder); !slices.Equal(got, []string{"LATEST", "latest"}) {
			t.Errorf("after the delete: %q", got)
		}
		if got := content(t, d, link("latest")); got != "ours" {
			t.Errorf("after the delete latest is %s", got)
		}
	}
}

func TestWhatDistributionWritesBesideOursIsListedOnce(t *testing.T) {
	t.Parallel()
	d, disk := on("Windows")
	put(t, d, link("Latest"), "ours")
	put(t, disk, link("Latest"), "theirs")
	put(t, disk, link("other"), "theirs")
	if got := names(t, d, tagsFolder); !slices.Equal(got, []string{"Latest", "other"}) {
		t.Errorf("listed %q", got)
	}
	if got := content(t, d, link("Latest")); got != "ours" {
		t.Errorf("Latest is %s", got)
	}
	if err := driver.Apply(t.Context(), d, driver.Delete{Key: tagsFolder + "/Latest"}); err != nil {
		t.Fatal(err)
	}
	if got := content(t, d, link("Latest")); got != "nothing" {
		t.Errorf("after the delete Latest is %s", got)
	}
	if got := names(t, disk, tagsFolder); !slices.Equal(got, []string{"other"}) {
		t.Errorf("on disk: %q", got)
	}
}

func TestATagIsFoundAgainAfterItsSpellingChangedOnDisk(t *testing.T) {
	t.Parallel()
	d, disk := on("case is ignored")
	put(t, d, link("latest"), "ours")
	if got := content(t, d, link("latest")); got != "ours" {
		t.Fatalf("latest is %s", got)
	}
	if err := disk.Delete(t.Context(), tagsFolder+"/latest"); err != nil {
		t.Fatal(err)
	}
	put(t, disk, link("Latest"), "theirs")
	if a, b := content(t, d, link("latest")), content(t, d, link("Latest")); a != "nothing" || b != "theirs" {
		t.Errorf("latest is %s, Latest is %s", a, b)
	}
}

func TestForeignNamesAreNobodysKeys(t *testing.T) {
	t.Parallel()
	d, disk := on("Windows")
	put(t, d, "x/good", "")
	for _, name := range []string{"Capital", "-", "--", "-good", "--1", "-9zz", "--good-", "-x-9", "+plus"} {
		put(t, disk, "x/"+name, "")
	}
	if got := names(t, d, "x"); !slices.Equal(got, []string{"+plus", "good"}) {
		t.Errorf("listed %q", got)
	}
}

func TestSeveralChangesAreTranslatedTogether(t *testing.T) {
	t.Parallel()
	d, _ := on("Windows")
	put(t, d, "x/Up", "bytes")
	err := driver.Apply(t.Context(), d, driver.Put{Key: "x/Con", Content: []byte("1")}, driver.Move{From: "x/Up", To: "x/up"},
		driver.Put{Key: link("V1."), Content: []byte("2")}, driver.Delete{Key: "x/Con"}, driver.Delete{Key: "x/missing"})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := names(t, d, "x"), names(t, d, tagsFolder); !slices.Equal(a, []string{"up"}) || !slices.Equal(b, []string{"V1."}) {
		t.Errorf("listed %q and %q", a, b)
	}
}

// full is a driver with abilities beside those of every driver.
type full struct {
	*memory.Driver
	closed bool
}

func (f *full) Close() error                                       { f.closed = true; return nil }
func (f *full) Space(context.Context) (free, total int64, _ error) { return 1, 2, nil }

func TestAbilitiesOfWhatIsWrappedAreFound(t *testing.T) {
	t.Parallel()
	inner := &full{Driver: memory.New()}
	d := portable.Wrap(inner, portable.Rules{Fold: true})
	if s, ok := driver.As[driver.Spacer](d); !ok {
		t.Error("no space")
	} else if free, total, err := s.Space(t.Context()); free != 1 || total != 2 || err != nil {
		t.Errorf("space %d of %d, %v", free, total, err)
	}
	if err := d.Close(); err != nil || !inner.closed {
		t.Errorf("closed %v, %v", inner.closed, err)
	}
	for _, ability := range []bool{is[driver.Walker](d), is[driver.Batcher](d)} {
		if !ability {
			t.Error("an ability with keys is found in what is wrapped")
		}
	}
}

func is[T any](d driver.Driver) bool {
	found, _ := driver.As[T](d)
	own, ok := any(found).(*portable.Driver)
	return ok && own == d.(*portable.Driver)
}
