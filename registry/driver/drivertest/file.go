package drivertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"berth/registry/driver"
)

func putIsReadBack(t *testing.T, d driver.Driver) {
	put(t, d, "a", "1")
	put(t, d, "deep/er/and/deeper/b", "two")
	want(t, d, "a", "1")
	want(t, d, "deep/er/and/deeper/b", "two")
}

func putReplacesWhole(t *testing.T, d driver.Driver) {
	put(t, d, "x/link", strings.Repeat("long", 100))
	put(t, d, "x/link", "short")
	want(t, d, "x/link", "short")
	if got := list(t, d, "x"); got != "x/link" {
		t.Errorf("after a replacement the folder lists %q", got)
	}
}

func emptyFile(t *testing.T, d driver.Driver) {
	put(t, d, "x/empty", "")
	want(t, d, "x/empty", "")
	write(t, d, "x/created", 0, "")
	want(t, d, "x/created", "")
}

func missingKey(t *testing.T, d driver.Driver) {
	put(t, d, "here/file", "1")
	gone(t, d, "no", "no/where", "here/no")
	if err := d.Delete(t.Context(), "here/no"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("delete: %v", err)
	}
	if _, err := d.Append(t.Context(), "here/no", 5); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("append at 5: %v", err)
	}
	for _, err := range d.List(t.Context(), "here/no") {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("list: %v", err)
		}
		return
	}
	t.Error("the list of a missing folder is empty, and should be an error")
}

func belowAFile(t *testing.T, d driver.Driver) {
	put(t, d, "file", "1")
	gone(t, d, "file/below")
	if err := d.Delete(t.Context(), "file/below"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("delete: %v", err)
	}
	if err := d.Put(t.Context(), "file/below/it", nil); err == nil {
		t.Error("a file became a folder")
	}
	want(t, d, "file", "1")
}

func malformedKeys(t *testing.T, d driver.Driver) {
	ctx := t.Context()
	put(t, d, "ok", "1")
	for _, key := range []string{"", ".", "..", "/a", "a/", "a//b", "a/../b", "../a", "a/.", "./a", "a\x00b", `a\b`} {
		_, err1 := d.Stat(ctx, key)
		_, err2 := d.Open(ctx, key)
		_, err3 := d.Append(ctx, key, 0)
		errs := []error{
			err1, err2, d.Put(ctx, key, nil), err3, d.Move(ctx, key, "x"), d.Move(ctx, "ok", key), d.Delete(ctx, key),
		}
		for _, err := range d.List(ctx, key) {
			if key != "" {
				errs = append(errs, err)
			}
			break
		}
		for i, err := range errs {
			if !errors.Is(err, driver.ErrKey) {
				t.Errorf("key %q, operation %d: %v; want ErrKey", key, i, err)
			}
		}
	}
	want(t, d, "ok", "1")
}

func cancelledContext(t *testing.T, d driver.Driver) {
	put(t, d, "a", "1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err1 := d.Stat(ctx, "a")
	_, err2 := d.Open(ctx, "a")
	_, err3 := d.Append(ctx, "a", 0)
	errs := []error{err1, err2, d.Put(ctx, "a", nil), err3, d.Move(ctx, "a", "b"), d.Delete(ctx, "a")}
	for _, err := range d.List(ctx, "") {
		errs = append(errs, err)
	}
	for i, err := range errs {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("operation %d: %v; want context.Canceled", i, err)
		}
	}
	want(t, d, "a", "1")
}

func statKinds(t *testing.T, d driver.Driver) {
	put(t, d, "folder/file", "123")
	want(t, d, "folder/file", "123")
	info, err := d.Stat(t.Context(), "folder")
	if err != nil || !info.Dir || info.Size != 0 || info.Key != "folder" {
		t.Errorf("stat of a folder = %+v, %v", info, err)
	}
}

func fileOverFolder(t *testing.T, d driver.Driver) {
	put(t, d, "folder/file", "1")
	put(t, d, "other", "2")
	if err := d.Put(t.Context(), "folder", []byte("3")); err == nil {
		t.Error("a put replaced a folder")
	}
	if err := d.Move(t.Context(), "other", "folder"); err == nil {
		t.Error("a move replaced a folder")
	}
	if _, err := d.Append(t.Context(), "folder", 0); err == nil {
		t.Error("an append opened a folder")
	}
	want(t, d, "folder/file", "1")
	want(t, d, "other", "2")
	if got := list(t, d, ""); got != "folder/ other" {
		t.Errorf("the root lists %q", got)
	}
}

func openSeeks(t *testing.T, d driver.Driver) {
	put(t, d, "a", "0123456789")
	f, err := d.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if end, err := f.Seek(0, io.SeekEnd); err != nil || end != 10 {
		t.Errorf("seek to the end: %d, %v", end, err)
	}
	if _, err := f.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); string(b) != "456789" || err != nil {
		t.Errorf("from 4 on: %q, %v", b, err)
	}
}

func openSurvives(t *testing.T, d driver.Driver) {
	put(t, d, "a", "old")
	f, err := d.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	put(t, d, "a", "the new content")
	b, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); string(b) != "old" || err != nil {
		t.Errorf("a reader from before the replacement got %q, %v", b, err)
	}
	want(t, d, "a", "the new content")
}

func contentIsCopied(t *testing.T, d driver.Driver) {
	b := []byte("mine")
	if err := d.Put(t.Context(), "put", b); err != nil {
		t.Fatal(err)
	}
	w, err := d.Append(t.Context(), "appended", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	copy(b, "xxxx")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, d, "put", "mine")
	want(t, d, "appended", "mine")
}

func bigFile(t *testing.T, d driver.Driver) {
	block := bytes.Repeat([]byte("0123456789abcdef"), 1<<14) // 256 KiB
	w, err := d.Append(t.Context(), "big/data", 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 { // past any threshold of writing ahead
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
		if i == 20 {
			if err := w.Sync(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := d.Open(t.Context(), "big/data")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	got := make([]byte, len(block))
	for i := range 40 {
		if _, err := io.ReadFull(f, got); err != nil || !bytes.Equal(got, block) {
			t.Fatalf("block %d differs (%v)", i, err)
		}
	}
	if n, err := f.Read(got); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %d, %v", n, err)
	}
}

func oddNames(t *testing.T, d driver.Driver) {
	long := strings.Repeat("n", 128)
	keys := []string{
		"a/" + strings.Repeat("d0/", 60) + "deep", "tags/" + long, "_uploads/1/hashstates/sha256/0",
		"tags/V1.0", "tags/_", "names/a..b", "names/a__b", "names/a-.b", "names/...",
	}
	for i, key := range keys {
		put(t, d, key, strings.Repeat("x", i))
	}
	for i, key := range keys {
		want(t, d, key, strings.Repeat("x", i))
	}
}
