package app

import "time"

// LocalImagesRequest asks for the engine's images; Context names a docker
// context, empty means the current one.
type LocalImagesRequest struct {
	Context string `json:"context,omitempty"`
}

// LocalImagesReply lists local images. When the engine cannot be reached,
// Problem says why and Images is empty.
type LocalImagesReply struct {
	Engine   Engine       `json:"engine"`
	Contexts []Context    `json:"contexts"`
	Images   []LocalImage `json:"images"`
	Problem  *Problem     `json:"problem,omitempty"`
}

// Engine is the container engine that answered.
type Engine struct {
	Name    string `json:"name"` // "Docker Engine", "Podman"
	Version string `json:"version"`
	Address string `json:"address"` // "unix:///var/run/docker.sock"
	Context string `json:"context,omitempty"`
}

// Context is a docker context.
type Context struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Current bool   `json:"current,omitempty"`
}

// LocalImage is an image of the engine, one row for each of its names.
type LocalImage struct {
	// ID is the engine's id, "sha256:…".
	ID string `json:"id"`
	// Name is "repository:tag" as the engine knows it.
	Name    string    `json:"name"`
	Size    int64     `json:"size"`
	Created time.Time `json:"created"`
	// As is the name it would get here, "acme/app:dev", without the host.
	As string `json:"as"`
	// InBerth is true when the same image is at As already.
	InBerth bool `json:"in_berth,omitempty"`
}

// PushRequest pushes a local image, named by id or name, as the name As
// ("acme/app:dev"); an empty As means the one LocalImages offers.
type PushRequest struct {
	Image   string `json:"image"`
	As      string `json:"as,omitempty"`
	Context string `json:"context,omitempty"`
}

// PullRequest pulls an image from here into the engine.
type PullRequest struct {
	Repository string `json:"repository"`
	Reference  string `json:"reference"`
	Context    string `json:"context,omitempty"`
}

// ImportRequest imports every image of an archive. As replaces the name when
// the archive has one image, or none of its images has a name.
type ImportRequest struct {
	Path string `json:"path"`
	As   string `json:"as,omitempty"`
}

// JobReply names the job that was started.
type JobReply struct {
	ID string `json:"id"`
}

// JobsRequest asks for jobs; with ID set, for that one only.
type JobsRequest struct {
	ID string `json:"id,omitempty"`
}

// JobsReply lists jobs.
type JobsReply struct {
	Jobs []Job `json:"jobs"`
}

// JobKind says what a job does.
type JobKind string

// The kinds of job.
const (
	JobPush   JobKind = "push"
	JobPull   JobKind = "pull"
	JobImport JobKind = "import"

	JobCleanup JobKind = "cleanup"
	JobRules   JobKind = "rules"
	JobVerify  JobKind = "verify"
	JobRepair  JobKind = "repair"
)

// JobState says how far a job is.
type JobState string

// The states of a job.
const (
	JobRunning   JobState = "running"
	JobDone      JobState = "done"
	JobFailed    JobState = "failed"
	JobCancelled JobState = "cancelled"
)

// Job is long work.
type Job struct {
	ID    string   `json:"id"`
	Kind  JobKind  `json:"kind"`
	State JobState `json:"state"`
	// Title names what it works on: "acme/app:dev".
	Title string `json:"title"`
	// Source is the local image of a push, or the file of an import.
	Source  string    `json:"source,omitempty"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	// Done and Total in bytes; Total is 0 until it is known.
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
	// Rate in bytes a second, over the last seconds.
	Rate   int64      `json:"rate"`
	Layers []JobLayer `json:"layers,omitempty"`
	// Note is a line on what it does now, such as "preparing".
	Note string `json:"note,omitempty"`
	// Problem is set when it failed.
	Problem *Problem `json:"problem,omitempty"`
	// Digest is the result of a push; PullCommand the line to paste.
	Digest      string `json:"digest,omitempty"`
	PullCommand string `json:"pull_command,omitempty"`
	// Receipt is the result of a clean-up, also of one that was cancelled, and
	// of an application of rules; Repairs that of a repair.
	Receipt *CleanupReceipt `json:"receipt,omitempty"`
	Repairs []Repair        `json:"repairs,omitempty"`
}

// JobLayer is one layer within a job.
type JobLayer struct {
	ID string `json:"id"` // short digest
	// State is waiting, active, exists, mounted or done.
	State string `json:"state"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}

// CancelRequest names a job.
type CancelRequest struct {
	ID string `json:"id"`
}

// CancelReply gives the job as it ended.
type CancelReply struct {
	Job Job `json:"job"`
}
