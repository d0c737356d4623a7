package verify

import (
	"maps"
	"time"

	"berth/registry"
)

// Phase is what a run is at.
type Phase string

// The phases, in their order. A run begins with the empty one.
const (
	Blobs Phase = "blobs"
	Links Phase = "links"
	Done  Phase = "done"
)

// checkpointVersion is that of the meaning of a checkpoint; another one begins
// anew.
const checkpointVersion = 1

// Checkpoint says how far a run has come. It is plain data, to be kept as JSON
// by the caller and given back in Options.From. The zero value is the start.
type Checkpoint struct {
	Version int   `json:"version"`
	Phase   Phase `json:"phase"`
	// Blob and Repository are the last that are done.
	Blob       registry.Digest `json:"blob,omitempty"`
	Repository string          `json:"repository,omitempty"`
	// Started is when the run began; Spent, how long it ran, without pauses.
	Started time.Time     `json:"started"`
	Spent   time.Duration `json:"spent"`
	// Blobs and Bytes that were read, of TotalBlobs and TotalBytes; both totals
	// are those of the start.
	Blobs      int64 `json:"blobs"`
	Bytes      int64 `json:"bytes"`
	TotalBlobs int64 `json:"total_blobs"`
	TotalBytes int64 `json:"total_bytes"`
	// Repositories and Links that were looked at.
	Repositories int64 `json:"repositories"`
	Links        int64 `json:"links"`
	// Found counts findings, and Before those that came before the repository
	// under way, which a run that goes on from here looks at anew.
	Found  map[Kind]int64 `json:"found,omitempty"`
	Before map[Kind]int64 `json:"before,omitempty"`
	// Damaged are blobs that were found damaged, the first ten thousand.
	Damaged []registry.Digest `json:"damaged,omitempty"`
}

const maxDamaged = 10_000

// usable reports whether a run can go on from here.
func (c Checkpoint) usable() bool {
	return c.Version == checkpointVersion && (c.Phase == Blobs || c.Phase == Links)
}

// clone gives a checkpoint that the run does not touch again. Damaged only
// ever grows.
func (c Checkpoint) clone() Checkpoint {
	c.Found, c.Before = maps.Clone(c.Found), maps.Clone(c.Before)
	return c
}

// Findings counts all findings.
func (c Checkpoint) Findings() (n int64) {
	for _, count := range c.Found {
		n += count
	}
	return n
}

// Report is what [Run] tells: how far it has come, and now and then a finding.
type Report struct {
	Checkpoint
	// Now is how many bytes of the blob were read that is being read.
	Now int64
	// Found is a new finding, or nil.
	Found *Finding
}

// Summary is the end of a run.
type Summary struct {
	Checkpoint
	// Complete is false when the run was stopped, or when something could not
	// be listed: then there may be damage that it has not seen.
	Complete bool
}
