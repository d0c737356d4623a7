package model

import "berth/app"

// TrayState is the tray: an icon and a flat menu.
type TrayState struct {
	Icon app.State
	// Tooltip is "Berth: running on localhost:5000".
	Tooltip string
	Lines   []TrayLine
}

// TrayLine is one line of the menu. A line without text is a separator. ID
// names what a click does; it is empty for lines that take none.
type TrayLine struct {
	ID   string
	Text string
}

// Separator is the rule between groups.
func (l TrayLine) Separator() bool { return l.Text == "" }
