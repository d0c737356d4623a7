package single_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"berth/app/single"
)

func TestASecondOwnerLearnsWhoTheFirstIs(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "not", "there", "yet")
	first, err := single.Acquire(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Announce("localhost:5001"); err != nil {
		t.Fatal(err)
	}
	_, err = single.Acquire(data)
	var held *single.HeldError
	if !errors.As(err, &held) || held.PID != os.Getpid() || held.Address != "localhost:5001" {
		t.Fatalf("got %#v", err)
	}
	if err := errors.Join(first.Release(), first.Release()); err != nil {
		t.Fatal(err)
	}
	again, err := single.Acquire(data)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	if err := again.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestTheNoteOfACrashedOwnerDoesNotKeepTheFolder(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if err := os.MkdirAll(filepath.Join(data, "berth"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lock", "lock.owner"} {
		if err := os.WriteFile(filepath.Join(data, "berth", name), []byte("1\nlocalhost:5000\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := single.Acquire(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestTwoFoldersHaveTwoOwners(t *testing.T) {
	t.Parallel()
	for range 2 {
		l, err := single.Acquire(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Release() })
	}
}
