package app

import "time"

// VerifyRequest starts to look at every byte and every link, where an earlier
// run was paused or stopped, else anew. To cancel its job is to pause it.
type VerifyRequest struct {
	// Restart begins anew.
	Restart bool `json:"restart,omitempty"`
	// Rate is how much is read, in bytes a second; 0 means berth.verify.rate,
	// and less than 0 as fast as it goes; less than 64,000 is refused.
	Rate int64 `json:"rate,omitempty"`
	// LookOnly leaves damaged blobs where they are.
	LookOnly bool `json:"look_only,omitempty"`
}

// VerificationState says how far verifying is.
type VerificationState string

// The states.
const (
	VerifyNever   VerificationState = "never"
	VerifyRunning VerificationState = "running"
	VerifyPaused  VerificationState = "paused"
	VerifyDone    VerificationState = "done"
)

// VerificationRequest asks for the last verification.
type VerificationRequest struct{}

// Verification is the last verification, or the one under way.
type Verification struct {
	State VerificationState `json:"state"`
	// Interrupted says of a paused one that nobody paused it: the end of Berth
	// cut it off. It goes on by itself when Berth serves the folder, at Resumes.
	Interrupted bool      `json:"interrupted,omitempty"`
	Resumes     time.Time `json:"resumes,omitzero"`
	// Job is set while it runs.
	Job     string    `json:"job,omitempty"`
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	// Blobs and Bytes that were read, of TotalBlobs and TotalBytes.
	Blobs      int64 `json:"blobs"`
	TotalBlobs int64 `json:"total_blobs"`
	Bytes      int64 `json:"bytes"`
	TotalBytes int64 `json:"total_bytes"`
	// Links that were looked at, in Repositories.
	Links        int64 `json:"links"`
	Repositories int64 `json:"repositories"`
	// Complete is false when something could not be looked at.
	Complete bool `json:"complete"`
	// Findings that still stand; Cut says how many more there are. Of the first
	// 10,000 the next come once these are mended; what is beyond is counted only,
	// and listed by the next verification.
	Findings []Finding `json:"findings"`
	Cut      int       `json:"cut,omitempty"`
	// Quarantined is what lies aside.
	Quarantined []Quarantined `json:"quarantined,omitempty"`
}

// Aside counts what lies in the quarantine, its bytes, and the findings that
// miss some of it.
func (v Verification) Aside() (blobs int, bytes int64, missed int) {
	aside := map[string]bool{}
	for _, q := range v.Quarantined {
		aside[q.Digest], bytes = true, bytes+q.Size
	}
	for _, f := range v.Findings {
		if aside[f.Digest] {
			missed++
		}
	}
	return len(aside), bytes, missed
}

// Fix is what helps with a finding.
type Fix string

// The fixes.
const (
	// FixRefetch: the content must come from elsewhere, or be pushed again.
	FixRefetch Fix = "refetch"
	// FixRelink: everything is on disk, only a link must be written.
	FixRelink Fix = "relink"
	// FixRemoveTag: a tag that names nothing can be removed.
	FixRemoveTag Fix = "remove tag"
)

// Finding is one thing that is wrong.
type Finding struct {
	ID string `json:"id"`
	// Kind in words, such as "blob damaged"; Text is a sentence.
	Kind       string `json:"kind"`
	Text       string `json:"text"`
	Repository string `json:"repository,omitempty"`
	Tag        string `json:"tag,omitempty"`
	Digest     string `json:"digest,omitempty"`
	Size       int64  `json:"size,omitempty"`
	// Quarantined: it was moved aside.
	Quarantined bool `json:"quarantined,omitempty"`
	// Fixes that can help, the best first.
	Fixes []Fix `json:"fixes,omitempty"`
}

// Quarantined is a damaged blob that was moved aside.
type Quarantined struct {
	Digest string    `json:"digest"`
	Size   int64     `json:"size"`
	At     time.Time `json:"at,omitzero"`
}

// RepairRequest mends findings, by their ids; none named means all that Fix
// helps with.
type RepairRequest struct {
	Findings []string `json:"findings,omitempty"`
	// Fix to try; empty means the first of each finding, but nothing for a tag
	// that names nothing: that is for a person to decide.
	Fix Fix `json:"fix,omitempty"`
	// From is where lost content is looked for: "docker", the address of a
	// registry such as "https://registry.example.com", or empty for docker.
	From string `json:"from,omitempty"`
	// DropQuarantined frees what lies aside instead, and nothing else is done.
	DropQuarantined bool `json:"drop_quarantined,omitempty"`
}

// Repair is what became of one finding.
type Repair struct {
	Finding Finding `json:"finding"`
	// Problem is nil when it is mended.
	Problem *Problem `json:"problem,omitempty"`
	// Entry of the trash that brings a removed tag back; empty when its bytes
	// were gone, and there is nothing to bring back.
	Entry string `json:"entry,omitempty"`
}
