package drivers_test

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"berth/registry/driver"
	"berth/registry/driver/drivers"
	"berth/registry/driver/filesystem"
)

func TestTheTableOpensItsDrivers(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "100")
	for _, threads := range []any{100, "100", int64(100), nil} {
		d, err := drivers.Open("filesystem", map[string]any{"rootdirectory": root, "maxthreads": threads})
		if err != nil {
			t.Fatalf("maxthreads %v: %v", threads, err)
		}
		if f, ok := driver.As[*filesystem.Driver](d); !ok || f.Root() != root {
			t.Errorf("opened %T", d)
		}
		if c, ok := driver.As[io.Closer](d); !ok || c.Close() != nil {
			t.Errorf("%T cannot be closed", d)
		}
	}
	d, err := drivers.Open("inmemory", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), "x", nil); err != nil {
		t.Error(err)
	}
}

func TestWhatDoesNotExistIsRefusedWithWhatDoes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		options map[string]any
		want    []string
	}{
		{"tape", nil, []string{`"tape"`, "filesystem, inmemory"}},
		{"", nil, []string{"filesystem, inmemory"}},
		{"filesystem", map[string]any{"rootdir": "/x"}, []string{`"rootdir"`, "rootdirectory, maxthreads"}},
		{"filesystem", map[string]any{"rootdirectory": "x", "maxthreads": "many"}, []string{"maxthreads", "many"}},
		{"filesystem", nil, []string{"rootdirectory is empty"}},
		{"inmemory", map[string]any{"size": 1}, []string{`"size"`, "there are none"}},
	} {
		d, err := drivers.Open(test.name, test.options)
		if err == nil {
			t.Errorf("%s %v opened %T", test.name, test.options, d)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s %v: %v; it does not say %s", test.name, test.options, err, want)
			}
		}
	}
}
