package app

import "time"

// Usage is the disk in figures, in bytes. What lies on disk is the sum of
// Images, Shared, Trash, Uploads, Loose and Quarantine, which is Used: the
// content, to the byte, without the small files that link it.
type Usage struct {
	Repositories int   `json:"repositories"`
	Tags         int   `json:"tags"`
	Used         int64 `json:"used"`
	// Images is what exactly one image with a tag uses, Shared what several do. An
	// image is one digest, whatever tags of whatever repositories name it.
	Images int64 `json:"images"`
	Shared int64 `json:"shared"`
	// Trash is what only deleted or overwritten tags still hold.
	Trash int64 `json:"trash"`
	// Pinned is the part of Trash that pins hold, and so stays.
	Pinned int64 `json:"pinned,omitempty"`
	// Uploads is what unfinished uploads take.
	Uploads int64 `json:"uploads"`
	// Loose is what nothing points to; Young is the part of it that is newer
	// than the grace, and so stays for now.
	Loose int64 `json:"loose"`
	Young int64 `json:"young"`
	// Quarantine is what was damaged and is kept aside.
	Quarantine int64 `json:"quarantine"`
	// Freeable is what a clean-up would free now.
	Freeable int64 `json:"freeable"`
	// Free and Total are the disk's; 0 when unknown.
	Free  int64 `json:"free"`
	Total int64 `json:"total"`
}

// UsageRequest asks where space goes.
type UsageRequest struct{}

// UsageReply says where space goes; it is answered from the index.
type UsageReply struct {
	Usage Usage `json:"usage"`
	// Indexing is true while the figures are still being collected.
	Indexing bool `json:"indexing,omitempty"`
	// Last is the last clean-up that was not Interrupted; nil before the first. Next is when one is due;
	// zero when none is.
	Last *CleanupReceipt `json:"last,omitempty"`
	Next time.Time       `json:"next,omitzero"`
	// Pending are the tags that the rules would drop now.
	Pending int `json:"pending"`
}

// PlanCleanupRequest asks what a clean-up would free.
type PlanCleanupRequest struct {
	// Grace is how old garbage must be; nil means berth.cleanup.grace.
	Grace *time.Duration `json:"grace,omitempty"`
	// KeepUntagged leaves manifests alone that no tag, no index and nothing in
	// the trash needs.
	KeepUntagged bool `json:"keep_untagged,omitempty"`
	// Untagged takes them although berth.cleanup.untagged says otherwise.
	Untagged bool `json:"untagged,omitempty"`
}

// CleanupPlan is what a clean-up would free, found on the disk. Nothing was
// changed.
type CleanupPlan struct {
	// ID runs it, see RunCleanup, within the next ten minutes.
	ID    string        `json:"id"`
	Began time.Time     `json:"began"`
	Grace time.Duration `json:"grace"`
	// Frees is how many bytes it would free.
	Frees int64 `json:"frees"`
	// Blobs, Manifests, Links and Uploads count what would go.
	Blobs     int `json:"blobs"`
	Manifests int `json:"manifests"`
	Links     int `json:"links"`
	Uploads   int `json:"uploads"`
	// Why sums up what would go, and Stays what is no image's and stays all the
	// same, the largest first.
	Why   []CleanupReason `json:"why"`
	Stays []CleanupReason `json:"stays,omitempty"`
	// InUse is what images need, in bytes.
	InUse int64 `json:"in_use"`
	// Repositories that something would go from, the largest first, and Items,
	// the largest first; Cut says how many more there are.
	Repositories []CleanupRepository `json:"repositories"`
	Items        []CleanupItem       `json:"items"`
	Cut          int                 `json:"cut,omitempty"`
	// Problems say what was left alone since it could not be understood.
	Problems []string `json:"problems,omitempty"`
}

// CleanupReason is a reason, and how much it concerns.
type CleanupReason struct {
	// Text is for people, without a capital and a full stop.
	Text  string `json:"text"`
	Count int    `json:"count"`
	Bytes int64  `json:"bytes"`
}

// CleanupRepository is what would go from one repository. A blob that several
// share counts in the first.
type CleanupRepository struct {
	Name      string `json:"name"`
	Manifests int    `json:"manifests"`
	Blobs     int    `json:"blobs"`
	Bytes     int64  `json:"bytes"`
}

// CleanupItem is one thing that would go.
type CleanupItem struct {
	// Kind is manifest, blob or upload.
	Kind       string `json:"kind"`
	Repository string `json:"repository,omitempty"`
	// Digest, or the id of an upload.
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
	Why    string `json:"why"`
}

// RunCleanupRequest frees space: what the plan says that was shown, or, without
// one, what a new plan finds. The other fields are those of PlanCleanupRequest,
// and without effect when there is a plan.
type RunCleanupRequest struct {
	Plan         string         `json:"plan,omitempty"`
	Grace        *time.Duration `json:"grace,omitempty"`
	KeepUntagged bool           `json:"keep_untagged,omitempty"`
	Untagged     bool           `json:"untagged,omitempty"`
	// Rules applies the rules first.
	Rules bool `json:"rules,omitempty"`
	// ReadOnly frees space also while the registry was made read-only, as
	// garbage-collect of distribution does. On a disk that cannot be written it
	// has no effect.
	ReadOnly bool `json:"read_only,omitempty"`
}

// CleanupReceipt is what a clean-up did.
type CleanupReceipt struct {
	Job   string    `json:"job"`
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
	// By is who asked: a user's name, "schedule" or "disk low".
	By string `json:"by"`
	// Freed is in bytes, Blobs, Manifests, Links and Uploads are counts.
	Freed     int64 `json:"freed"`
	Blobs     int   `json:"blobs"`
	Manifests int   `json:"manifests"`
	Links     int   `json:"links"`
	Uploads   int   `json:"uploads"`
	// Dropped tags went to the trash by rules, Emptied entries left the trash
	// since the disk was low.
	Dropped int `json:"dropped,omitempty"`
	Emptied int `json:"emptied,omitempty"`
	// Attached tags of signatures and the like went to the trash, since what
	// they stood beside was freed.
	Attached int `json:"attached,omitempty"`
	// Kept is what nothing points to, and stayed all the same, and why.
	Kept []CleanupReason `json:"kept,omitempty"`
	// Problems say what could not be done.
	Problems  []string `json:"problems,omitempty"`
	Cancelled bool     `json:"cancelled,omitempty"`
	// Interrupted says that the end of Berth, of its process or of the machine
	// cut it off before it could write this receipt, or a defect broke it, which
	// Problems then say. When it began, who asked, Emptied and Job are known; what
	// it freed is not, so Freed and the counts are to be shown as unknown, not as 0.
	// Ended equals Began. What it had freed until then is gone for good, and nothing
	// else is: it did no harm.
	Interrupted bool `json:"interrupted,omitempty"`
}

// CleanupsRequest asks for past clean-ups.
type CleanupsRequest struct{}

// CleanupsReply lists them, newest first.
type CleanupsReply struct {
	Receipts []CleanupReceipt `json:"receipts"`
	// Schedule is off, daily or weekly; Next is when; zero when it is off.
	Schedule string    `json:"schedule"`
	Next     time.Time `json:"next,omitzero"`
}
