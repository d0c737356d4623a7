package filesystem

import (
	"context"
	"errors"
	"hash/maphash"
	"io/fs"
	"slices"
	"sync"

	"berth/registry/driver"
	"berth/registry/driver/filesystem/internal/journal"
)

// Put implements [driver.Driver].
func (d *Driver) Put(ctx context.Context, key string, content []byte) error {
	return d.apply(ctx, []step{{op: opPut, key: key, content: content}}, true)
}

// Move implements [driver.Driver].
func (d *Driver) Move(ctx context.Context, from, to string) error {
	return d.apply(ctx, []step{{op: opMove, key: from, to: to}}, true)
}

// Delete implements [driver.Driver].
func (d *Driver) Delete(ctx context.Context, key string) error {
	return d.apply(ctx, []step{{op: opDelete, key: key}}, true)
}

// Apply implements [driver.Batcher].
func (d *Driver) Apply(ctx context.Context, changes ...driver.Change) error {
	all, err := steps(changes)
	if done := d.apply(ctx, all, false); done != nil {
		return done
	}
	return err
}

// apply records the steps with one flush, then carries them out. Those before
// one that cannot be carried out are.
func (d *Driver) apply(ctx context.Context, all []step, strict bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	all, stop := wellFormed(all)
	if len(all) == 0 {
		return stop
	}
	mine, err := d.claims.take(ctx, keysOf(all))
	if err != nil {
		return err
	}
	defer d.claims.release(mine)
	n, failed := d.check(all, strict)
	if failed != nil {
		stop = failed
	}
	all = all[:n]
	if len(all) == 0 || len(all) == 1 && all[0].op == opDelete && all[0].source == missing {
		return stop
	}
	ticket, err := d.commit(all)
	if err != nil {
		return err
	}
	if err := d.carryOut(ticket, all); err != nil {
		return err
	}
	return stop
}

// wellFormed gives the steps before the first whose key is malformed, and the
// error of that.
func wellFormed(all []step) ([]step, error) {
	for i, s := range all {
		err := writable(s.key)
		if err == nil && s.op == opMove {
			err = writable(s.to)
		}
		if err != nil {
			return all[:i], err
		}
	}
	return all, nil
}

// missing marks a delete that finds nothing.
var missing = identity{size: -1}

// check gives how many steps can be carried out, as far as one can see before,
// and what is wrong with the next.
func (d *Driver) check(all []step, strict bool) (int, error) {
	for i := range all {
		s := &all[i]
		if s.op == opPut || touches(all[:i], s.key) {
			continue
		}
		info, err := d.disk.Stat(d.file(s.key))
		switch {
		case err == nil && s.op == opMove && info.Dir:
			return i, fail("move", s.key, fs.ErrNotExist)
		case err == nil && s.op == opMove:
			d.beyond(s.key, info)
			s.source = identityOf(info)
		case err == nil:
			d.beyond(s.key, info)
		case s.op == opMove || strict:
			return i, failRead(s.op.String(), s.key, err)
		default:
			s.source = missing
		}
	}
	return len(all), nil
}

// touches says whether a row of steps may change what is at a key.
func touches(all []step, key string) bool {
	return slices.ContainsFunc(all, func(s step) bool {
		return within(key, s.key) || within(s.key, key) || s.op == opMove && (within(key, s.to) || within(s.to, key))
	})
}

func (o op) String() string {
	switch o {
	case opPut:
		return "put"
	case opMove:
		return "move"
	case opDelete:
		return "delete"
	case opKeep:
	}
	return "append"
}

var (
	seed    = maphash.MakeSeed()
	records = sync.Pool{New: func() any { return new([]byte) }}
)

// maxPooled keeps a large manifest from staying in memory.
const maxPooled = 64 << 10

func (d *Driver) commit(all []step) (journal.Ticket, error) {
	buf := records.Get().(*[]byte)
	b := encode((*buf)[:0], all)
	hashes := make([]uint64, 0, 8)
	for _, s := range all {
		hashes = appendHashes(hashes, s)
	}
	ticket, err := d.journal.Commit(b, hashes)
	if cap(b) <= maxPooled {
		*buf = b
		records.Put(buf)
	}
	if err != nil {
		return ticket, fail(all[0].op.String(), all[0].key, d.rootGone(err))
	}
	return ticket, nil
}

// The journal remembers what it is about by hashes of three kinds.

func appendHashes(hashes []uint64, s step) []uint64 {
	hashes = append(hashes, touchHash(s.key))
	switch s.op {
	case opMove:
		hashes = append(hashes, touchHash(s.to))
	case opDelete:
		hashes = append(hashes, treeHash(s.key))
	case opPut, opKeep:
	}
	return hashes
}

// touchHash is of a key that a record is about.
func touchHash(key string) uint64 { return maphash.String(seed, key) }

// treeHash is of a key that was deleted with all below it.
func treeHash(key string) uint64 { return maphash.String(seed, key) ^ 0x5bd1e995cc9e2d51 }

// folderHash is of the path of a folder that was made.
func folderHash(path string) uint64 { return maphash.String(seed, path) ^ 0x27d4eb2f165667c5 }

// carryOut does in place what was recorded.
func (d *Driver) carryOut(ticket journal.Ticket, all []step) error {
	if n, err := d.placeAll(ticket, all); err != nil {
		// Without a thread: the journal may wait for room, and room for others
		// that need one.
		return errors.Join(err, d.journal.Abort(ticket.Number, n))
	}
	d.journal.Placed(ticket.Number)
	return d.punctual(ticket)
}

// placeAll gives how many steps were carried out.
func (d *Driver) placeAll(ticket journal.Ticket, all []step) (int, error) {
	d.threads <- struct{}{} // it is decided: no context can stop it
	defer d.end()
	if err := d.punctual(ticket); err != nil {
		return 0, err
	}
	for i, s := range all {
		var gone map[string]uint64
		if s.op == opDelete {
			gone = d.births.below(d.file(s.key))
		}
		if err := d.place(s, stepName(ticket.Number, i)); err != nil {
			return i, fail(s.op.String(), s.key, err)
		}
		d.births.settled(gone)
	}
	return len(all), nil
}

// punctual records the time when it is much later than the record's, be it
// that the disk was slow or that the clock jumped. A start after a power cut
// takes what is newer than the newest record for another program's.
func (d *Driver) punctual(ticket journal.Ticket) error {
	if d.disk.Now().Sub(ticket.Time) < slack/2 {
		return nil
	}
	return d.journal.Stamp(slack / 2)
}

// rootGone says so where a folder of the journal cannot be made.
func (d *Driver) rootGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return d.gone()
	}
	return err
}
