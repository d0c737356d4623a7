package trash

import (
	"slices"
	"strings"
	"sync"
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
	// damaged are the records that could not be understood when the folder was
	// read last, by id; doubts those met so far while it is read.
	damaged, doubts []string
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
	t.take(entries)
}

// take needs mu.
func (t *table) take(entries []Entry) {
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
