package driver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Change is one change of small things: exactly one of the types below.
type Change interface{ change() }

type (
	// Put replaces a small file; see [Driver]. The content must not be modified
	// until the change was made.
	Put struct {
		Key     string
		Content []byte
	}
	// Move renames a file; see [Driver]. What the file holds must be durable
	// before: a Writer was closed.
	Move struct{ From, To string }
	// Delete removes a file, or a folder with everything in it. A key that is
	// missing counts as deleted.
	Delete struct{ Key string }
)

func (Put) change()    {}
func (Move) change()   {}
func (Delete) change() {}

// Batcher is an optional ability: a driver that makes several changes durable
// with one flush.
type Batcher interface {
	// Apply makes changes in their order, and returns when all of them survive
	// power loss. It stops at the first that fails; those before it were made.
	// After a power loss, or the end of the process, in the midst of it, those
	// up to some point are found made: none, some, or all.
	Apply(ctx context.Context, changes ...Change) error
}

// Apply makes changes in their order with as few flushes as d can: see
// [Batcher]. A driver that is none makes them one by one.
func Apply(ctx context.Context, d Driver, changes ...Change) error {
	if b, ok := As[Batcher](d); ok {
		return b.Apply(ctx, changes...)
	}
	return OneByOne(ctx, d, changes...)
}

// OneByOne makes changes by the methods of a driver, for drivers that wrap
// another and have to see each.
func OneByOne(ctx context.Context, d Driver, changes ...Change) error {
	for _, c := range changes {
		if err := one(ctx, d, c); err != nil {
			return err
		}
	}
	return nil
}

func one(ctx context.Context, d Driver, c Change) error {
	switch c := c.(type) {
	case Put:
		return d.Put(ctx, c.Key, c.Content)
	case Move:
		return d.Move(ctx, c.From, c.To)
	case Delete:
		if err := d.Delete(ctx, c.Key); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return fmt.Errorf("a change of type %T is none", c)
}
