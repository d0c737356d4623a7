package filesystem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"berth/registry/driver"
)

// life is one run on the simulated disk, against a model of what must be there.
type life struct {
	t    testing.TB
	rnd  *rand.Rand
	disk *sim
	d    *Driver
	// acked is what has to survive. Of the action that failed, begun says what
	// else may be there.
	acked map[string]string
	begun []map[string]string
	loose string // key of a file that was being written
	// unsure are keys of files that were being written when the power went: with
	// the next cut they may be others again, until something is done to them.
	unsure map[string]bool
	trace  []string
}

// smallSegment makes a few records fill a segment.
const smallSegment = 4 << 10

func (l *life) open() error {
	d, err := openOn(l.disk, simRoot, 0, smallSegment)
	l.d = d
	return err
}

// apply makes changes, and notes what may be found from then on.
func (l *life) apply(changes ...driver.Change) error {
	l.note(changes...)
	l.begun = []map[string]string{l.acked}
	state := l.acked
	for _, c := range changes {
		state = after(state, c)
		l.begun = append(l.begun, state)
	}
	if err := l.d.Apply(context.Background(), changes...); err != nil {
		return err
	}
	l.acked, l.begun = state, nil
	for _, c := range changes {
		maps.DeleteFunc(l.unsure, func(key string, _ bool) bool {
			switch c := c.(type) {
			case driver.Put:
				return key == c.Key
			case driver.Move:
				return key == c.From || key == c.To
			case driver.Delete:
				return within(key, c.Key)
			}
			return false
		})
	}
	return nil
}

func after(state map[string]string, c driver.Change) map[string]string {
	state = maps.Clone(state)
	switch c := c.(type) {
	case driver.Put:
		state[c.Key] = string(c.Content)
	case driver.Move:
		content := state[c.From]
		delete(state, c.From)
		state[c.To] = content
	case driver.Delete:
		maps.DeleteFunc(state, func(key, _ string) bool { return within(key, c.Key) })
	}
	return state
}

// note keeps what was done, for the message of a failure.
func (l *life) note(changes ...driver.Change) {
	line := ""
	for _, c := range changes {
		line += fmt.Sprintf(" %T %.40s", c, fmt.Sprintf("%s", c))
	}
	l.trace = append(l.trace, line)
}

// write appends to a file, from its beginning or where it ends.
func (l *life) write(key, content string, resume bool) error {
	l.loose = key
	l.trace = append(l.trace, fmt.Sprintf("write %s resumed %v", key, resume))
	offset := 0
	if resume {
		offset = len(l.acked[key])
	}
	w, err := l.d.Append(context.Background(), key, int64(offset))
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, content)
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	state := maps.Clone(l.acked)
	state[key] = l.acked[key][:offset] + content
	l.acked, l.loose = state, ""
	delete(l.unsure, key)
	return nil
}

// check compares what is there with the model, and goes on with what it found.
func (l *life) check() error {
	found := l.disk.files()
	candidates := l.begun
	if candidates == nil {
		candidates = []map[string]string{l.acked}
	}
	if l.loose != "" {
		l.unsure[l.loose] = true
	}
	sure := func(state map[string]string) map[string]string {
		state = maps.Clone(state)
		maps.DeleteFunc(state, func(key, _ string) bool { return l.unsure[key] })
		return state
	}
	for _, want := range candidates {
		if maps.Equal(sure(found), sure(want)) {
			l.acked, l.begun, l.loose = found, nil, ""
			return nil
		}
	}
	last := candidates[len(candidates)-1]
	return fmt.Errorf("found %s\nwant %s\nor up to %s\nbut for %q, after\n%s",
		show(found), show(candidates[0]), show(last), l.loose, strings.Join(l.trace, "\n"))
}

func show(state map[string]string) string {
	s := ""
	for _, key := range slices.Sorted(maps.Keys(state)) {
		s += fmt.Sprintf("%s=%.12q ", key, state[key])
	}
	return s
}

// cutAndReopen cuts the power, and again at some operation of the next start.
func (l *life) cutAndReopen() error {
	for again := l.rnd.IntN(3); ; again-- {
		if l.d != nil {
			l.disk.cutNow()
			_ = l.d.Close() // the power is gone: only goroutines end
		}
		l.disk = l.disk.crash(l.rnd)
		l.trace = append(l.trace, "power cut")
		if again > 0 {
			l.disk.cutIn(1+l.rnd.IntN(30), l.rnd.IntN(2) == 0)
		}
		if err := l.open(); err == nil && again <= 0 {
			return l.check()
		} else if err != nil && !errors.Is(err, errCut) {
			return fmt.Errorf("open: %w", err)
		}
	}
}

// random does one thing of those that the driver can do.
func (l *life) random(n int) error {
	there := slices.Sorted(maps.Keys(l.acked))
	switch k := l.rnd.IntN(12); {
	case k < 2 && len(there) > 0:
		key := there[l.rnd.IntN(len(there))]
		return l.write(key, fmt.Sprintf("more%d", n), l.rnd.IntN(2) == 0)
	case k < 3:
		return l.write(l.key(), fmt.Sprintf("grown%d", n), false)
	case k < 4:
		l.trace = append(l.trace, "checkpoint")
		return l.d.journal.Checkpoint()
	}
	var changes []driver.Change
	state := l.acked
	for range 1 + l.rnd.IntN(4) {
		c := l.change(state, n)
		state = after(state, c)
		changes = append(changes, c)
	}
	return l.apply(changes...)
}

// key is never the folder of another.
func (l *life) key() string {
	return fmt.Sprintf("r%d/s%d/f%d", l.rnd.IntN(2), l.rnd.IntN(2), l.rnd.IntN(3))
}

func (l *life) change(state map[string]string, n int) driver.Change {
	there := slices.Sorted(maps.Keys(state))
	switch k := l.rnd.IntN(8); {
	case k < 2 && len(there) > 0:
		return driver.Move{From: there[l.rnd.IntN(len(there))], To: l.key()}
	case k < 4:
		parts := strings.Split(l.key(), "/")
		return driver.Delete{Key: strings.Join(parts[:1+l.rnd.IntN(3)], "/")}
	}
	return driver.Put{Key: l.key(), Content: []byte(fmt.Sprintf("put%d ", n) + strings.Repeat("x", l.rnd.IntN(900)))}
}

func begin(t testing.TB, seed uint64) *life {
	l := &life{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), disk: newSim(), acked: map[string]string{}, unsure: map[string]bool{}}
	if err := l.open(); err != nil {
		t.Fatal(err)
	}
	return l
}

// play runs several lives, each up to a cut somewhere.
func play(t testing.TB, seed uint64) (err error) {
	l := begin(t, seed)
	defer func() { _ = l.d.Close() }()
	for life := range 4 {
		if err := l.restart(); err != nil {
			return fmt.Errorf("before life %d: %w", life, err)
		}
		l.disk.cutIn(1+l.rnd.IntN(120), l.rnd.IntN(2) == 0)
		for n := 0; err == nil; n++ {
			err = l.random(life*1000 + n)
		}
		if !errors.Is(err, errCut) {
			return fmt.Errorf("life %d: %w", life, err)
		}
		if err = l.cutAndReopen(); err != nil {
			return fmt.Errorf("after life %d: %w", life, err)
		}
	}
	return nil
}

func TestNoPowerCutLosesWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	for seed := range uint64(80) {
		if err := play(t, seed); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// versions runs writers side by side, each with keys of its own, and then cuts.
func versions(t *testing.T, seed uint64) {
	l := begin(t, seed)
	l.disk.cutIn(200+l.rnd.IntN(800), l.rnd.IntN(2) == 0)
	const writers = 6
	var acked [writers]int
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := 1; ; n++ {
				changes := []driver.Change{driver.Delete{Key: fmt.Sprintf("w%d/old", w)}}
				for k := range 3 {
					changes = append(changes, driver.Put{Key: fmt.Sprintf("w%d/k%d/link", w, k), Content: []byte(strconv.Itoa(n))})
				}
				changes = append(changes, driver.Put{Key: fmt.Sprintf("w%d/old/%d", w, n), Content: []byte(strconv.Itoa(n))})
				if l.d.Apply(context.Background(), changes...) != nil {
					return
				}
				acked[w] = n
			}
		})
	}
	wg.Wait()
	_ = l.d.Close()
	l.disk = l.disk.crash(l.rnd)
	if err := l.open(); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	defer func() { _ = l.d.Close() }()
	found := l.disk.files()
	for w, n := range acked {
		last := n + 1
		for k := range 3 {
			got, _ := strconv.Atoi(found[fmt.Sprintf("w%d/k%d/link", w, k)])
			if got < n || got > last {
				t.Errorf("seed %d: key %d of writer %d has version %d, acknowledged was %d", seed, k, w, got, n)
			}
			last = got
		}
	}
}

func TestSideBySideNoPowerCutLosesWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	for seed := range uint64(15) {
		versions(t, seed)
	}
}
