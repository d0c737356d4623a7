package model

import "berth/app"

// VerifyState is the card that says whether every byte is as it was pushed.
type VerifyState struct {
	Phase   Phase
	Problem *app.Problem
	// Title is "All 1,214 blobs verified", Text the line below it.
	Title, Text string
	Tone        Tone
	// Sound is true when the last look found nothing wrong.
	Sound bool
	// Progress is between 0 and 1 while it runs or is paused, else negative.
	Progress float32
	// Verb is the label of the button: Verify, Pause, Resume, Verify again.
	Verb string
	// Again offers to begin anew, besides Resume.
	Again bool

	Findings []FindingRow
	// Cut is "and 12 more", or empty.
	Cut string
	// RepairAll is the label of the button that mends what can be, or empty.
	RepairAll string
	// Aside is "1 damaged blob is kept aside, 120 MB", or empty.
	Aside, AsideTip string
	Repair          *RunView
	// Confirm asks before what is kept aside goes for good; nil asks nothing.
	Confirm *Confirm
}

// FindingRow is one thing that is wrong.
type FindingRow struct {
	ID string
	// Title is "Blob damaged", Text a sentence.
	Title, Text string
	// Image is "acme/app:v1", or a repository, or empty.
	Image string
	Size  string
	Tip   string
	// Fixes are what can help, the best first.
	Fixes []FixItem
	// Trouble is why the last repair of it failed, or empty.
	Trouble string
}

// FixItem is one way to mend a finding.
type FixItem struct {
	// Label is "Repair from Docker"; Ask is true when an address is needed.
	Label string
	Fix   app.Fix
	Ask   bool
}
