package trash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"berth/registry/driver"
)

// table is what is remembered of the records, which never change: all of them,
// once they were read. A hundred thousand take some 40 MB.
type table struct {
	reading sync.Mutex // held by the one who reads the folder; taken before mu

	mu     sync.Mutex // guards what follows
	loaded bool
	byID   map[string]*Entry
	order  []*Entry // never modified but at its end, so that it can be given away
	mixed  bool     // order is not by ID
	// words are the strings that many entries share.
	words map[string]string
	// pending are being written, and are in no list yet. While the folder is
	// read, fresh came in and gone went out.
	pending     map[string]Entry
	fresh, gone map[string]bool
	// held are being restored, by how many; leaving are on their way out.
	held    map[string]int
	leaving map[string]bool
}

// maxWords bounds words.
const maxWords = 1 << 14

// adding says which records are being written, so that no one else takes their
// parts for litter.
func (t *table) adding(entries []Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pending == nil {
		t.pending = map[string]Entry{}
	}
	for _, e := range entries {
		t.pending[e.ID] = e
	}
}

func (t *table) added(entries []Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range entries {
		delete(t.pending, e.ID)
	}
}

// coming gives a record that is still being written.
func (t *table) coming(id string) (Entry, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, ok := t.pending[id]
	return e, ok
}

func (t *table) get(id string) (Entry, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.byID[id]; ok {
		return *e, true
	}
	return Entry{}, false
}

// hold keeps a record from being let go of until release; not ok when it is not
// there, or on its way out.
func (t *table) hold(id string) (e Entry, release func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept, ok := t.byID[id]
	if !ok || t.leaving[id] {
		return Entry{}, nil, false
	}
	if t.held == nil {
		t.held = map[string]int{}
	}
	t.held[id]++
	return *kept, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.held[id]--; t.held[id] == 0 {
			delete(t.held, id)
		}
	}, true
}

// leave gives those records that are there and that nobody holds; nobody can
// hold them until left.
func (t *table) leave(ids []string) (going []Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.leaving == nil {
		t.leaving = map[string]bool{}
	}
	for _, id := range ids {
		if e, ok := t.byID[id]; ok && t.held[id] == 0 && !t.leaving[id] {
			t.leaving[id] = true
			going = append(going, *e)
		}
	}
	return going
}

func (t *table) left(entries []Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range entries {
		delete(t.leaving, e.ID)
	}
}

// put takes records that are durable.
func (t *table) put(entries []Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID = map[string]*Entry{}
	}
	for _, e := range entries {
		if _, ok := t.byID[e.ID]; ok {
			continue
		}
		kept := t.share(e)
		t.mixed = t.mixed || len(t.order) > 0 && t.order[len(t.order)-1].ID > e.ID
		t.byID[e.ID], t.order = kept, append(t.order, kept)
		if t.fresh != nil {
			t.fresh[e.ID] = true
		}
	}
}

func byID(x, y *Entry) int { return strings.Compare(x.ID, y.ID) }

// share gives a copy of e whose strings are one with those of other entries.
func (t *table) share(e Entry) *Entry {
	if t.words == nil || len(t.words) >= maxWords {
		t.words = map[string]string{}
	}
	for _, s := range []*string{&e.Repository, &e.Tag, &e.MediaType, &e.Why, &e.By, &e.PushedBy} {
		if known, ok := t.words[*s]; ok {
			*s = known
		} else {
			t.words[*s] = *s
		}
	}
	return &e
}

// remove forgets records that are gone, and gives the ids of those it knew.
func (t *table) remove(entries []Entry) (ids []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range entries {
		if t.gone != nil {
			t.gone[e.ID] = true
			delete(t.fresh, e.ID)
		}
		if _, ok := t.byID[e.ID]; ok || !t.loaded {
			ids = append(ids, e.ID)
		}
		delete(t.byID, e.ID)
	}
	return ids
}

// list gives those that are there, by ID.
func (t *table) list() []*Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.order) != len(t.byID) {
		t.order = slices.DeleteFunc(slices.Clone(t.order), func(e *Entry) bool { return t.byID[e.ID] != e })
	}
	if t.mixed { // sorted when somebody asks, and not with each that comes
		t.order, t.mixed = slices.Clone(t.order), false
		slices.SortFunc(t.order, byID)
	}
	return t.order[:len(t.order):len(t.order)]
}

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
	t.fresh, t.gone = map[string]bool{}, map[string]bool{}
	t.mu.Unlock()
	listed, parts, err := b.listed(ctx)
	var found []Entry
	if err == nil {
		found, err = b.readAll(ctx, listed)
	}
	t.mu.Lock()
	if err != nil {
		t.fresh, t.gone = nil, nil
		t.mu.Unlock()
		return err
	}
	found = slices.DeleteFunc(found, func(e Entry) bool { return t.gone[e.ID] || t.pending[e.ID].ID != "" || t.byID[e.ID] != nil })
	var lost []string
	for id := range t.byID {
		if !listed[id] && !t.fresh[id] {
			lost = append(lost, id)
			delete(t.byID, id)
		}
	}
	litter := slices.DeleteFunc(parts, func(key string) bool {
		id := idOfPart(key)
		return listed[id] || t.pending[id].ID != "" || t.fresh[id] || t.gone[id]
	})
	t.fresh, t.gone, t.loaded = nil, nil, true
	t.mu.Unlock()
	t.put(found)
	if !first {
		b.changed(ctx, found, lost)
	}
	if tidy {
		return b.tidy(ctx, litter)
	}
	return nil
}

// listed gives the ids of the records in the folder, and the keys of the parts.
func (b *Bin) listed(ctx context.Context) (ids map[string]bool, parts []string, err error) {
	ids = map[string]bool{}
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
			ids[id] = true
		} else if idOfPart(info.Key) != "" {
			parts = append(parts, info.Key)
		}
	}
	return ids, parts, nil
}

// readAll reads the records that are not known; what went meanwhile, and what
// is damaged, is passed over.
func (b *Bin) readAll(ctx context.Context, ids map[string]bool) (out []Entry, err error) {
	for id := range ids {
		if _, ok := b.table.get(id); ok {
			continue
		}
		content, err := b.read(ctx, key(id), maxRecord)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read trash entry %s: %w", id, err)
		}
		if e, ok := decode(id, content); ok {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(x, y Entry) int { return strings.Compare(x.ID, y.ID) })
	return out, nil
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
