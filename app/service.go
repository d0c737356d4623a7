package app

import (
	"context"
	"iter"
)

// Service is everything Berth can do, as its faces see it. Long work answers
// with the id of a job at once; see Jobs and Cancel.
type Service interface {
	Catalogue
	Local
	Upkeep
	Jobs
	Instance

	// Watch yields notices until ctx ends: hints that something changed, never
	// the truth itself. The first notice comes at once. Notices of one kind
	// that come fast are merged.
	Watch(ctx context.Context, r WatchRequest) iter.Seq2[Notice, error]
}

// Catalogue is what is in the registry.
type Catalogue interface {
	// Snapshot gives repositories, totals and running jobs: what a whole face
	// shows before anything is chosen.
	Snapshot(ctx context.Context, r SnapshotRequest) (Snapshot, error)
	// Tags lists the tags of one repository.
	Tags(ctx context.Context, r TagsRequest) (TagsReply, error)
	// Inspect shows one manifest: layers, configuration, history, what is attached.
	Inspect(ctx context.Context, r InspectRequest) (InspectReply, error)
	// Retag points another tag at the same manifest.
	Retag(ctx context.Context, r RetagRequest) (RetagReply, error)
	// Delete moves tags to the trash.
	Delete(ctx context.Context, r DeleteRequest) (DeleteReply, error)
	// Trash lists what can be restored.
	Trash(ctx context.Context, r TrashRequest) (TrashReply, error)
	// Restore brings entries of the trash back.
	Restore(ctx context.Context, r RestoreRequest) (RestoreReply, error)
}

// Local is the container engine on this machine, and files.
type Local interface {
	// LocalImages lists the engine's images, and the name each would get here.
	LocalImages(ctx context.Context, r LocalImagesRequest) (LocalImagesReply, error)
	// Push starts to push a local image.
	Push(ctx context.Context, r PushRequest) (JobReply, error)
	// Pull starts to pull an image into the engine.
	Pull(ctx context.Context, r PullRequest) (JobReply, error)
	// Import starts to read an OCI folder or a tar (docker save, OCI) from disk.
	Import(ctx context.Context, r ImportRequest) (JobReply, error)
}

// Upkeep is how Berth itself is doing.
type Upkeep interface {
	// Health lists what is wrong now, worst first.
	Health(ctx context.Context, r HealthRequest) (HealthReply, error)
}

// Jobs is long work.
type Jobs interface {
	// Jobs lists running jobs, and the ended ones that are still remembered,
	// newest first.
	Jobs(ctx context.Context, r JobsRequest) (JobsReply, error)
	// Cancel asks a job to stop, and returns when it has.
	Cancel(ctx context.Context, r CancelRequest) (CancelReply, error)
}

// Instance is the running program.
type Instance interface {
	// Status says where the registry answers and where it keeps things.
	Status(ctx context.Context, r StatusRequest) (Status, error)
	// OpenWindow raises the window of the instance, or says that it has none,
	// so that the caller shows one of its own.
	OpenWindow(ctx context.Context, r OpenWindowRequest) (OpenWindowReply, error)
	// Quit ends the instance after running uploads are done.
	Quit(ctx context.Context, r QuitRequest) (QuitReply, error)
}
