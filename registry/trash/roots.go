package trash

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"

	"berth/registry"
)

// Roots yields every entry as a root of the garbage collection, as the disk has
// them: a repository as all of its manifests. What is damaged is a
// [registry.UnreadRoot].
func (b *Bin) Roots(ctx context.Context) iter.Seq2[registry.Root, error] {
	return func(yield func(registry.Root, error) bool) {
		if err := b.refresh(ctx, false); err != nil {
			yield(registry.Root{}, err)
			return
		}
		for _, id := range b.table.unread() {
			if !yield(registry.Root{}, &registry.UnreadRoot{What: "an entry of the trash", File: key(id), Record: key(id)}) {
				return
			}
		}
		for e, err := range b.Newest(ctx) {
			if err != nil {
				yield(registry.Root{}, err)
				return
			}
			if !b.rootsOf(ctx, e, yield) {
				return
			}
		}
	}
}

// unread gives the ids of the records that could not be understood.
func (t *table) unread() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.damaged)
}

func (b *Bin) rootsOf(ctx context.Context, e Entry, yield func(registry.Root, error) bool) bool {
	why := "in the trash: " + e.Name()
	if !e.Whole {
		return yield(registry.Root{Repository: e.Repository, Digest: e.Digest, Why: why}, nil)
	}
	var damaged string
	got := 0
	for m, err := range b.contents(ctx, e, func(file string) { damaged = file }) {
		if err != nil {
			yield(registry.Root{}, err)
			return false
		}
		got++
		if !yield(registry.Root{Repository: e.Repository, Digest: m.Digest, Why: why}, nil) {
			return false
		}
	}
	if damaged == "" && got < e.Manifests {
		damaged = partKey(e.ID, max(e.Parts-1, 0)) // it was cut short between two lines
	}
	if damaged == "" {
		return true
	}
	// It may have left the trash meanwhile: its record goes first.
	if _, err := b.drv.Stat(ctx, key(e.ID)); errors.Is(err, fs.ErrNotExist) {
		return true
	}
	return yield(registry.Root{}, &registry.UnreadRoot{
		Repository: e.Repository, What: "a part of what is in the trash of the whole repository", File: damaged, Record: key(e.ID),
	})
}
