package faulty

import (
	"context"
	"errors"
	"sync"

	"berth/registry/driver"
)

// ErrCut is what a driver answers from the cut on, unless the plan has another.
var ErrCut = errors.New("cut by the test's plan")

// Kind names an operation of a driver or of a writer.
type Kind string

// The operations, in the order of [driver.Driver] and [driver.Writer].
const (
	Stat   Kind = "stat"
	Open   Kind = "open"
	Put    Kind = "put"
	Append Kind = "append"
	Move   Kind = "move"
	Delete Kind = "delete"
	List   Kind = "list"
	Walk   Kind = "walk"
	Write  Kind = "write"
	Sync   Kind = "sync"
	Close  Kind = "close"
)

// reads says whether an operation changes nothing.
func (k Kind) reads() bool { return k == Stat || k == Open || k == List || k == Walk }

// Op is one operation as the driver met it.
type Op struct {
	// N counts from 1.
	N    int
	Kind Kind
	// Key it was about, and To for a Move.
	Key, To string
}

// Effect is how much of the operation at the cut takes place.
type Effect int

const (
	// None of it: the cut came before.
	None Effect = iota
	// Torn: part of it. Of a Write, the first half of the bytes; of a Put or
	// Move, which are atomic, only the folders that they make; of a Delete of
	// a folder, half of what is in it. Other operations do nothing.
	Torn
	// Done: all of it; only the answer is lost.
	Done
)

// Plan says what goes wrong, and when. The zero value is: nothing.
type Plan struct {
	// At is the operation that fails, from 1; 0 means none.
	At int
	// Writes leaves reading operations out of the count.
	Writes bool
	// Effect of the operation that fails.
	Effect Effect
	// Err is the error; nil means ErrCut.
	Err error
	// Once lets everything after the failed operation go on. Otherwise
	// everything after it fails, as in a process that has died.
	Once bool
	// Drop calls the inner driver's Crash() at the cut, when it has one: what
	// was not synced is lost, as with the power.
	Drop bool
	// Before is called before each counted operation, for a test that waits,
	// cancels or watches. Its error becomes the operation's, without effect.
	Before func(ctx context.Context, op Op) error
}

// Driver is a driver with a plan. It is safe for concurrent use; operations
// that change something run one after the other.
type Driver struct {
	inner driver.Driver
	plan  Plan

	mu    sync.Mutex
	count int  // guarded by mu
	fired bool // guarded by mu
}

// Driver has no Unwrap: abilities found through it would go round the plan.
var (
	_ driver.Driver = (*Driver)(nil)
	_ driver.Walker = (*Driver)(nil)
)

// New wraps a driver.
func New(inner driver.Driver, plan Plan) *Driver {
	if plan.Err == nil {
		plan.Err = ErrCut
	}
	return &Driver{inner: inner, plan: plan}
}

// Count is how many operations have been counted so far.
func (d *Driver) Count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count
}

// Fired says whether the plan's operation has come.
func (d *Driver) Fired() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fired
}

// Cut stops the driver now, between two operations.
func (d *Driver) Cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.plan.Once = false
	d.fire()
}

// fire needs mu.
func (d *Driver) fire() {
	d.fired = true
	if d.plan.Drop {
		if c, ok := driver.As[interface{ Crash() }](d.inner); ok {
			c.Crash()
		}
	}
}

// step is one operation: do is all of it, torn the part that a torn one does,
// nil for nothing.
func (d *Driver) step(ctx context.Context, op Op, do, torn func() error) error {
	d.mu.Lock()
	counted := !d.plan.Writes || !op.Kind.reads()
	if counted {
		d.count++
		op.N = d.count
	}
	d.mu.Unlock()
	if counted && d.plan.Before != nil {
		if err := d.plan.Before(ctx, op); err != nil {
			return err
		}
	}
	d.mu.Lock()
	if d.dead() {
		d.mu.Unlock()
		return d.plan.Err
	}
	if !counted || op.N != d.plan.At {
		// A read may call code that reads again, so it runs outside the lock.
		if op.Kind.reads() {
			d.mu.Unlock()
			return do()
		}
		defer d.mu.Unlock()
		return do()
	}
	defer d.mu.Unlock()
	switch {
	case d.plan.Effect == Done:
		_ = do()
	case d.plan.Effect == Torn && torn != nil:
		_ = torn()
	}
	d.fire()
	return d.plan.Err
}

// dead needs mu.
func (d *Driver) dead() bool { return d.fired && !d.plan.Once }
