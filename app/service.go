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
	Settings
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
	// DeleteRepository moves a repository with everything in it to the trash.
	// Those whose names begin with its name stay.
	DeleteRepository(ctx context.Context, r DeleteRepositoryRequest) (DeleteRepositoryReply, error)
	// Trash lists what can be restored.
	Trash(ctx context.Context, r TrashRequest) (TrashReply, error)
	// Restore brings entries of the trash back.
	Restore(ctx context.Context, r RestoreRequest) (RestoreReply, error)
	// EmptyTrash lets go of entries of the trash for good.
	EmptyTrash(ctx context.Context, r EmptyTrashRequest) (EmptyTrashReply, error)
	// Pin keeps a tag and its manifest from every rule.
	Pin(ctx context.Context, r PinRequest) (PinReply, error)
	// Pins lists what is pinned.
	Pins(ctx context.Context, r PinsRequest) (PinsReply, error)
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

// Upkeep is how Berth itself is doing, and how its disk is kept in order.
type Upkeep interface {
	// Usage says where space goes, at once.
	Usage(ctx context.Context, r UsageRequest) (UsageReply, error)
	// PlanCleanup finds on the disk what a clean-up would free; it only reads.
	PlanCleanup(ctx context.Context, r PlanCleanupRequest) (CleanupPlan, error)
	// RunCleanup starts to free space; its job carries the receipt.
	RunCleanup(ctx context.Context, r RunCleanupRequest) (JobReply, error)
	// Cleanups lists past clean-ups, and when the next is due.
	Cleanups(ctx context.Context, r CleanupsRequest) (CleanupsReply, error)
	// Rules gives the rules that say which tags are kept, and which are
	// immutable; SetRules replaces them.
	Rules(ctx context.Context, r RulesRequest) (RulesReply, error)
	SetRules(ctx context.Context, r SetRulesRequest) (RulesReply, error)
	// PreviewRules says what rules would drop, and why; it changes nothing.
	PreviewRules(ctx context.Context, r PreviewRulesRequest) (PreviewRulesReply, error)
	// ApplyRules starts to drop what the rules say, into the trash.
	ApplyRules(ctx context.Context, r ApplyRulesRequest) (JobReply, error)
	// Verify starts, or resumes, to look at every byte and every link.
	Verify(ctx context.Context, r VerifyRequest) (JobReply, error)
	// Verification tells what the last one found, or how far it is.
	Verification(ctx context.Context, r VerificationRequest) (Verification, error)
	// Repair starts to mend what was found.
	Repair(ctx context.Context, r RepairRequest) (JobReply, error)
	// Health lists what is wrong now, worst first.
	Health(ctx context.Context, r HealthRequest) (HealthReply, error)
}

// Settings is how the instance is configured.
type Settings interface {
	// Settings lists every value and where it comes from.
	Settings(ctx context.Context, r SettingsRequest) (SettingsReply, error)
	// Apply changes settings, which act at once and are kept.
	Apply(ctx context.Context, r ApplyRequest) (SettingsReply, error)
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
