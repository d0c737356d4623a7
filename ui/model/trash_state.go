package model

import "berth/app"

// TrashState is the card of what can be restored.
type TrashState struct {
	Phase   Phase
	Problem *app.Problem
	// Keep is "kept 7 days".
	Keep string
	// Rows is shared: do not change it.
	Rows []TrashRow
	// Focus is the index of the focused row, or -1.
	Focus int
	// Checked counts marked rows; CheckedText is "3 selected" or empty.
	Checked     int
	CheckedText string
	// Confirm asks before something goes for good; nil asks nothing.
	Confirm *Confirm
}

// TrashRow is one entry of the trash.
type TrashRow struct {
	ID string
	// Name is "acme/app:v1", "acme/app@9f2c41d7", or a repository's.
	Name string
	// Short is "…/app:v1" where there is no room for Name, or empty.
	Short string
	// Detail is "you · 4 min ago", Tip says all.
	Detail, Tip string
	Size        string
	// Repository is true for a whole one.
	Repository bool
	// Tag is true for a tag, which can come back under another name.
	Tag bool
	// Taken is true when its tag names something else by now: Restore brings it
	// back as As then.
	Taken   bool
	As      string
	Checked bool
	Focused bool
	// Dimmed rows are on their way and take no clicks.
	Dimmed bool
}

// Confirm is a question before what cannot be undone.
type Confirm struct {
	Title, Text string
	// Verb is the label of the button that does it.
	Verb string
}
