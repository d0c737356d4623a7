package model

import "berth/app"

// Page names a page of the window.
type Page string

// The pages, in the order of the navigation.
const (
	PageImages Page = "images"
	PageDocker Page = "docker"
	// PageCleanup is the fourth; the third is not there yet.
	PageCleanup Page = "cleanup"
)

// ShellState is what surrounds the pages.
type ShellState struct {
	Page Page
	Nav  []NavItem
	// Status is the line at the foot of the navigation.
	Status StatusLine
	// Address is where the registry answers, empty until it is known.
	Address string
	Space   Space
	// Problems are what is wrong now, worst first: a banner above the page.
	Problems []app.Problem
	// Toasts are on the snackbar stack, oldest first.
	Toasts []Toast
}

// NavItem is one line of the navigation.
type NavItem struct {
	Page  Page
	Title string
	// Key is the digit that shows it with Ctrl.
	Key rune
	// Calls is true when there is something to do on the page.
	Calls bool
	// Count is how many things the page holds, or empty.
	Count    string
	Selected bool
}

// Tone says how a mark is coloured.
type Tone string

// The tones.
const (
	ToneOK      Tone = "ok"
	ToneBusy    Tone = "busy"
	ToneInfo    Tone = "info"
	ToneWarning Tone = "warning"
	ToneDanger  Tone = "danger"
	ToneFaint   Tone = "faint"
)

// StatusLine is a coloured dot with words: "Running".
type StatusLine struct {
	Text string
	// Detail is for the tooltip.
	Detail string
	Tone   Tone
}

// Space is the bar of the disk. The parts are of the whole bar, which is what
// is used here and what is free.
type Space struct {
	Known bool
	// Used is the part that stays, Freeable the part that a clean-up would free.
	Used, Freeable float32
	// UsedText is "4.2 GB used"; RestText "1.1 GB to free", else "212 GB free".
	UsedText, RestText string
	// RestTone is warning for what can be freed, faint for free space.
	RestTone Tone
	Tooltip  string
}

// Toast is one line of the snackbar: Lead, Strong (semibold) and Rest follow
// each other and bring their own spaces.
type Toast struct {
	ID     int
	Tone   Tone
	Lead   string
	Strong string
	Rest   string
	// Action is the word of its button ("Undo"), and Hint the keys for it.
	Action, Hint string
	// Progress is between 0 and 1 for one that shows a job, else negative; such a
	// toast stays until the job ends.
	Progress float32
	// Command is a line to copy, for a problem that has one.
	Command string

	act func()
	job string
}

// Text is the whole line.
func (t Toast) Text() string { return t.Lead + t.Strong + t.Rest }
