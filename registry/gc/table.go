package gc

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"

	"berth/registry"

	"github.com/opencontainers/go-digest"
)

// sum is a digest in 32 bytes: its own, or for other algorithms than sha256 the
// hash of its text.
type sum [sha256.Size]byte

func sumOf(d registry.Digest) (s sum, own bool) {
	if text := d.Encoded(); d.Algorithm() == digest.SHA256 && len(text) == 2*sha256.Size {
		if _, err := hex.Decode(s[:], []byte(text)); err == nil {
			return s, true
		}
	}
	return sha256.Sum256([]byte(d)), false
}

func (s sum) digest() registry.Digest {
	return registry.Digest("sha256:" + hex.EncodeToString(s[:]))
}

// table numbers digests, so that whatever is remembered of them is a number.
// A million take 50 MB.
type table struct {
	sums   []*[chunk]sum
	kept   []*[chunk]life
	n      uint32
	slots  []uint32 // number + 1; 0 is free
	others map[uint32]registry.Digest
}

const chunk = 4096

func newTable() *table {
	return &table{slots: make([]uint32, 2*chunk), others: map[uint32]registry.Digest{}}
}

func (t *table) sum(id uint32) *sum { return &t.sums[id/chunk][id%chunk] }

// life is why something lives, if it does: the strongest reason.
type life uint8

const (
	lifeless life = iota
	promised      // to a client, and what that needs
	young         // and what that needs
	untagged      // a manifest that is younger than those without a tag must be, and what it needs
	doubtful      // of a repository that is not understood
	needed
)

func (t *table) keep(id uint32) { t.keepAs(id, needed) }

func (t *table) keepAs(id uint32, why life) {
	at := &t.kept[id/chunk][id%chunk]
	*at = max(*at, why)
}

func (t *table) life(id uint32) life { return t.kept[id/chunk][id%chunk] }

func (t *table) keeps(id uint32) bool { return t.life(id) != lifeless }

// id numbers a digest.
func (t *table) id(d registry.Digest) uint32 {
	s, own := sumOf(d)
	at := t.slot(s)
	if t.slots[at] != 0 {
		return t.slots[at] - 1
	}
	if t.n%chunk == 0 {
		t.sums, t.kept = append(t.sums, new([chunk]sum)), append(t.kept, new([chunk]life))
	}
	id := t.n
	t.n++
	*t.sum(id) = s
	if !own {
		t.others[id] = d
	}
	t.slots[at] = t.n
	if int(t.n) > len(t.slots)/8*5 {
		t.grow()
	}
	return id
}

// find gives the number of a digest that has one.
func (t *table) find(d registry.Digest) (uint32, bool) {
	s, _ := sumOf(d)
	n := t.slots[t.slot(s)]
	return n - 1, n != 0
}

// slot gives the slot of a sum: digests are spread evenly as they are.
func (t *table) slot(s sum) uint32 {
	mask := uint32(len(t.slots) - 1) //nolint:gosec // a power of two, below the number of ids
	at := uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
	for at &= mask; t.slots[at] != 0 && *t.sum(t.slots[at] - 1) != s; at = (at + 1) & mask {
	}
	return at
}

func (t *table) grow() {
	t.slots = make([]uint32, 2*len(t.slots))
	for id := range t.n {
		t.slots[t.slot(*t.sum(id))] = id + 1
	}
}

func (t *table) digest(id uint32) registry.Digest {
	if d, ok := t.others[id]; ok {
		return d
	}
	return t.sum(id).digest()
}

// Digests is a list of digests that takes 4 bytes for each. The zero value is
// empty.
type Digests struct {
	of  *table
	ids []uint32
}

// Len is how many there are.
func (l *Digests) Len() int { return len(l.ids) }

// At gives the digest at a place.
func (l *Digests) At(i int) registry.Digest { return l.of.digest(l.ids[i]) }

// All lists them.
func (l *Digests) All() iter.Seq2[int, registry.Digest] {
	return func(yield func(int, registry.Digest) bool) {
		for i := range l.ids {
			if !yield(i, l.At(i)) {
				return
			}
		}
	}
}

// Places gives what finds the place of a digest in the list. It takes 4 bytes
// for each digest that the plan knows.
func (l *Digests) Places() func(registry.Digest) (int, bool) {
	if len(l.ids) == 0 {
		return func(registry.Digest) (int, bool) { return 0, false }
	}
	places := make([]uint32, l.of.n)
	for i, id := range l.ids {
		places[id] = uint32(i) + 1 //nolint:gosec // there are no more than ids
	}
	return func(d registry.Digest) (int, bool) {
		id, ok := l.of.find(d)
		if !ok || int(id) >= len(places) || places[id] == 0 {
			return 0, false
		}
		return int(places[id] - 1), true
	}
}

// members gives what tells whether a digest is in the list.
func (l *Digests) members() func(registry.Digest) bool {
	if len(l.ids) == 0 {
		return func(registry.Digest) bool { return false }
	}
	in := make([]uint64, l.of.n/64+1)
	for _, id := range l.ids {
		in[id/64] |= 1 << (id % 64)
	}
	return func(d registry.Digest) bool {
		id, ok := l.of.find(d)
		return ok && in[id/64]&(1<<(id%64)) != 0
	}
}

// set is digests to look up.
type set map[sum]struct{}

func (s set) add(d registry.Digest) {
	key, _ := sumOf(d)
	s[key] = struct{}{}
}

func (s set) has(d registry.Digest) bool {
	key, _ := sumOf(d)
	_, ok := s[key]
	return ok
}

// reasons is digests with why they stay. The first reason holds.
type reasons map[sum]registry.Why

func (r reasons) add(d registry.Digest, why registry.Why) {
	key, _ := sumOf(d)
	if _, ok := r[key]; !ok {
		r[key] = why
	}
}

func (r reasons) of(d registry.Digest) (registry.Why, bool) {
	key, _ := sumOf(d)
	why, ok := r[key]
	return why, ok
}
