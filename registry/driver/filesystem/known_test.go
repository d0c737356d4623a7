package filesystem

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestAFolderThatAnotherProgramDeletedIsMadeAgain(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, gone := range []string{"a/b/c/d", "a/b", "a"} {
		for n := range 3 { // the second finds the folders, the third knows them
			if err := d.Put(t.Context(), fmt.Sprintf("a/b/c/d/%d", n), []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if !d.known.has(filepath.Join(d.Root(), "a", "b", "c", "d")) {
			t.Error("a folder with two files is not known")
		}
		if err := os.RemoveAll(d.file(gone)); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"a/b/c/d/late", "a/b/other/late"} {
			if err := d.Put(t.Context(), key, []byte(gone)); err != nil {
				t.Fatalf("after %s was deleted: %v", gone, err)
			}
			f, err := d.Open(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(f)
			if err != nil || string(b) != gone || f.Close() != nil {
				t.Errorf("%s holds %q, %v", key, b, err)
			}
		}
	}
}

func TestWhatIsKnownOfFoldersIsBounded(t *testing.T) {
	t.Parallel()
	var k known
	for n := range 2 * maxKnown {
		k.add(fmt.Sprintf("/f%d", n))
	}
	if len(k.paths) != maxKnown {
		t.Errorf("%d folders are remembered, want %d", len(k.paths), maxKnown)
	}
	if !k.has(fmt.Sprintf("/f%d", 2*maxKnown-1)) {
		t.Error("the last is not among them")
	}
}
