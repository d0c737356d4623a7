package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"berth/app"
	"berth/app/control"
)

// Exit codes; problems carry theirs.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// ErrNoInstance means that no running Berth owns the data folder.
var ErrNoInstance = errors.New("no running Berth owns the data folder")

// usage is the problem of a command line that makes no sense.
func usage(cmd *cobra.Command, text string) error {
	return &app.Problem{
		Code:     "usage",
		Severity: "error",
		Title:    text,
		Command:  cmd.CommandPath() + " --help",
		Exit:     exitUsage,
	}
}

// badValue is how the library of flags refuses what is no number, or neither true
// nor false.
var badValue = regexp.MustCompile(`^invalid argument (".*") for "(?:-\w, )?(--[\w-]+)" flag: strconv\.Parse(Int|Bool):`)

// flagText says what is wrong with a flag, without the words of what reads it.
func flagText(err error) string {
	said := badValue.FindStringSubmatch(err.Error())
	switch {
	case said == nil:
		return err.Error()
	case said[3] == "Bool":
		return said[2] + " wants true or false, not " + said[1]
	}
	return said[2] + " wants a number, such as 20, not " + said[1]
}

// unknownCommand refuses an argument of the root, and offers what was meant.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	p := usage(cmd, fmt.Sprintf("%q is not a command of berth", args[0]))
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		if problem, ok := errors.AsType[*app.Problem](p); ok {
			problem.Fix = "Did you mean " + strings.Join(near, " or ") + "?"
		}
	}
	return p
}

// want demands between least and most arguments; most < 0 means any number.
func want(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		verb := strings.TrimPrefix(cmd.CommandPath(), "berth ")
		switch {
		case len(args) < least:
			return usage(cmd, fmt.Sprintf("%s needs %s", verb, what))
		case most == 0 && len(args) > 0:
			return usage(cmd, fmt.Sprintf("%s takes no argument, got %q", verb, args[0]))
		case most >= 0 && len(args) > most:
			return usage(cmd, fmt.Sprintf("%s takes %s, got %q too", verb, what, args[most]))
		}
		return nil
	}
}

// report prints what went wrong and gives the exit code.
func (p *program) report(err error) int {
	problem := problemOf(err)
	if p.json {
		enc := json.NewEncoder(p.Err)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		_ = enc.Encode(struct {
			Problem *app.Problem `json:"problem"`
		}{problem})
		return problem.Exit
	}
	fmt.Fprintln(p.Err, "berth: "+problem.Title)
	p.printDetails(problem)
	return problem.Exit
}

// printDetails writes cause, fix and command below a title.
func (p *program) printDetails(problem *app.Problem) {
	for _, line := range []string{problem.Text, problem.Fix} {
		if line != "" {
			fmt.Fprintln(p.Err, "  "+line)
		}
	}
	if problem.Command != "" {
		fmt.Fprintln(p.Err, "    "+strings.ReplaceAll(problem.Command, "\n", "\n    "))
	}
}

// problemOf turns any error into a problem with an exit code that is not 0.
func problemOf(err error) *app.Problem {
	if errors.Is(err, control.ErrNotRunning) {
		return &app.Problem{
			Code: "instance_gone", Severity: "error", Title: "Berth ended meanwhile", Text: "The running Berth stopped before it answered.",
			Fix: "Look whether it was done, then try again:", Command: "berth ls", Exit: exitError,
		}
	}
	problem := *app.AsProblem(err)
	if problem.Exit == exitOK {
		problem.Exit = exitError
	}
	return &problem
}
