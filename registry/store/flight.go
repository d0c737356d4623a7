package store

import (
	"bytes"
	"context"

	"berth/registry/driver"
)

// batch gathers changes that are made with one flush, and the flights of the
// files that they write.
type batch struct {
	s       *Store
	changes []driver.Change
	flights []func()
}

func (s *Store) newBatch() *batch {
	return &batch{s: s, changes: make([]driver.Change, 0, 4)}
}

// fly makes the caller the one who writes key until done: whoever needs the
// file waits, so that nobody takes what can be seen for what will stay.
func (b *batch) fly(key string) { b.flights = append(b.flights, b.s.flights.alone(key)) }

// ensure adds what makes a file hold content: nothing, where it does already.
// What can be seen then is durable, since nobody else is writing it. Files are
// ensured in the order blob, link, so that two batches do not wait for each
// other.
func (b *batch) ensure(ctx context.Context, key string, content []byte) {
	unlock := b.s.flights.alone(key)
	if b.s.has(ctx, key, content) {
		unlock()
		return
	}
	b.flights = append(b.flights, unlock)
	b.put(key, content)
}

func (b *batch) put(key string, content []byte) {
	b.changes = append(b.changes, driver.Put{Key: key, Content: content})
}

func (b *batch) move(from, to string) {
	b.changes = append(b.changes, driver.Move{From: from, To: to})
}

func (b *batch) remove(key string) {
	b.changes = append(b.changes, driver.Delete{Key: key})
}

// apply makes the changes, in the order in which they were added; when it
// fails, a first part of them may have been made.
func (b *batch) apply(ctx context.Context) error {
	if len(b.changes) == 0 {
		return nil
	}
	return driver.Apply(ctx, b.s.drv, b.changes...)
}

// done lets go of the flights.
func (b *batch) done() {
	for _, unlock := range b.flights {
		unlock()
	}
}

// has reports whether a small file holds exactly content. One that cannot be
// read does not: writing it anew may mend it. Most are not there yet, and to
// look costs less than to open in vain.
func (s *Store) has(ctx context.Context, key string, content []byte) bool {
	if there, err := s.exists(ctx, key); err == nil && !there {
		return false
	}
	there, err := s.read(ctx, key, int64(len(content)))
	return err == nil && bytes.Equal(there, content)
}
