package filesystem_test

import (
	"os"
	"path/filepath"
	"testing"

	"berth/registry/driver/filesystem"
)

func TestTrimTakesOnlyAnEmptyFolder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	d, err := filesystem.Open(filesystem.Options{RootDirectory: root})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	for _, dir := range []string{"empty", "full/inner"} {
		if err := os.MkdirAll(filepath.Join(root, filepath.FromSlash(dir)), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Put(t.Context(), "file", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"empty": true, "full": false, "file": false, "not/there": true} {
		if gone, err := d.Trim(t.Context(), key); gone != want || err != nil {
			t.Errorf("%s: %v, %v", key, gone, err)
		}
		_, err := os.Stat(filepath.Join(root, filepath.FromSlash(key)))
		if (err != nil) != want {
			t.Errorf("%s: %v", key, err)
		}
	}
	if _, err := d.Trim(t.Context(), "berth/journal"); err == nil {
		t.Error("the journal can be trimmed")
	}
}
