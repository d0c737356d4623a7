package faulty_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"berth/registry/driver"
	"berth/registry/driver/drivertest"
	"berth/registry/driver/faulty"
	"berth/registry/driver/memory"
)

func TestWithoutAPlanItKeepsTheContractOfDrivers(t *testing.T) {
	t.Parallel()
	drivertest.Run(t, func(*testing.T) driver.Driver { return faulty.New(memory.New(), faulty.Plan{}) })
}

// scenario has six operations; it stops at the first error.
func scenario(ctx context.Context, d driver.Driver) error {
	if err := d.Put(ctx, "x/link", []byte("link")); err != nil {
		return err
	}
	w, err := d.Append(ctx, "up/data", 0)
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte("blob")); err != nil {
		return errors.Join(err, w.Close())
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := d.Move(ctx, "up/data", "blobs/data"); err != nil {
		return err
	}
	return d.Delete(ctx, "x")
}

// state says what is on the disk, in one line.
func state(t *testing.T, d driver.Driver) string {
	t.Helper()
	s := ""
	for info, err := range d.(driver.Walker).Walk(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		s += fmt.Sprintf("%s=%d ", info.Key, info.Size)
	}
	return s
}

func TestACutLeavesWhatThePlanSays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		effect faulty.Effect
		drop   bool
		want   []string // after a cut at 1, 2, …
	}{
		{faulty.None, false, []string{"", "x/link=4 ", "up/data=0 x/link=4 ", "up/data=4 x/link=4 ", "up/data=4 x/link=4 ", "blobs/data=4 x/link=4 ", "blobs/data=4 "}},
		{faulty.Torn, false, []string{"", "x/link=4 ", "up/data=2 x/link=4 ", "up/data=4 x/link=4 ", "up/data=4 x/link=4 ", "blobs/data=4 ", "blobs/data=4 "}},
		{faulty.Done, false, []string{"x/link=4 ", "up/data=0 x/link=4 ", "up/data=4 x/link=4 ", "up/data=4 x/link=4 ", "blobs/data=4 x/link=4 ", "blobs/data=4 ", "blobs/data=4 "}},
		{faulty.Done, true, []string{"x/link=4 ", "x/link=4 ", "x/link=4 ", "up/data=4 x/link=4 ", "blobs/data=4 x/link=4 ", "blobs/data=4 ", "blobs/data=4 "}},
		{faulty.None, true, []string{"", "x/link=4 ", "x/link=4 ", "x/link=4 ", "up/data=4 x/link=4 ", "blobs/data=4 x/link=4 ", "blobs/data=4 "}},
	}
	for _, test := range tests {
		for i, want := range test.want {
			disk := memory.New()
			d := faulty.New(disk, faulty.Plan{At: i + 1, Effect: test.effect, Drop: test.drop})
			err := scenario(t.Context(), d)
			last := i == len(test.want)-1
			if errors.Is(err, faulty.ErrCut) == last || d.Fired() == last {
				t.Errorf("effect %d, cut at %d: %v, fired %v", test.effect, i+1, err, d.Fired())
			}
			if got := state(t, disk); got != want {
				t.Errorf("effect %d, drop %v, cut at %d leaves %q, want %q", test.effect, test.drop, i+1, got, want)
			}
			if _, err := d.Stat(t.Context(), "x"); !last && !errors.Is(err, faulty.ErrCut) {
				t.Errorf("effect %d, after the cut at %d: %v", test.effect, i+1, err)
			}
		}
	}
}

func TestAFailureOnceLetsTheRestGoOn(t *testing.T) {
	t.Parallel()
	disk := memory.New()
	d := faulty.New(disk, faulty.Plan{At: 2, Once: true, Err: driver.ErrNoSpace})
	if err := scenario(t.Context(), d); !errors.Is(err, driver.ErrNoSpace) {
		t.Fatalf("the second operation: %v; want ErrNoSpace", err)
	}
	if err := scenario(t.Context(), d); err != nil {
		t.Fatalf("the second time: %v", err)
	}
	if n := d.Count(); n != 2+6 {
		t.Errorf("%d operations were counted, want 8", n)
	}
}

func TestOnlyWritesAreCountedWhenThePlanSaysSo(t *testing.T) {
	t.Parallel()
	d := faulty.New(memory.New(), faulty.Plan{At: 1, Writes: true})
	if _, err := d.Stat(t.Context(), "no"); errors.Is(err, faulty.ErrCut) {
		t.Error("a read was counted")
	}
	if err := d.Put(t.Context(), "a", nil); !errors.Is(err, faulty.ErrCut) {
		t.Errorf("the first write: %v", err)
	}
	if _, err := d.Stat(t.Context(), "no"); !errors.Is(err, faulty.ErrCut) {
		t.Errorf("a read after the cut: %v", err)
	}
}

func TestBeforeSeesAndStopsOperations(t *testing.T) {
	t.Parallel()
	var seen []string
	d := faulty.New(memory.New(), faulty.Plan{Before: func(_ context.Context, op faulty.Op) error {
		seen = append(seen, fmt.Sprintf("%d %s %s%s", op.N, op.Kind, op.Key, op.To))
		if op.Kind == faulty.Move {
			return io.ErrUnexpectedEOF
		}
		return nil
	}})
	if err := scenario(t.Context(), d); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the move: %v", err)
	}
	want := "[1 put x/link 2 append up/data 3 write up/data 4 close up/data 5 move up/datablobs/data]"
	if got := fmt.Sprint(seen); got != want {
		t.Errorf("seen %s, want %s", got, want)
	}
}

func TestCutEndsAListThatGoesOn(t *testing.T) {
	t.Parallel()
	d := faulty.New(memory.New(), faulty.Plan{})
	for _, key := range []string{"a", "b", "c"} {
		if err := d.Put(t.Context(), key, nil); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for info, err := range d.List(t.Context(), "") {
		if n++; n == 1 {
			d.Cut()
			continue
		}
		if !errors.Is(err, faulty.ErrCut) {
			t.Errorf("after the cut the list yields %+v, %v", info, err)
		}
	}
	if n != 2 {
		t.Errorf("the list yielded %d times", n)
	}
}
