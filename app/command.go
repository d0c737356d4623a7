package app

import (
	"context"
	"time"
)

const (
	// sayReading is how long a command waits before it says what for.
	sayReading = time.Second
	// stalled is for how long an index that grows no more is waited for: in a
	// folder that cannot be read whole it is never complete.
	stalled = 20 * time.Second
	// countPatience is for how long figures wait that are known but for what lies
	// beside blobs.
	countPatience = 3 * time.Second
)

// ForCommand is the Core for one command that opened the folder alone: where an
// answer needs the index, and the index does not reflect the disk yet, it waits
// until it does, since nobody is there to ask again. told is called, once for
// each wait, when that takes more than a second.
func (c *Core) ForCommand(told func()) Service { return forCommand{c, told} }

// forCommand waits for the index first.
type forCommand struct {
	*Core
	told func()
}

// whole waits until the index reflects the disk. Its error is that of ctx.
func (a forCommand) whole(ctx context.Context) error {
	if !a.indexing.Load() {
		return nil
	}
	say, look := time.NewTimer(sayReading), time.NewTicker(stalled)
	defer say.Stop()
	defer look.Stop()
	for had := a.ix.Version(""); ; {
		select {
		case <-a.compared:
			a.indexing.Store(false)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-say.C:
			a.told()
		case <-look.C:
			has := a.ix.Version("")
			if has == had {
				return nil // what there is is shown as not complete
			}
			had = has
		}
	}
}

// counted waits a moment until what lies beside blobs is counted: of most folders
// it is by then, and of a large one the figures say that it is not.
func (a forCommand) counted(ctx context.Context) {
	if a.beside(time.Time{}).Known {
		return
	}
	enough := time.NewTimer(countPatience)
	defer enough.Stop()
	select {
	case <-a.compared:
	case <-enough.C:
	case <-ctx.Done():
	}
}

// Snapshot shows the whole.
func (a forCommand) Snapshot(ctx context.Context, r SnapshotRequest) (Snapshot, error) {
	if err := a.whole(ctx); err != nil {
		return Snapshot{}, err
	}
	return a.Core.Snapshot(ctx, r)
}

// Tags lists the tags of a repository.
func (a forCommand) Tags(ctx context.Context, r TagsRequest) (TagsReply, error) {
	if err := a.whole(ctx); err != nil {
		return TagsReply{}, err
	}
	return a.Core.Tags(ctx, r)
}

// Inspect shows one manifest.
func (a forCommand) Inspect(ctx context.Context, r InspectRequest) (InspectReply, error) {
	if err := a.whole(ctx); err != nil {
		return InspectReply{}, err
	}
	return a.Core.Inspect(ctx, r)
}

// Delete moves tags to the trash, and says what that frees.
func (a forCommand) Delete(ctx context.Context, r DeleteRequest) (DeleteReply, error) {
	if err := a.whole(ctx); err != nil {
		return DeleteReply{}, err
	}
	return a.Core.Delete(ctx, r)
}

// DeleteRepository moves a repository to the trash, and says what was in it.
func (a forCommand) DeleteRepository(ctx context.Context, r DeleteRepositoryRequest) (DeleteRepositoryReply, error) {
	if err := a.whole(ctx); err != nil {
		return DeleteRepositoryReply{}, err
	}
	return a.Core.DeleteRepository(ctx, r)
}

// Trash lists what can be restored, and what that frees.
func (a forCommand) Trash(ctx context.Context, r TrashRequest) (TrashReply, error) {
	if err := a.whole(ctx); err != nil {
		return TrashReply{}, err
	}
	return a.Core.Trash(ctx, r)
}

// LocalImages lists the engine's images, and the names they would get.
func (a forCommand) LocalImages(ctx context.Context, r LocalImagesRequest) (LocalImagesReply, error) {
	if err := a.whole(ctx); err != nil {
		return LocalImagesReply{}, err
	}
	return a.Core.LocalImages(ctx, r)
}

// Usage says where space goes.
func (a forCommand) Usage(ctx context.Context, r UsageRequest) (UsageReply, error) {
	if err := a.whole(ctx); err != nil {
		return UsageReply{}, err
	}
	a.counted(ctx)
	return a.Core.Usage(ctx, r)
}

// PlanCleanup finds what a clean-up would free.
func (a forCommand) PlanCleanup(ctx context.Context, r PlanCleanupRequest) (CleanupPlan, error) {
	if err := a.whole(ctx); err != nil {
		return CleanupPlan{}, err
	}
	return a.Core.PlanCleanup(ctx, r)
}

// PreviewRules says what rules would drop.
func (a forCommand) PreviewRules(ctx context.Context, r PreviewRulesRequest) (PreviewRulesReply, error) {
	if err := a.whole(ctx); err != nil {
		return PreviewRulesReply{}, err
	}
	return a.Core.PreviewRules(ctx, r)
}
