package app

import "time"

// SnapshotRequest asks for a [Snapshot].
type SnapshotRequest struct {
	// Search keeps repositories whose name contains it, ignoring case.
	Search string `json:"search,omitempty"`
	// Sort is name, pushed (the default), size or tags.
	Sort string `json:"sort,omitempty"`
}

// Snapshot is what a whole face shows.
type Snapshot struct {
	Status       Status       `json:"status"`
	Repositories []Repository `json:"repositories"`
	Usage        Usage        `json:"usage"`
	// Jobs are the running ones, newest first.
	Jobs []Job `json:"jobs"`
	// Problems as Health gives them.
	Problems []Problem `json:"problems"`
	// LastPush is nil before the first push.
	LastPush *Pushed `json:"last_push,omitempty"`
	// Indexing is true while sizes and dates are still being collected.
	Indexing bool `json:"indexing,omitempty"`
}

// Pushed is one finished push.
type Pushed struct {
	Repository string    `json:"repository"`
	Tag        string    `json:"tag"`
	Digest     string    `json:"digest"`
	At         time.Time `json:"at"`
	// PullCommand is the line to paste.
	PullCommand string `json:"pull_command"`
}

// Repository is a row of the list of repositories.
type Repository struct {
	Name string `json:"name"`
	Tags int    `json:"tags"`
	// Size is everything that the repository links, also what no tag names any
	// more, each distinct blob once, in bytes. It is Frees and Shared: what
	// deleting the repository frees once the trash has let go, and what stays
	// then, since another repository or a pin needs it.
	Size   int64 `json:"size"`
	Shared int64 `json:"shared"`
	Frees  int64 `json:"frees"`
	// Loose is the part of Frees that none of its tags needs; given only when
	// TagsRequest asks for it.
	Loose  int64     `json:"loose,omitempty"`
	Pushed time.Time `json:"pushed"`
}

// TagsRequest asks for the tags of a repository.
type TagsRequest struct {
	Repository string `json:"repository"`
	Search     string `json:"search,omitempty"`
	// Sort is name, pushed (the default), size or frees.
	Sort string `json:"sort,omitempty"`
	// Ascending turns pushed, size and frees, which are largest first, round;
	// Descending turns name.
	Ascending  bool `json:"ascending,omitempty"`
	Descending bool `json:"descending,omitempty"`
	// Measured asks for what takes longer: Repository.Loose and Tag.Elsewhere.
	Measured bool `json:"measured,omitempty"`
}

// TagsReply lists tags.
type TagsReply struct {
	Repository Repository `json:"repository"`
	Tags       []Tag      `json:"tags"`
}

// Tag is a row of the list of tags.
type Tag struct {
	Name      string   `json:"name"`
	Digest    string   `json:"digest"`
	MediaType string   `json:"media_type"`
	Platforms []string `json:"platforms"` // "linux/amd64"
	Size      int64    `json:"size"`
	// Size is Frees and Shared: what deleting this tag alone frees once the trash
	// has let go, and what stays then, since another tag, of whatever repository,
	// or a pin needs it. While another tag names the same image all is shared.
	Shared   int64     `json:"shared"`
	Frees    int64     `json:"frees"`
	Pushed   time.Time `json:"pushed"`
	By       string    `json:"by,omitempty"`
	Pulls    int       `json:"pulls"`
	LastPull time.Time `json:"last_pull,omitzero"`
	// Same are the other tags here with the same digest.
	Same []string `json:"same,omitempty"`
	// Elsewhere is how many more tags need the image: those of other repositories,
	// and those of indexes that it is part of; given only when TagsRequest asks.
	Elsewhere int `json:"elsewhere,omitempty"`
	// Pinned tags are kept by every rule; Immutable names the rule that keeps
	// the tag where it is.
	Pinned    bool   `json:"pinned,omitempty"`
	Immutable string `json:"immutable,omitempty"`
	// Attached counts signatures, SBOMs and other referrers.
	Attached int `json:"attached,omitempty"`
}

// InspectRequest asks for one manifest; Reference is a tag or a digest.
type InspectRequest struct {
	Repository string `json:"repository"`
	Reference  string `json:"reference"`
	// Platform chooses a child of an index, such as "linux/arm64"; empty means
	// this machine's, else the first.
	Platform string `json:"platform,omitempty"`
}

// InspectReply shows one manifest.
type InspectReply struct {
	Repository string   `json:"repository"`
	Reference  string   `json:"reference"`
	Digest     string   `json:"digest"`
	MediaType  string   `json:"media_type"`
	Size       int64    `json:"size"`
	Platforms  []string `json:"platforms"`
	// Platform and Image describe the child that was chosen, or the manifest
	// itself.
	Platform    string            `json:"platform,omitempty"`
	ImageDigest string            `json:"image_digest,omitempty"`
	Layers      []Layer           `json:"layers"`
	History     []History         `json:"history"`
	Config      ImageConfig       `json:"config"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Attached    []Attached        `json:"attached,omitempty"`
	Pulls       int               `json:"pulls"`
	// Raw is the manifest as it was pushed.
	Raw string `json:"raw,omitempty"`
}

// Layer is one layer of an image.
type Layer struct {
	Digest    string `json:"digest"`
	MediaType string `json:"media_type"`
	Size      int64  `json:"size"`
	// CreatedBy is the step that made it, cleaned up to read as in the Dockerfile.
	CreatedBy string `json:"created_by"`
	// Tags is how many tags, in all repositories, reach this layer.
	Tags int `json:"tags"`
}

// History is one step of a build.
type History struct {
	Created   time.Time `json:"created,omitzero"`
	CreatedBy string    `json:"created_by"`
	Comment   string    `json:"comment,omitempty"`
	Empty     bool      `json:"empty,omitempty"`
}

// ImageConfig is what an image runs with.
type ImageConfig struct {
	Created    time.Time         `json:"created,omitzero"`
	Author     string            `json:"author,omitempty"`
	User       string            `json:"user,omitempty"`
	Entrypoint []string          `json:"entrypoint,omitempty"`
	Cmd        []string          `json:"cmd,omitempty"`
	Env        []string          `json:"env,omitempty"`
	WorkingDir string            `json:"working_dir,omitempty"`
	Ports      []string          `json:"ports,omitempty"`
	Volumes    []string          `json:"volumes,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
}

// Attached is a referrer: a signature, an SBOM, an attestation.
type Attached struct {
	Digest       string `json:"digest"`
	ArtifactType string `json:"artifact_type"`
	Size         int64  `json:"size"`
}

// RetagRequest points the tag To at what From, a tag or digest, names.
type RetagRequest struct {
	Repository string `json:"repository"`
	From       string `json:"from"`
	To         string `json:"to"`
}

// RetagReply says what To names now.
type RetagReply struct {
	Digest string `json:"digest"`
}

// HealthRequest asks for problems.
type HealthRequest struct{}

// HealthReply lists problems, worst first; none means healthy.
type HealthReply struct {
	Problems []Problem `json:"problems"`
}

// StatusRequest asks for the status.
type StatusRequest struct{}

// State is the state of the registry.
type State string

// The states of the registry, as the tray icon shows them.
const (
	StateRunning State = "running"
	StateBusy    State = "busy" // a job or an upload is running
	StateWarning State = "warning"
	StateStopped State = "stopped" // not listening
)

// Status says where the registry answers.
type Status struct {
	State State `json:"state"`
	// Address for people and commands, such as "localhost:5000".
	Address string `json:"address"`
	// Listening are the bound addresses, such as "127.0.0.1:5000".
	Listening []string  `json:"listening"`
	Data      string    `json:"data"`
	Version   string    `json:"version"`
	PID       int       `json:"pid"`
	Started   time.Time `json:"started"`
	// Uploads is how many blob uploads are open.
	Uploads int `json:"uploads"`
	// Window is true when a window is attached or shown.
	Window bool `json:"window"`
	// PortNotice says, once, why Address is not the one that was asked for.
	PortNotice *Problem `json:"port_notice,omitempty"`
}

// OpenWindowRequest asks for the window.
type OpenWindowRequest struct{}

// OpenWindowReply says whether the instance had a window to raise.
type OpenWindowReply struct {
	Raised bool `json:"raised"`
}

// QuitRequest ends the instance.
type QuitRequest struct{}

// QuitReply is empty.
type QuitReply struct{}

// WatchRequest starts a stream of notices. A window announces itself, so that
// others can raise it: it then receives NoticeRaise.
type WatchRequest struct {
	Window bool `json:"window,omitempty"`
}

// NoticeKind says what to look at again.
type NoticeKind string

// The kinds of notice.
const (
	NoticeHello  NoticeKind = "hello"  // the stream is open
	NoticeImages NoticeKind = "images" // repositories or tags changed
	NoticeJobs   NoticeKind = "jobs"   // a job moved; at most ten a second
	NoticeJobEnd NoticeKind = "job_end"
	NoticeStatus NoticeKind = "status" // address, problems, usage
	NoticeLocal  NoticeKind = "local"  // the engine's images changed
	NoticeUpkeep NoticeKind = "upkeep" // trash, rules, pins, settings, what a clean-up or a verify found
	NoticeRaise  NoticeKind = "raise"  // show the window
	NoticeQuit   NoticeKind = "quit"   // the instance is ending
)

// Notice is a hint to look again.
type Notice struct {
	Kind NoticeKind `json:"kind"`
	// Repository that changed; empty means look at all.
	Repository string `json:"repository,omitempty"`
	// Job that moved or ended.
	Job string `json:"job,omitempty"`
}
