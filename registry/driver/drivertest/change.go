package drivertest

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"berth/registry/driver"
)

func appendResumes(t *testing.T, d driver.Driver) {
	write(t, d, "up/1/data", 0, "hello ")
	write(t, d, "up/1/data", 6, "world")
	want(t, d, "up/1/data", "hello world")
	write(t, d, "up/1/data", 11, "")
	want(t, d, "up/1/data", "hello world")
	write(t, d, "up/1/data", 0, "anew")
	want(t, d, "up/1/data", "anew")
}

func appendOffset(t *testing.T, d driver.Driver) {
	put(t, d, "a", "12345")
	for _, offset := range []int64{1, 4, 6, 1 << 40} {
		if _, err := d.Append(t.Context(), "a", offset); !errors.Is(err, driver.ErrOffset) {
			t.Errorf("append at %d of 5: %v; want ErrOffset", offset, err)
		}
	}
	want(t, d, "a", "12345")
}

func seenBeforeClose(t *testing.T, d driver.Driver) {
	w, err := d.Append(t.Context(), "up/data", 0)
	if err != nil {
		t.Fatal(err)
	}
	want(t, d, "up/data", "")
	if _, err := io.WriteString(w, "half"); err != nil {
		t.Fatal(err)
	}
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	want(t, d, "up/data", "half")
	if _, err := io.WriteString(w, " and half"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, d, "up/data", "half and half")
}

func closedWriter(t *testing.T, d driver.Driver) {
	w, err := d.Append(t.Context(), "a", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("late")); err == nil {
		t.Error("a write after close succeeded")
	}
	if err := w.Close(); err == nil {
		t.Error("a second close succeeded")
	}
	want(t, d, "a", "")
}

func moveReplaces(t *testing.T, d driver.Driver) {
	write(t, d, "up/1/data", 0, "blob")
	if err := d.Move(t.Context(), "up/1/data", "blobs/aa/data"); err != nil {
		t.Fatal(err)
	}
	gone(t, d, "up/1/data")
	want(t, d, "blobs/aa/data", "blob")
	put(t, d, "up/2/data", "other")
	if err := d.Move(t.Context(), "up/2/data", "blobs/aa/data"); err != nil {
		t.Fatal(err)
	}
	gone(t, d, "up/2/data")
	want(t, d, "blobs/aa/data", "other")
	if got := list(t, d, "blobs/aa"); got != "blobs/aa/data" {
		t.Errorf("after two moves the folder lists %q", got)
	}
}

func moveMissing(t *testing.T, d driver.Driver) {
	put(t, d, "there", "1")
	for _, from := range []string{"no", "no/where", "there/below"} {
		for _, to := range []string{"there", "new/folder/x"} {
			if err := d.Move(t.Context(), from, to); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("move %s to %s: %v; want fs.ErrNotExist", from, to, err)
			}
		}
	}
	want(t, d, "there", "1")
	gone(t, d, "new/folder/x")
}

func moveOntoItself(t *testing.T, d driver.Driver) {
	put(t, d, "x/a", "1")
	if err := d.Move(t.Context(), "x/a", "x/a"); err != nil {
		t.Error(err)
	}
	want(t, d, "x/a", "1")
}

// moveWhileWriting: what is written after a move goes to the same file, or is
// refused; it never makes a second one.
func moveWhileWriting(t *testing.T, d driver.Driver) {
	write(t, d, "up/data", 0, "whole")
	if err := d.Move(t.Context(), "up/data", "blob"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Append(t.Context(), "up/data", 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("append to what was moved: %v", err)
	}
	want(t, d, "blob", "whole")
}

func deleteFile(t *testing.T, d driver.Driver) {
	put(t, d, "x/a", "1")
	put(t, d, "x/ab", "2")
	if err := d.Delete(t.Context(), "x/a"); err != nil {
		t.Fatal(err)
	}
	gone(t, d, "x/a")
	want(t, d, "x/ab", "2")
	if err := d.Delete(t.Context(), "x/a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("second delete: %v", err)
	}
}

func deleteTree(t *testing.T, d driver.Driver) {
	for _, key := range []string{"r/a/1", "r/a/b/2", "r/a/b/c/3", "r/ab/4", "r/z"} {
		put(t, d, key, key)
	}
	if err := d.Delete(t.Context(), "r/a"); err != nil {
		t.Fatal(err)
	}
	gone(t, d, "r/a", "r/a/1", "r/a/b", "r/a/b/c/3")
	if got := list(t, d, "r"); got != "r/ab/ r/z" {
		t.Errorf("the folder lists %q", got)
	}
	want(t, d, "r/ab/4", "r/ab/4")
	want(t, d, "r/z", "r/z")
}

func deleteAndAgain(t *testing.T, d driver.Driver) {
	for range 3 {
		put(t, d, "repo/a/b/link", "1")
		write(t, d, "repo/a/data", 0, "2")
		if err := d.Delete(t.Context(), "repo"); err != nil {
			t.Fatal(err)
		}
		gone(t, d, "repo", "repo/a/b/link", "repo/a/data")
	}
}

func listLexical(t *testing.T, d driver.Driver) {
	for _, name := range []string{"b", "a", "Z", "a-b/x", "a.b", "10", "9", "_x", "ab/y/z"} {
		put(t, d, "l/"+name, "")
	}
	if got := list(t, d, "l"); got != "l/10 l/9 l/Z l/_x l/a l/a-b/ l/a.b l/ab/ l/b" {
		t.Errorf("list = %q", got)
	}
	for info, err := range d.List(t.Context(), "l/a-b") {
		if err != nil || info.Key != "l/a-b/x" || info.Dir || info.Modified.IsZero() {
			t.Errorf("list of l/a-b yields %+v, %v", info, err)
		}
	}
}

func listRoot(t *testing.T, d driver.Driver) {
	if got := list(t, d, ""); got != "" {
		t.Errorf("an empty driver lists %q", got)
	}
	put(t, d, "b/c", "")
	put(t, d, "a", "")
	if got := list(t, d, ""); got != "a b/" {
		t.Errorf("the root lists %q", got)
	}
}

func listStops(t *testing.T, d driver.Driver) {
	for _, key := range []string{"l/a", "l/b/x", "l/c"} {
		put(t, d, key, "")
	}
	n := 0
	for _, err := range d.List(t.Context(), "l") {
		if err != nil {
			t.Fatal(err)
		}
		n++
		break
	}
	if w, ok := driver.As[driver.Walker](d); ok {
		for range w.Walk(t.Context(), "l") {
			n++
			break
		}
		n--
	}
	if n != 1 {
		t.Errorf("it went on %d times", n-1)
	}
}

func walk(t *testing.T, d driver.Driver) {
	w, ok := driver.As[driver.Walker](d)
	if !ok {
		return // an optional ability
	}
	var all []string
	for _, key := range []string{"w/a/1", "w/a/b/2", "w/c", "w/d/e/f/3", "wx/no"} {
		put(t, d, key, "12")
		all = append(all, key)
	}
	keys := func(prefix string) string {
		var got []string
		for info, err := range w.Walk(t.Context(), prefix) {
			if err != nil || info.Dir || info.Size != 2 || info.Modified.IsZero() {
				t.Errorf("walk %q yields %+v, %v", prefix, info, err)
			}
			got = append(got, info.Key)
		}
		slices.Sort(got)
		return strings.Join(got, " ")
	}
	if got := keys("w"); got != strings.Join(all[:4], " ") {
		t.Errorf("walk of w: %s", got)
	}
	if got := keys(""); got != strings.Join(all, " ") {
		t.Errorf("walk of the root: %s", got)
	}
	for _, err := range w.Walk(t.Context(), "no") {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("walk of a missing folder: %v", err)
		}
	}
}

func space(t *testing.T, d driver.Driver) {
	s, ok := driver.As[driver.Spacer](d)
	if !ok {
		return // an optional ability
	}
	free, total, err := s.Space(t.Context())
	if err != nil || free < 0 || total <= 0 || free > total {
		t.Errorf("%d of %d bytes free, %v", free, total, err)
	}
}
