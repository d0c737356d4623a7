package trash

import (
	"context"
	"slices"
	"sync"
)

// Recorder learns which entries the calls that were made with its context
// left in the trash, through however many decorators they went:
//
//	ctx, rec := trash.Record(ctx)
//	err := reg.DeleteTag(ctx, repo, tag)
//	undo := rec.Entries()
type Recorder struct {
	mu      sync.Mutex // guards entries
	entries []Entry
}

type recorderKey struct{}

// Record gives a context and the recorder of what is deleted and overwritten
// with it.
func Record(ctx context.Context) (context.Context, *Recorder) {
	r := &Recorder{}
	return context.WithValue(ctx, recorderKey{}, r), r
}

// Entries gives what was recorded so far, in order.
func (r *Recorder) Entries() []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.entries)
}

func record(ctx context.Context, entries []Entry) {
	r, ok := ctx.Value(recorderKey{}).(*Recorder)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, entries...)
}
