package trash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"berth/registry"
	"berth/registry/driver"
)

// DefaultTTL is for how long an entry can be restored.
const DefaultTTL = 7 * 24 * time.Hour

const (
	folder    = "berth/trash"
	suffix    = ".json"
	maxRecord = 64 << 10
	// some is how many records change with one flush.
	some = 256
)

// ErrUnknown means that there is no such entry: it was restored, its time is
// over, or it never was.
var ErrUnknown = errors.New("not in the trash")

// Bin holds the entries. It is safe for concurrent use.
type Bin struct {
	drv driver.Driver
	ttl atomic.Int64

	// Pushed, set before the first use, tells when a tag was made to name d, and
	// by whom; zero when that is not known. nil leaves it open. What was pushed
	// lately through [Registry] is known without.
	Pushed func(ctx context.Context, repo, tag string, d registry.Digest) (at time.Time, by string)

	// Changed, set before the first use, is told what came into the trash, once
	// its record is durable and before what it names goes, and the ids of what
	// left it, once the record is gone; for one entry in this order, and also of
	// what another program did to the files. nil tells nobody. What lay there
	// before the first use is not told: see [Bin.Entries]. No lock of the Bin is
	// held, so [Bin.Held] may be asked; but the tag or the repository is locked
	// against other changes, so it must not call a [Registry], and must be quick.
	Changed func(ctx context.Context, added []Entry, gone []string)

	pushes pushes
	table  table
}

// New gives the bin on drv. An entry can be restored for ttl; 0 or less means
// [DefaultTTL]. Nothing is read yet.
func New(drv driver.Driver, ttl time.Duration) *Bin {
	b := &Bin{drv: drv}
	b.KeepFor(ttl)
	return b
}

// KeepFor changes for how long entries can be restored; 0 or less means
// [DefaultTTL]. It holds for those to come: what is in the trash keeps the time
// that was promised when it went there.
func (b *Bin) KeepFor(ttl time.Duration) {
	if ttl <= 0 {
		ttl = DefaultTTL
	}
	b.ttl.Store(int64(ttl))
}

// Keep is for how long an entry that comes now can be restored.
func (b *Bin) Keep() time.Duration { return time.Duration(b.ttl.Load()) }

var _ registry.Rooter = (*Bin)(nil)

// Entries lists what can be restored, oldest first. A record that is damaged is
// passed over. The first call reads the records; from then on they are in
// memory.
func (b *Bin) Entries(ctx context.Context) ([]Entry, error) {
	rows, err := b.rows(ctx)
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, r := range rows {
		out = append(out, *r)
	}
	return out, nil
}

// Newest yields what can be restored, newest first, as it is at the beginning.
func (b *Bin) Newest(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		rows, err := b.rows(ctx)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for _, r := range slices.Backward(rows) {
			if !yield(*r, nil) {
				return
			}
		}
	}
}

// Len is how many entries there are.
func (b *Bin) Len(ctx context.Context) (int, error) {
	rows, err := b.rows(ctx)
	return len(rows), err
}

// Get gives one entry. Errors: [ErrUnknown].
func (b *Bin) Get(ctx context.Context, id string) (Entry, error) {
	if err := b.load(ctx); err != nil {
		return Entry{}, err
	}
	e, ok := b.table.get(id)
	if !ok {
		return Entry{}, fmt.Errorf("%q: %w", id, ErrUnknown)
	}
	return e, nil
}

// hold gives one entry, and keeps it until release. Errors: [ErrUnknown].
func (b *Bin) hold(ctx context.Context, id string) (e Entry, release func(), err error) {
	if err := b.load(ctx); err != nil {
		return Entry{}, nil, err
	}
	e, release, ok := b.table.hold(id)
	if !ok {
		return Entry{}, nil, fmt.Errorf("%q: %w", id, ErrUnknown)
	}
	return e, release, nil
}

func (b *Bin) read(ctx context.Context, key string, most int64) ([]byte, error) {
	f, err := b.drv.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// add writes records, with few flushes. When it fails, none of them stays.
func (b *Bin) add(ctx context.Context, entries ...Entry) error {
	b.table.adding(entries)
	defer b.table.added(entries)
	for chunk := range slices.Chunk(entries, some) {
		puts := make([]driver.Change, len(chunk))
		for i, e := range chunk {
			content, err := json.Marshal(e)
			if err != nil {
				return fmt.Errorf("write to the trash: %w", err)
			}
			puts[i] = driver.Put{Key: key(e.ID), Content: content}
		}
		if err := driver.Apply(ctx, b.drv, puts...); err != nil {
			_ = b.drop(context.WithoutCancel(ctx), entries)
			return fmt.Errorf("write to the trash: %w", err)
		}
	}
	// Before anybody can remove them: the order is promised.
	b.changed(ctx, entries, nil)
	b.table.put(entries)
	return nil
}

func (b *Bin) changed(ctx context.Context, added []Entry, gone []string) {
	if b.Changed != nil && len(added)+len(gone) > 0 {
		b.Changed(context.WithoutCancel(ctx), added, gone)
	}
}

// drop removes the files of entries.
func (b *Bin) drop(ctx context.Context, entries []Entry) error {
	deletes := make([]driver.Change, 0, len(entries))
	for _, e := range entries {
		deletes = append(deletes, driver.Delete{Key: key(e.ID)})
		for n := range e.Parts {
			deletes = append(deletes, driver.Delete{Key: partKey(e.ID, n)})
		}
	}
	return driver.Apply(ctx, b.drv, deletes...)
}

// remove drops records; one that is not there is no error.
func (b *Bin) remove(ctx context.Context, entries ...Entry) error {
	for chunk := range slices.Chunk(entries, some) {
		if err := b.drop(ctx, chunk); err != nil {
			return fmt.Errorf("remove trash entry %s: %w", chunk[0].ID, err)
		}
		b.changed(ctx, nil, b.table.remove(chunk))
	}
	return nil
}

// Remove lets go of entries before their time, for good, and counts those that
// went. One that is not there is no error, and one that is being restored stays:
// its bytes must until that is done. Only after that a clean-up can free what
// they name.
func (b *Bin) Remove(ctx context.Context, ids ...string) (n int, err error) {
	if err := b.load(ctx); err != nil {
		return 0, err
	}
	for chunk := range slices.Chunk(ids, some) {
		going := b.table.leave(chunk)
		err := b.remove(ctx, going...)
		b.table.left(going)
		if err != nil {
			return n, err
		}
		n += len(going)
	}
	return n, nil
}

// Purge lets go of the entries whose time is over before the given moment, and
// counts them. Only then can a clean-up free what they name. It also reads anew
// what lies on the disk, and removes what a crash left of contents.
func (b *Bin) Purge(ctx context.Context, before time.Time) (n int, err error) {
	if err := b.refresh(ctx, true); err != nil {
		return 0, err
	}
	var over []string
	for e, err := range b.Newest(ctx) {
		if err != nil {
			return 0, err
		}
		if e.Until.Before(before) {
			over = append(over, e.ID)
		}
	}
	slices.Reverse(over)
	return b.Remove(ctx, over...)
}

func key(id string) string { return folder + "/" + id + suffix }
