package model

import "berth/app"

// CleanupState is the head of the page Clean up: where space goes, and what
// becomes of it.
type CleanupState struct {
	Phase   Phase
	Problem *app.Problem
	// Headline is "1.1 GB", and Text goes on: "can be freed now, …".
	Headline, Text string
	// Note is a line below the legend, such as what is too new, or empty.
	Note string
	// Collecting is true while the figures are not complete.
	Collecting bool
	Parts      []SpacePart
	// Free is the label of the button, "Free 1.1 GB"; CanFree is false when there
	// is nothing to free, and the button only looks closer.
	Free    string
	CanFree bool
	// Last is "Last cleanup yesterday, freed 640 MB", or empty before the first.
	Last, LastExact string

	Stage   Stage
	Plan    *PlanView
	Run     *RunView
	Receipt *ReceiptView
	// Trouble is why the plan or the clean-up failed.
	Trouble *app.Problem

	// History is the sheet of past clean-ups; nil while it is closed.
	History *HistoryView
}

// Stage says how far a clean-up is.
type Stage string

// The stages of a clean-up.
const (
	StageIdle    Stage = ""
	StageLooking Stage = "looking"
	StagePlanned Stage = "planned"
	StageRunning Stage = "running"
	StageDone    Stage = "done"
	StageFailed  Stage = "failed"
)

// SpaceKind names a part of the disk.
type SpaceKind string

// The parts of the disk.
const (
	SpaceImages     SpaceKind = "images"
	SpaceShared     SpaceKind = "shared"
	SpaceTrash      SpaceKind = "trash"
	SpaceUploads    SpaceKind = "uploads"
	SpaceLoose      SpaceKind = "loose"
	SpaceQuarantine SpaceKind = "quarantine"
)

// SpacePart is one part of what is used.
type SpacePart struct {
	Kind        SpaceKind
	Label, Size string
	// Part of what is used, between 0 and 1.
	Part float32
	Tip  string
}

// PlanView is what a clean-up would do.
type PlanView struct {
	// Title is "1.1 GB can go", Facts "212 blobs · 31 manifests".
	Title, Facts string
	Why          []ReasonRow
	Repositories []ReasonRow
	Stays        []ReasonRow
	Problems     []string
	// Free is the label of the button; empty when there is nothing to do.
	Free string
}

// ReceiptView is what a clean-up did.
type ReceiptView struct {
	// Title is "Freed 1.1 GB", Facts "212 blobs · 31 manifests · took 12 s".
	Title, Facts string
	Kept         []ReasonRow
	Problems     []string
	Tone         Tone
}

// HistoryView is the list of past clean-ups.
type HistoryView struct {
	Phase   Phase
	Problem *app.Problem
	// Next is "Next run tonight 03:00", or that there is no schedule.
	Next string
	Rows []PastCleanup
}

// PastCleanup is one past clean-up.
type PastCleanup struct {
	When, WhenExact string
	By              string
	Freed           string
	// Facts say what went; Problems is "1 problem", ProblemsFull names them.
	Facts                  string
	Problems, ProblemsFull string
}
