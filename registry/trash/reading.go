package trash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"berth/registry/driver"
)

func (b *Bin) rows(ctx context.Context) ([]*Entry, error) {
	if err := b.load(ctx); err != nil {
		return nil, err
	}
	return b.table.list(), nil
}

// load reads the folder, if nobody has done so.
func (b *Bin) load(ctx context.Context) error {
	t := &b.table
	loaded := func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.loaded
	}
	if loaded() {
		return nil
	}
	t.reading.Lock()
	defer t.reading.Unlock()
	if loaded() {
		return nil
	}
	return b.reread(ctx, false)
}

// refresh meets what another program did to the folder; with tidy it removes
// parts without a record.
func (b *Bin) refresh(ctx context.Context, tidy bool) error {
	b.table.reading.Lock()
	defer b.table.reading.Unlock()
	return b.reread(ctx, tidy)
}

// reread brings the table in line with the folder. reading is held.
func (b *Bin) reread(ctx context.Context, tidy bool) error {
	t := &b.table
	t.mu.Lock()
	first := !t.loaded
	t.fresh, t.gone, t.doubts = map[string]bool{}, map[string]bool{}, nil
	t.mu.Unlock()
	listed, parts, err := b.listed(ctx)
	var found []Entry
	if err == nil {
		found, err = b.meetAll(ctx, listed, !first)
	}
	t.mu.Lock()
	if err != nil {
		t.fresh, t.gone = nil, nil
		t.mu.Unlock()
		return err
	}
	var lost []string
	for id := range t.byID {
		if _, ok := slices.BinarySearch(listed, id); !ok && !t.fresh[id] {
			lost = append(lost, id)
			delete(t.byID, id)
		}
	}
	litter := slices.DeleteFunc(parts, func(key string) bool {
		id := idOfPart(key)
		_, ok := slices.BinarySearch(listed, id)
		return ok || t.pending[id].ID != "" || t.fresh[id] || t.gone[id]
	})
	t.fresh, t.gone, t.loaded, t.damaged = nil, nil, true, t.doubts
	t.mu.Unlock()
	if !first {
		b.changed(ctx, found, lost)
	}
	if tidy {
		return b.tidy(ctx, litter)
	}
	return nil
}

// listed gives the ids of the records in the folder, sorted, and the keys of
// the parts.
func (b *Bin) listed(ctx context.Context) (ids, parts []string, err error) {
	for info, err := range b.drv.List(ctx, folder) {
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("list the trash: %w", err)
		}
		if info.Dir {
			continue
		}
		if id, ok := strings.CutSuffix(path.Base(info.Key), suffix); ok && validID(id) {
			ids = append(ids, id)
		} else if idOfPart(info.Key) != "" {
			parts = append(parts, info.Key)
		}
	}
	slices.Sort(ids)
	return ids, parts, nil
}

const (
	// readers is how many read records beside each other, and several how many
	// records are in memory twice meanwhile.
	readers = 8
	several = 4096
)

// meetAll takes those of the listed records that are not known, and gives them
// when it is told to.
func (b *Bin) meetAll(ctx context.Context, listed []string, tell bool) (found []Entry, err error) {
	for ids := range slices.Chunk(listed, several) {
		some, err := b.readAll(ctx, b.table.unknown(ids))
		if err != nil {
			return nil, err
		}
		some = b.table.meet(some)
		if tell {
			found = append(found, some...)
		}
	}
	return found, nil
}

// unknown gives those of ids that are not there.
func (t *table) unknown(ids []string) (out []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range ids {
		if t.byID[id] == nil {
			out = append(out, id)
		}
	}
	return out
}

// meet takes records that were found, but those that went or came meanwhile,
// and gives them.
func (t *table) meet(found []Entry) []Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	found = slices.DeleteFunc(found, func(e Entry) bool { return t.gone[e.ID] || t.pending[e.ID].ID != "" || t.byID[e.ID] != nil })
	t.take(found)
	return found
}

// readAll reads records, by id; what went meanwhile is passed over, and so is
// what is damaged, which is noted.
func (b *Bin) readAll(ctx context.Context, ids []string) ([]Entry, error) {
	all := make([]Entry, len(ids))
	failed := make([]error, readers)
	var next atomic.Int64
	var group sync.WaitGroup
	for n := range min(readers, len(ids)) {
		group.Go(func() {
			var buf bytes.Buffer
			for {
				at := int(next.Add(1)) - 1
				if at >= len(ids) || failed[n] != nil {
					return
				}
				all[at], failed[n] = b.readOne(ctx, &buf, ids[at])
			}
		})
	}
	group.Wait()
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(e Entry) bool { return e.ID == "" }), nil
}

func (b *Bin) readOne(ctx context.Context, buf *bytes.Buffer, id string) (Entry, error) {
	f, err := b.drv.Open(ctx, key(id))
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, nil
	}
	if err == nil {
		buf.Reset()
		_, err = buf.ReadFrom(io.LimitReader(f, maxRecord))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return Entry{}, fmt.Errorf("read trash entry %s: %w", id, err)
	}
	if e, ok := decode(id, buf.Bytes()); ok {
		return e, nil
	}
	b.table.mu.Lock()
	defer b.table.mu.Unlock()
	b.table.doubts = append(b.table.doubts, id)
	return Entry{}, nil
}

func (b *Bin) tidy(ctx context.Context, litter []string) error {
	for chunk := range slices.Chunk(litter, some) {
		deletes := make([]driver.Change, len(chunk))
		for i, key := range chunk {
			deletes[i] = driver.Delete{Key: key}
		}
		if err := driver.Apply(ctx, b.drv, deletes...); err != nil {
			return fmt.Errorf("tidy the trash: %w", err)
		}
	}
	return nil
}
