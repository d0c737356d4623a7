package filesystem

import (
	"testing"
)

func TestADroppedUploadLeavesNothing(t *testing.T) {
	t.Parallel()
	d, err := Open(Options{RootDirectory: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	w, err := d.Append(t.Context(), "up/1/data", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := w.(*writer).Drop(); err != nil {
		t.Fatal(err)
	}
	if err := w.Sync(); err == nil {
		t.Error("what was dropped can be synced")
	}
	if n := len(d.births.below(d.file("up"))); n != 2 {
		t.Fatalf("%d folders are pending: the test tests nothing", n)
	}
	if err := d.Delete(t.Context(), "up/1"); err != nil {
		t.Fatal(err)
	}
	if n := len(d.births.below(d.file("up"))); n != 1 {
		t.Errorf("%d folders are pending", n)
	}
}
