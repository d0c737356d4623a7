package portable_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"berth/registry/driver"
	"berth/registry/driver/drivertest/picky"
	"berth/registry/driver/memory"
	"berth/registry/driver/portable"
)

// The rules under test, each beside the file system that has them.
var systems = map[string]struct {
	wrap  portable.Rules
	picky picky.Rules
}{
	"case is ignored": {portable.Rules{Fold: true}, picky.Rules{Fold: true, MaxName: 255}},
	"Windows":         {portable.Rules{Fold: true, Windows: true}, picky.Rules{Fold: true, Windows: true, MaxName: 255}},
	"NTFS elsewhere":  {portable.Rules{Fold: true, Windows: true}, picky.Rules{Fold: true, Windows: true, Refuse: true, MaxName: 255}},
	"short names":     {portable.Rules{MaxName: 143}, picky.Rules{MaxName: 143}},
	"all of it":       {portable.Rules{Fold: true, Windows: true, MaxName: 64}, picky.Rules{Fold: true, Windows: true, MaxName: 64}},
}

// on gives a driver over a memory that is as picky as the named system.
func on(system string) (d *portable.Driver, disk *picky.Driver) {
	disk = picky.New(memory.New(), systems[system].picky)
	return portable.Wrap(disk, systems[system].wrap), disk
}

func names(t testing.TB, d driver.Driver, folder string) []string {
	t.Helper()
	var out []string
	for info, err := range d.List(t.Context(), folder) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, info.Key[len(folder)+1:])
	}
	return out
}

func put(t testing.TB, d driver.Driver, key, content string) {
	t.Helper()
	if err := d.Put(t.Context(), key, []byte(content)); err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
}

func TestNamesOnDiskAreThese(t *testing.T) {
	t.Parallel()
	for part, want := range map[string]string{
		"latest": "latest", "v1.0": "v1.0", "_": "_", "_manifests": "_manifests", "con1": "con1", "com": "com", "a.con": "a.con",
		"Latest": "--latest", "RC-1": "--r-c--1", "V1": "--v1", "con": "-con", "nul.txt": "-nul.txt", "lpt9.tar.gz": "-lpt9.tar.gz",
		"com1": "-com1", "CON": "--c-o-n", "v1.": "-v1-0", "v1..": "-v1.-0", "-x": "---x", "a:b": "-a-93ab", "é": "--9c3-9a9", "aux ": "-aux-920",
	} {
		d, disk := on("Windows")
		put(t, d, "x/"+part, "")
		if got := names(t, disk, "x"); len(got) != 1 || got[0] != want {
			t.Errorf("%q is %q on disk, want %q", part, got, want)
		}
		if got := names(t, d, "x"); len(got) != 1 || got[0] != part {
			t.Errorf("%q is listed as %q", part, got)
		}
	}
}

// FuzzNoTwoPartsHaveOneName takes any two parts, and looks whether both are
// kept, on every system.
func FuzzNoTwoPartsHaveOneName(f *testing.F) {
	for _, pair := range [][2]string{
		{"Latest", "latest"},
		{"con", "-con"},
		{"v1.", "v1"},
		{"--latest", "Latest"},
		{"A", "-a"},
		{strings.Repeat("A", 128), strings.Repeat("a", 128)},
		{strings.Repeat("a", 254) + ".", strings.Repeat("a", 254)},
		{"-1" + strings.Repeat("-", 130), strings.Repeat("-", 131)},
		{"\xff", "ÿ"},
		{strings.Repeat("-1", 60), strings.Repeat("-1", 61)},
		{"nul", "NUL.x"},
		{strings.Repeat(".", 63) + "A", strings.Repeat(".", 64)},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if driver.CheckKey("x/"+a+"/f") != nil || driver.CheckKey("x/"+b+"/f") != nil || strings.Contains(a+b, "/") || len(a) > 300 || len(b) > 300 {
			return
		}
		for system := range systems {
			d, disk := on(system)
			put(t, d, "x/"+a+"/f", a)
			put(t, d, "x/"+b+"/f", b)
			want := slices.Compact(slices.Sorted(slices.Values([]string{a, b})))
			if got := names(t, d, "x"); !slices.Equal(got, want) {
				t.Fatalf("%s: listed %q, want %q; on disk %q", system, got, want, names(t, disk, "x"))
			}
			for _, part := range want {
				info, err := d.Stat(t.Context(), "x/"+part+"/f")
				if err != nil || info.Size != int64(len(part)) || info.Key != "x/"+part+"/f" {
					t.Fatalf("%s: %q: %+v, %v", system, part, info, err)
				}
			}
			if err := d.Delete(t.Context(), "x/"+a); err != nil {
				t.Fatal(err)
			}
			if got := names(t, d, "x"); a != b && !slices.Equal(got, []string{b}) {
				t.Fatalf("%s: after deleting %q: %q, want %q", system, a, got, b)
			}
		}
	})
}

// legal are the names that CNCF distribution's driver accepts.
var legal = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

func TestEveryNameIsOneThatDistributionAccepts(t *testing.T) {
	t.Parallel()
	for system := range systems {
		for _, part := range []string{"Latest", "aux.TXT", "v1.", strings.Repeat("A.", 64), strings.Repeat("x", 255), "a:b", "é"} {
			d, disk := on(system)
			put(t, d, part, "")
			for folder, depth := "", 0; depth < 10; depth++ {
				next := ""
				for info, err := range disk.List(context.Background(), folder) {
					if err != nil {
						t.Fatal(err)
					}
					next = info.Key
					name := info.Key[strings.LastIndexByte(info.Key, '/')+1:]
					if name != part && !legal.MatchString(name) {
						t.Errorf("%s: %q became %q", system, part, name)
					}
					if !info.Dir {
						depth = 10
					}
				}
				folder = next
			}
		}
	}
}

func TestAKeyOfPlainNamesCostsNothing(t *testing.T) {
	d, _ := on("Windows")
	const key = "docker/registry/v2/blobs/sha256/aa/aabbccddeeff/data"
	if n := testing.AllocsPerRun(100, func() { _ = d.Translate(key) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAKeyOfPlainNames(b *testing.B) {
	d, _ := on("Windows")
	b.ReportAllocs()
	for b.Loop() {
		d.Translate("docker/registry/v2/repositories/team/app/_manifests/revisions/sha256/aa4cf2c9dd4bd5e1b1e3d4f1ad1b5f0e0a6cd1c9dd4bd5e1b1e3d4f1ad1b5f0e/link")
	}
}
