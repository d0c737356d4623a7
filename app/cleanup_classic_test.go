package app_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"berth/app"
)

// lies gives every file below a folder with its content, and every folder.
func lies(t *testing.T, data string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(data, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			out[path] = "a folder"
			return err
		}
		content, err := os.ReadFile(path)
		info, infoErr := e.Info()
		if infoErr == nil {
			out[path] = fmt.Sprintf("%x at %v", content, info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestADryRunOfGarbageCollectLeavesTheFolderAsItWas looks at a folder of
// distribution and at one of Berth.
func TestADryRunOfGarbageCollectLeavesTheFolderAsItWas(t *testing.T) {
	t.Parallel()
	for _, strange := range []bool{true, false} {
		data := t.TempDir()
		i := start(t, options(t, data, "127.0.0.1:0"))
		i.push("team/app", "v1", "kept")
		i.pushBlob("team/app", []byte("loose"))
		i.pushBlob("layers/only", []byte("no manifest ever came"))
		if err := i.end(); err != nil {
			t.Fatal(err)
		}
		if err := i.Close(); err != nil {
			t.Fatal(err)
		}
		if strange {
			if err := os.RemoveAll(filepath.Join(data, "berth")); err != nil {
				t.Fatal(err)
			}
		}
		before, out := lies(t, data), bytes.Buffer{}
		if err := app.CollectAlone(t.Context(), options(t, data, ""), app.CollectOptions{Out: &out, DryRun: true}); err != nil {
			t.Fatal(err)
		}
		if after := lies(t, data); !maps.Equal(before, after) {
			for path := range after {
				if before[path] != after[path] {
					t.Errorf("changed: %s", path)
				}
			}
			t.Errorf("there were %d files and folders, there are %d", len(before), len(after))
		}
		for _, d := range []string{digestOf([]byte("loose")), digestOf([]byte("no manifest ever came"))} {
			if !strings.Contains(out.String(), "blob eligible for deletion: "+d) {
				t.Errorf("it does not say that %s would go:\n%s", d, &out)
			}
		}
	}
}
