package model

import (
	"context"
	"sync"
)

// tasks owns the goroutines of the models.
type tasks struct {
	spawn func(func())
	wg    sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	serial int
	live   map[int]context.CancelFunc
	keyed  map[string]int
}

func newTasks(spawn func(func())) *tasks {
	if spawn == nil {
		spawn = func(f func()) { go f() }
	}
	return &tasks{spawn: spawn, live: map[int]context.CancelFunc{}, keyed: map[string]int{}}
}

// run starts f with a context that ends with the models. A key that is not
// empty cancels what runs under the same key.
func (t *tasks) run(key string, f func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		cancel()
		return
	}
	t.serial++
	id := t.serial
	t.live[id] = cancel
	if key != "" {
		if old, ok := t.live[t.keyed[key]]; ok {
			old()
		}
		t.keyed[key] = id
	}
	t.wg.Add(1)
	t.mu.Unlock()
	t.spawn(func() {
		defer t.wg.Done()
		defer t.end(id)
		f(ctx)
	})
}

func (t *tasks) end(id int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.live[id]()
	delete(t.live, id)
}

// close cancels and joins everything; later runs do nothing.
func (t *tasks) close() {
	t.mu.Lock()
	t.closed = true
	for _, cancel := range t.live {
		cancel()
	}
	t.mu.Unlock()
	t.wg.Wait()
}
