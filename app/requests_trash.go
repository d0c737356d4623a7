package app

import "time"

// DeleteRequest names the tags that go.
type DeleteRequest struct {
	Repository string   `json:"repository"`
	Tags       []string `json:"tags"`
	Reason     string   `json:"reason,omitempty"`
}

// DeleteReply says what went and how to undo it.
type DeleteReply struct {
	Deleted []TrashEntry `json:"deleted"`
	// Stay are tags, not deleted, that name one of the same manifests.
	Stay []string `json:"stay,omitempty"`
	// Frees is what a clean-up can free once the trash has let go, in bytes.
	Frees int64 `json:"frees"`
	// Gone is true when the repository has no tag any more.
	Gone bool `json:"gone,omitempty"`
}

// TrashRequest asks for the trash, newest first.
type TrashRequest struct {
	Repository string `json:"repository,omitempty"`
	// Limit is how many entries are listed at most; 0 means all.
	Limit int `json:"limit,omitempty"`
}

// TrashReply lists the trash.
type TrashReply struct {
	Entries []TrashEntry `json:"entries"`
	// More is how many Limit left out.
	More int `json:"more,omitempty"`
	// Keep is for how long something stays in the trash, in nanoseconds.
	Keep time.Duration `json:"keep"`
	// Frees is what a clean-up could free if the whole trash were emptied, in
	// bytes.
	Frees int64 `json:"frees"`
}

// TrashKind says what an entry of the trash brings back.
type TrashKind string

// The kinds of entries.
const (
	TrashTag        TrashKind = "tag"
	TrashManifest   TrashKind = "manifest"   // by digest; Tag is empty
	TrashRepository TrashKind = "repository" // with everything that was in it
)

// TrashEntry is one deleted or overwritten tag, a deleted manifest, or a whole
// repository.
type TrashEntry struct {
	ID         string    `json:"id"`
	Kind       TrashKind `json:"kind"`
	Repository string    `json:"repository"`
	Tag        string    `json:"tag,omitempty"`
	Digest     string    `json:"digest"`
	// Why is "deleted", "overwritten", or a reason in words.
	Why   string    `json:"why"`
	By    string    `json:"by,omitempty"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until"`
	// Size is what the tag reached, in bytes.
	Size int64 `json:"size"`
	// Tags and Manifests are how many a repository had.
	Tags      int `json:"tags,omitempty"`
	Manifests int `json:"manifests,omitempty"`
	// Overwritten is true for a tag that was pushed again, not deleted.
	Overwritten bool `json:"overwritten,omitempty"`
}

// RestoreRequest brings entries back: by ID, or, for a person who types, by
// "repository:tag" or "repository", which mean the newest entry. With All set,
// it is everything in the trash, the newest of each name, and Entries is empty. With As set, which needs
// exactly one entry, the tag gets that name.
type RestoreRequest struct {
	Entries []string `json:"entries"`
	As      string   `json:"as,omitempty"`
	All     bool     `json:"all,omitempty"`
}

// RestoreReply says what is back. A tag that names something else meanwhile is
// a conflict; nothing was changed for it, and the face offers another name.
type RestoreReply struct {
	// Restored is what is back; of a repository, Tags are those that came back.
	Restored  []TrashEntry `json:"restored"`
	Conflicts []Conflict   `json:"conflicts,omitempty"`
	// Gone are entries that were in the trash when it began, and not when their
	// turn came: the trash was emptied meanwhile, or somebody else restored them.
	Gone []TrashEntry `json:"gone,omitempty"`
	// Failed is what could not come back, of several; it is still in the trash.
	Failed []RestoreFailure `json:"failed,omitempty"`
}

// RestoreFailure is an entry that could not come back.
type RestoreFailure struct {
	Entry   TrashEntry `json:"entry"`
	Problem *Problem   `json:"problem"`
}

// Conflict is an entry whose tag is taken.
type Conflict struct {
	Entry TrashEntry `json:"entry"`
	// Suggest is a free name, such as "v1-restored".
	Suggest string `json:"suggest"`
}

// EmptyTrashRequest lets go of entries for good, before their time; none named
// means all. With DryRun nothing goes: the reply is the plan.
type EmptyTrashRequest struct {
	Entries []string `json:"entries,omitempty"`
	DryRun  bool     `json:"dry_run,omitempty"`
}

// EmptyTrashReply says what went, or would go.
type EmptyTrashReply struct {
	Gone int `json:"gone"`
	// Frees is what nothing else holds of it, in bytes: what clean-ups free.
	Frees int64 `json:"frees"`
	// Now is the part of Frees that a clean-up frees at once; 0 with DryRun,
	// when that is not known. Why is what the rest waits for, empty when a
	// clean-up frees all of it: "it must be older than the grace of 1h".
	Now int64  `json:"now"`
	Why string `json:"why,omitempty"`
}

// DeleteRepositoryRequest names a repository that goes, with all its tags and
// manifests. With DryRun nothing goes: the reply is the plan.
type DeleteRepositoryRequest struct {
	Repository string `json:"repository"`
	Reason     string `json:"reason,omitempty"`
	DryRun     bool   `json:"dry_run,omitempty"`
}

// DeleteRepositoryReply says what went, or would go.
type DeleteRepositoryReply struct {
	// Deleted brings it all back; its ID is empty after a dry run.
	Deleted TrashEntry `json:"deleted"`
	// Stay are repositories whose names begin with this one's, which stay.
	Stay []string `json:"stay,omitempty"`
	// Frees is what a clean-up can free once the trash has let go, in bytes.
	Frees int64 `json:"frees"`
}
