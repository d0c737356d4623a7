package pin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/faulty"
	"berth/registry/driver/filesystem"
	"berth/registry/driver/memory"

	"github.com/opencontainers/go-digest"
)

var at = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func pinOf(repo, tag string, image int) Pin {
	return Pin{Repository: repo, Tag: tag, Digest: digest.FromString(fmt.Sprint(image)), By: "ada", At: at}
}

// held writes all pins in one line each, in order.
func held(t *testing.T, p *Pins) (out []string) {
	t.Helper()
	roots := 0
	for pin, err := range p.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pin.Repository+":"+pin.Tag+"@"+pin.Digest.String())
	}
	for root, err := range p.Roots(t.Context()) {
		if _, damaged := errors.AsType[*registry.UnreadRoot](err); damaged {
			continue
		}
		if err != nil || !slices.Contains(out, strings.TrimPrefix(root.Why, "pinned as ")+"@"+root.Digest.String()) {
			t.Errorf("root %+v, %v, which is no pin", root, err)
		}
		roots++
	}
	if roots != len(out) {
		t.Errorf("%d roots of %d pins", roots, len(out))
	}
	slices.Sort(out)
	return out
}

func open(t *testing.T) driver.Driver {
	t.Helper()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = drv.Close() })
	return drv
}

// TestPinsAreWhatWasPinnedAndNotUnpinned plays random changes against a map,
// with a start in between, and also where there are more pins than are
// remembered.
func TestPinsAreWhatWasPinnedAndNotUnpinned(t *testing.T) {
	t.Parallel()
	for _, most := range []int{maxSeen, 5} {
		drv, model := open(t), map[string]bool{}
		p := New(drv)
		p.most = most
		r := rand.New(rand.NewPCG(1, uint64(most))) //nolint:gosec // a test
		for step := range 200 {
			repo, tag, image := fmt.Sprint("team/app", r.IntN(4)), []string{"v1", "V1", "latest"}[r.IntN(3)], r.IntN(3)
			pin := pinOf(repo, tag, image)
			name := repo + ":" + tag + "@"
			switch r.IntN(5) {
			case 0, 1, 2:
				added, err := p.Add(t.Context(), pin)
				if err != nil || added == model[name+pin.Digest.String()] {
					t.Fatalf("step %d: added is %v, %v", step, added, err)
				}
				model[name+pin.Digest.String()] = true
			case 3:
				gone, err := p.Remove(t.Context(), repo, tag)
				for _, g := range gone {
					if !model[name+g.Digest.String()] {
						t.Errorf("step %d: %+v was not pinned", step, g)
					}
				}
				for k := range model {
					if strings.HasPrefix(k, name) {
						delete(model, k)
						gone = gone[:max(0, len(gone)-1)]
					}
				}
				if err != nil || len(gone) > 0 {
					t.Fatalf("step %d: %d more went, %v", step, len(gone), err)
				}
			case 4:
				p = New(drv)
				p.most = most
			}
			var want []string
			for k := range model {
				want = append(want, k)
			}
			slices.Sort(want)
			if got := held(t, p); !slices.Equal(got, want) {
				t.Fatalf("step %d, of %d: %v, want %v", step, most, got, want)
			}
		}
	}
}

func TestADamagedPinIsNamedAndPinnedAnew(t *testing.T) {
	t.Parallel()
	drv, ctx := open(t), t.Context()
	p := New(drv)
	for _, pin := range []Pin{pinOf("app", "v1", 1), pinOf("app", "v2", 2)} {
		if _, err := p.Add(ctx, pin); err != nil {
			t.Fatal(err)
		}
	}
	bad := keyOf(pinOf("app", "v1", 1))
	other := strings.Replace(keyOf(pinOf("app", "v2", 2)), "v2-", "v3-", 1) // a copy under another name
	good, err := p.read(ctx, keyOf(pinOf("app", "v2", 2)))
	if err := errors.Join(err, drv.Put(ctx, bad, []byte(`{"repository":"app"`)), drv.Put(ctx, other, good), drv.Put(ctx, root+"/notes", nil)); err != nil {
		t.Fatal(err)
	}
	p = New(drv)
	if got := held(t, p); len(got) != 1 || !strings.HasPrefix(got[0], "app:v2@") {
		t.Errorf("held: %v", got)
	}
	if got, err := p.Damaged(ctx); err != nil || !slices.Equal(got, []string{bad, other}) {
		t.Errorf("damaged: %v, %v", got, err)
	}
	if added, err := p.Add(ctx, pinOf("app", "v1", 1)); !added || err != nil {
		t.Errorf("pinned anew: %v, %v", added, err)
	}
	if got, _ := p.Damaged(ctx); !slices.Equal(got, []string{other}) || len(held(t, p)) != 2 {
		t.Errorf("damaged after that: %v", got)
	}
}

// unread gives the files of pins that Roots cannot read.
func unread(t *testing.T, p *Pins) (files []string) {
	t.Helper()
	for _, err := range p.Roots(t.Context()) {
		if one, ok := errors.AsType[*registry.UnreadRoot](err); ok {
			if one.File != one.Record || one.Repository != "" {
				t.Errorf("unread: %+v", one)
			}
			files = append(files, one.File)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestADamagedPinIsARootThatCannotBeReadUntilItIsMendedOrRemoved mends and
// removes by hand, while everything runs.
func TestADamagedPinIsARootThatCannotBeReadUntilItIsMendedOrRemoved(t *testing.T) {
	t.Parallel()
	for name, most := range map[string]int{"remembered": maxSeen, "too many to be remembered": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drv, ctx := open(t), t.Context()
			p := New(drv)
			var good [][]byte
			var bad []string
			for i := range 3 {
				pin := pinOf("app", fmt.Sprint("v", i), i)
				if _, err := p.Add(ctx, pin); err != nil {
					t.Fatal(err)
				}
				content, err := p.read(ctx, keyOf(pin))
				if err != nil {
					t.Fatal(err)
				}
				bad, good = append(bad, keyOf(pin)), append(good, content)
			}
			if err := errors.Join(drv.Put(ctx, bad[0], good[0][:20]), drv.Put(ctx, bad[1], nil)); err != nil {
				t.Fatal(err)
			}
			p = New(drv)
			p.most = most
			for range 2 {
				if got := unread(t, p); !slices.Equal(got, bad[:2]) {
					t.Errorf("unread %v, want %v", got, bad[:2])
				}
			}
			before := p.Version()
			if err := errors.Join(drv.Put(ctx, bad[0], good[0]), drv.Delete(ctx, bad[1])); err != nil {
				t.Fatal(err)
			}
			if got := unread(t, p); len(got) > 0 {
				t.Errorf("unread %v", got)
			}
			if got, err := p.Damaged(ctx); len(got) > 0 || err != nil || p.Version() == before {
				t.Errorf("damaged %v, %v, and as before", got, err)
			}
			if got := held(t, p); len(got) != 2 {
				t.Errorf("held: %v", got)
			}
		})
	}
}

func TestUnpinningATagRemovesItsDamagedFilesAndNoOthers(t *testing.T) {
	t.Parallel()
	drv, ctx := open(t), t.Context()
	pins := []Pin{pinOf("app", "v1", 1), pinOf("app", "v1", 2), pinOf("app", "v1-0123456789abcdef", 3), pinOf("app2", "v1", 4)}
	for _, pin := range pins {
		if _, err := New(drv).Add(ctx, pin); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range []int{0, 2, 3} {
		if err := drv.Put(ctx, keyOf(pins[i]), []byte("{")); err != nil {
			t.Fatal(err)
		}
	}
	p := New(drv)
	if tags, err := p.Unread(ctx, "app"); err != nil || !slices.Equal(tags, []string{"v1", "v1-0123456789abcdef"}) {
		t.Errorf("unread tags %v, %v", tags, err)
	}
	gone, err := p.Remove(ctx, "app", "v1")
	if err != nil || len(gone) != 2 || gone[0] != pins[1] || gone[1] != (Pin{Repository: "app", Tag: "v1"}) {
		t.Errorf("gone %+v, %v", gone, err)
	}
	want := []string{keyOf(pins[2]), keyOf(pins[3])}
	slices.Sort(want)
	for _, p := range []*Pins{p, New(drv)} {
		got := unread(t, p)
		if slices.Sort(got); !slices.Equal(got, want) || len(held(t, p)) != 0 {
			t.Errorf("unread %v, want %v", got, want)
		}
	}
}

func TestUndoingAPinLeavesWhatTheTagHeldBefore(t *testing.T) {
	t.Parallel()
	p := New(open(t))
	for _, pin := range []Pin{pinOf("app", "v1", 1), pinOf("app", "v1", 2), pinOf("app", "v2", 2)} {
		if _, err := p.Add(t.Context(), pin); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := p.Undo(t.Context(), pinOf("app", "v1", 2)); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []*Pins{p, New(p.drv)} {
		got, err := p.Of(t.Context(), "app")
		if want := []Pin{pinOf("app", "v1", 1), pinOf("app", "v2", 2)}; err != nil || !slices.Equal(got, want) {
			t.Errorf("left %v, %v", got, err)
		}
	}
}

func TestOfAnyNumberOfDamagedPinsSomeAreNamed(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	for i := range maxNamed + 20 {
		if err := drv.Put(t.Context(), keyOf(pinOf(fmt.Sprint("app", i%3), fmt.Sprint("v", i), i)), []byte("{")); err != nil {
			t.Fatal(err)
		}
	}
	if got := unread(t, New(drv)); len(got) != maxNamed {
		t.Errorf("%d are named", len(got))
	}
}

func TestWhatIsNoNameIsNotPinned(t *testing.T) {
	t.Parallel()
	p := New(memory.New())
	for _, pin := range []Pin{pinOf("App", "v1", 1), pinOf("app", "", 1), pinOf("app", "../v1", 1), {Repository: "app", Tag: "v1"}} {
		if _, err := p.Add(t.Context(), pin); err == nil {
			t.Errorf("%+v is pinned", pin)
		}
	}
}

// TestAnAccidentLeavesEachPinWholeOrAway cuts each operation in turn.
func TestAnAccidentLeavesEachPinWholeOrAway(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string]faulty.Plan{
		"power, half-way": {Writes: true, Drop: true, Effect: faulty.Torn},
		"power, after":    {Writes: true, Drop: true, Effect: faulty.Done},
		"fails once":      {Effect: faulty.None, Once: true},
		"answer is lost":  {Writes: true, Effect: faulty.Done, Once: true},
	} {
		fired := true
		for plan.At = 1; fired && plan.At < 50; plan.At++ {
			disk := memory.New()
			drv := faulty.New(disk, plan)
			p, ctx := New(drv), context.Background()
			_, err1 := p.Add(ctx, pinOf("app", "v1", 1))
			_, err2 := p.Add(ctx, pinOf("app", "v2", 2))
			_, err3 := p.Remove(ctx, "app", "v2")
			fired = drv.Fired()
			if !plan.Once || !fired {
				p = New(disk)
			}
			got := strings.Join(held(t, p), " ")
			if damaged, err := p.Damaged(ctx); err != nil || len(damaged) > 0 {
				t.Errorf("%s at %d: damaged %v, %v", name, plan.At, damaged, err)
			}
			if err1 == nil && !strings.Contains(got, "app:v1@") {
				t.Errorf("%s at %d: v1 was pinned, and is not: %s", name, plan.At, got)
			}
			if err1 == nil && err2 == nil && err3 == nil && strings.Contains(got, "app:v2@") {
				t.Errorf("%s at %d: v2 was unpinned, and is not: %s", name, plan.At, got)
			}
			if fresh := strings.Join(held(t, New(disk)), " "); fresh != got {
				t.Errorf("%s at %d: %q is remembered, and %q on disk", name, plan.At, got, fresh)
			}
		}
		if plan.At < 4 {
			t.Errorf("%s: only %d operations", name, plan.At)
		}
	}
}

func TestPinsAtOnceAreAllHeld(t *testing.T) {
	t.Parallel()
	p := New(open(t))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 20 {
				if _, err := p.Add(t.Context(), pinOf(fmt.Sprint("app", n%3), fmt.Sprintf("v%d-%d", i, n), n)); err != nil {
					t.Error(err)
				}
				if n%4 == 0 {
					if _, err := p.Remove(t.Context(), fmt.Sprint("app", n%3), fmt.Sprintf("v%d-%d", i, n)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if got := held(t, p); len(got) != 8*15 || !slices.Equal(got, held(t, New(p.drv))) {
		t.Errorf("%d are held", len(got))
	}
}
