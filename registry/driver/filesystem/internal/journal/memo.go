package journal

// memo remembers hashes without keeping them: it never forgets one, and now
// and then believes to know another.
type memo struct{ bits []uint64 }

// memoBits is for the about 60,000 keys of a full segment, two bits each.
const memoBits = 1 << 19

func (m *memo) add(hash uint64) {
	if m.bits == nil {
		m.bits = make([]uint64, memoBits/64)
	}
	for range 2 {
		m.bits[hash%memoBits/64] |= 1 << (hash % 64)
		hash >>= 32
	}
}

func (m *memo) has(hash uint64) bool {
	if m == nil || m.bits == nil {
		return false
	}
	for range 2 {
		if m.bits[hash%memoBits/64]&(1<<(hash%64)) == 0 {
			return false
		}
		hash >>= 32
	}
	return true
}
