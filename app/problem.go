package app

// Problem is an error that a person may read: what happened, why, and what to
// do. Faces show it as it is; nothing else writes text for users.
type Problem struct {
	// Code is stable and for programs: "docker_absent", "port_taken".
	Code string `json:"code"`
	// Severity is error or warning.
	Severity string `json:"severity,omitempty"`
	// Title is one line, Text says the cause, Fix what to do.
	Title string `json:"title"`
	Text  string `json:"text,omitempty"`
	Fix   string `json:"fix,omitempty"`
	// Command is a line to copy and run, when there is one.
	Command string `json:"command,omitempty"`
	// Exit is the exit code of the command line: 1 error, 2 usage, 3 not
	// found, 4 conflict or locked, 5 engine unreachable.
	Exit int `json:"exit,omitempty"`
}

// Error gives the title and the cause.
func (p *Problem) Error() string {
	if p.Text == "" {
		return p.Title
	}
	return p.Title + ": " + p.Text
}
