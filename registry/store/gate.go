package store

import "sync"

// gate stands between references and their removal. Whoever makes a reference
// to a blob, or promises that one can be made, is inside with others from the
// check until the reference is durable; whoever takes a blob away is inside
// alone, from the check that nothing refers to it until it is gone.
type gate struct{ mu sync.RWMutex }

// refer enters with others; the result leaves.
func (g *gate) refer() (leave func()) {
	g.mu.RLock()
	return g.mu.RUnlock
}

// remove enters alone; the result leaves.
func (g *gate) remove() (leave func()) {
	g.mu.Lock()
	return g.mu.Unlock
}
