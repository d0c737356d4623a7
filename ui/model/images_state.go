package model

import "berth/app"

// Phase says which face of a list to draw.
type Phase string

// The phases of a list.
const (
	PhaseLoading Phase = "loading" // skeleton rows
	PhaseReady   Phase = "ready"
	PhaseEmpty   Phase = "empty"   // nothing there: say what to do
	PhaseNoMatch Phase = "nomatch" // the filter hides everything
	PhaseFailed  Phase = "failed"  // Problem says why
)

// ImagesState is the Images page.
type ImagesState struct {
	Phase    Phase
	Problem  *app.Problem
	FirstRun FirstRun // with PhaseEmpty

	Filter   string
	RepoSort RepoSort
	// Repositories are the rows after the filter, a namespace together. The
	// slice is shared: do not change it.
	Repositories []RepoRow
	// Selected is the index of the selected row, or -1.
	Selected int
	// Note is a line below the list, such as "Collecting sizes…", or empty.
	Note string

	// Repo is the selected repository; nil when none is.
	Repo *RepoView
}

// FirstRun is the empty state of a registry without images.
type FirstRun struct {
	Title, Text string
	// Commands are the lines to paste, in order.
	Commands []string
	// Choose is the label of the button that leads to the Docker page, such as
	// "Choose from 12 local images".
	Choose string
	Import string
	Drop   string
}

// RepoSort is an order of the repositories.
type RepoSort string

// The orders of repositories.
const (
	ReposByName   RepoSort = "name"
	ReposByPushed RepoSort = "pushed"
	ReposBySize   RepoSort = "size"
	ReposByTags   RepoSort = "tags"
)

// RepoRow is a row of the list of repositories.
type RepoRow struct {
	Name string
	// Namespace is the name up to the last slash ("acme"), or empty; First marks
	// the first row of a namespace.
	Namespace, Base string
	First           bool
	// Facts is "14 tags · 612 MB".
	Facts       string
	Pushed      string
	PushedExact string
	Selected    bool
	Dimmed      bool // it is being deleted
}

// RepoView is the right side: one repository and its tags.
type RepoView struct {
	Name string
	// Facts is "14 tags · 612 MB on disk · 240 MB shared".
	Facts string
	// Pull is the command for the focused tag, docker's, by tag.
	Pull string
	// PullLines are all ways to pull the focused tag, for the copy menu.
	PullLines []PullLine

	Phase   Phase
	Problem *app.Problem
	Sort    Column
	Reverse bool
	// Tags is shared: do not change it.
	Tags []TagRow
	// Checked counts check boxes; CheckedText is "3 selected" or empty.
	Checked     int
	CheckedText string
	AllChecked  bool
	// Focus is the index of the focused row, or -1.
	Focus int
	// Inspector shows the focused tag; nil when none is, or while rows are
	// checked.
	Inspector *InspectorView
}

// PullLine is one way to pull.
type PullLine struct {
	Label string // "docker, by digest"
	Line  string
}

// Column is a column of the table of tags.
type Column string

// The columns that sort.
const (
	ColumnTag    Column = "name"
	ColumnSize   Column = "size"
	ColumnFrees  Column = "frees"
	ColumnPushed Column = "pushed"
)

// TagRow is a row of the table of tags.
type TagRow struct {
	Name string
	// Digest is whole, Short for the column.
	Digest, Short string
	// Platforms is for the column, PlatformsFull for its tooltip.
	Platforms, PlatformsFull string
	Size, Frees              string
	Pushed, PushedExact      string
	// Same is "same as v2.4.1", or empty; SameFull names all.
	Same, SameFull string
	// SizeTip says how much of it is shared, or is empty.
	SizeTip string
	// Pinned and Immutable say in words what keeps the tag, or are empty.
	Pinned, Immutable string
	// Attached is "3 attached" (signatures, SBOMs), or empty.
	Attached string
	Checked  bool
	Focused  bool
	// Dimmed rows are on their way out and take no clicks.
	Dimmed bool
}

// Tab is a tab of the inspector.
type Tab string

// The tabs of the inspector.
const (
	TabLayers   Tab = "layers"
	TabConfig   Tab = "config"
	TabHistory  Tab = "history"
	TabAttached Tab = "attached"
)

// TabItem is a tab with its label: "Attached 3".
type TabItem struct {
	Tab      Tab
	Label    string
	Selected bool
}

// InspectorView shows one manifest.
type InspectorView struct {
	Tag string
	// Digest is whole; DigestText is "sha256:9f2c41d7…e08b".
	Digest, DigestText string
	Phase              Phase
	Problem            *app.Problem
	Tabs               []TabItem
	Tab                Tab
	// Pulled is "Pulled 41×", or empty.
	Pulled string
	// Platforms to choose from (more than one for an index), and the chosen.
	Platforms []string
	Platform  string

	Layers   []LayerRow
	Config   []Fact
	History  []HistoryRow
	Attached []AttachedRow
}

// LayerRow is one layer.
type LayerRow struct {
	Number int
	// Step is the line of the Dockerfile that made it, on one line.
	Step   string
	Digest string
	// Shared is "shared by 11 tags", or "only this tag" with Only set.
	Shared string
	Only   bool
	Size   string
	// Part of the whole, between 0 and 1, for the bar.
	Part float32
}

// HistoryRow is one step of a build.
type HistoryRow struct {
	Step, Created, CreatedExact string
	// Empty steps made no layer.
	Empty bool
}

// Fact is a name with its value; Mono asks for the monospace face.
type Fact struct {
	Name, Value string
	Mono        bool
}

// AttachedRow is a signature, an SBOM or another referrer.
type AttachedRow struct {
	Kind, Type, Digest, Short, Size string
}
