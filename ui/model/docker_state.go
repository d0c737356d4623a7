package model

import "berth/app"

// DockerState is the Docker page.
type DockerState struct {
	Phase Phase
	// Problem says why the engine cannot be reached, with PhaseFailed.
	Problem *app.Problem
	// Engine is "Docker Engine 28.2 · unix:///var/run/docker.sock · 12 images".
	Engine     string
	EngineTone Tone
	// Contexts are the engines to choose from; Context is the chosen.
	Contexts []string
	Context  string
	Filter   string
	// Rows is shared: do not change it.
	Rows []LocalRow
	// Checked counts check boxes; PushChecked is the label "Push 3 images", or
	// empty.
	Checked     int
	CheckedText string
	PushChecked string
	AllChecked  bool
	// Focus is the index of the focused row, or -1.
	Focus int
}

// PushState says what the last column of a local image shows.
type PushState string

// The states of a row.
const (
	PushIdle      PushState = "idle"     // the Push button
	PushStarting  PushState = "starting" // asked, no job yet
	PushRunning   PushState = "running"  // Progress
	PushDone      PushState = "done"     // Result, "Pushed · 2 s"
	PushFailed    PushState = "failed"   // Problem, and the button again
	PushCancelled PushState = "cancelled"
	PushInBerth   PushState = "in_berth" // "already in Berth"
)

// LocalRow is one local image.
type LocalRow struct {
	// Key names the row in intents; it survives a refresh.
	Key  string
	Name string
	// ID is whole, Short for the column.
	ID, Short             string
	Size                  string
	Created, CreatedExact string
	// Host is "localhost:5000/", As the rest of the name it will get, as typed.
	Host, As string
	// Edited is true when As is not what was offered; AsProblem says what is
	// wrong with it, empty means nothing.
	Edited    bool
	AsProblem string

	Checked, Focused bool
	State            PushState
	// Result is the word of a finished row: "Pushed · 2 s", "already in Berth",
	// "Cancelled".
	Result   string
	Progress *Progress    // with PushRunning
	Problem  *app.Problem // with PushFailed
	// Pull is the pull command of a pushed row.
	Pull string
}

// Progress is a running job.
type Progress struct {
	Job string
	// Text is "4 of 7 layers · 52 MB/s", Percent "61%".
	Text, Percent string
	Part          float32
	// Cancelling is true once Cancel was asked for.
	Cancelling bool
	Layers     []LayerProgress
}

// LayerProgress is one layer of a running job.
type LayerProgress struct {
	ID string
	// Text is "exists", "mounted", "waiting", "done", "31 of 48 MB".
	Text string
	Part float32
	// Tone is faint for a layer that need not be sent, ok for one that moves.
	Tone Tone
}
