package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"

	"berth/app/config"
	"berth/app/job"
	"berth/app/single"
	"berth/registry"
	"berth/registry/driver"
)

// The exit codes of the command line.
const (
	exitError    = 1
	exitUsage    = 2
	exitNotFound = 3
	exitConflict = 4
	exitEngine   = 5
)

const (
	severityError   = "error"
	severityWarning = "warning"
)

// AsProblem gives the problem in err's chain, or says what err means to a
// person. It gives nil for nil.
func AsProblem(err error) *Problem {
	if err == nil {
		return nil
	}
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	for _, known := range []func(error) *Problem{lockProblem, configProblem, diskProblem, contextProblem, registryProblem} {
		if p := known(err); p != nil {
			return p
		}
	}
	if errors.Is(err, job.ErrUnknown) {
		return &Problem{
			Code: "not_found", Severity: severityError, Title: "There is no such job", Text: "It may have ended long ago.",
			Fix: "To see those that are remembered:", Command: "berth jobs", Exit: exitNotFound,
		}
	}
	if errors.Is(err, job.ErrClosed) {
		return &Problem{
			Code: "quitting", Severity: severityError, Title: "Berth is quitting", Text: "It starts nothing new any more.",
			Fix: "Start Berth again.", Command: "berth", Exit: exitConflict,
		}
	}
	return &Problem{
		Code: "error", Severity: severityError, Title: "That did not work", Text: err.Error(),
		Fix: "Try again. If it stays so, Berth's log says more.", Exit: exitError,
	}
}

func lockProblem(err error) *Problem {
	var held *single.HeldError
	if !errors.As(err, &held) {
		return nil
	}
	p := &Problem{
		Code: "data_locked", Severity: severityError, Title: "Berth is already running on " + held.Data,
		Text: "Another process uses this data folder.", Fix: "Use that one, quit it, or choose another folder with --data.",
		Command: "berth status", Exit: exitConflict,
	}
	if held.Data != config.DefaultData() {
		p.Command += " --data " + shellWord(held.Data)
	}
	if held.PID != 0 {
		p.Text = fmt.Sprintf("Process %d uses this data folder.", held.PID)
	}
	if held.Address != "" {
		p.Text = strings.TrimSuffix(p.Text, ".") + ", and answers at " + held.Address + "."
	}
	return p
}

// shellWord writes a path so that a shell takes it as one word.
func shellWord(path string) string {
	if !strings.ContainsAny(path, " \t'\"$&|;<>()`*?[]#~!{}") {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

func configProblem(err error) *Problem {
	var c *config.Error
	if !errors.As(err, &c) {
		return nil
	}
	p := &Problem{Code: "config_" + string(c.Kind), Severity: severityError, Exit: exitUsage}
	where := c.Origin.String()
	switch {
	case c.Kind == config.Unreadable:
		p.Title, p.Text, p.Fix = "The configuration "+where+" cannot be read", c.Err.Error(), "Correct the file, or name another."
	case c.Kind == config.Unsupported:
		p.Title = "Berth cannot do “" + c.Key + "” yet"
		p.Text = fmt.Sprintf("It is set by %s. Berth refuses to start rather than to ignore it.", where)
		p.Fix = "Remove it, or keep using the registry that you have for this."
	case c.Key == "":
		p.Title, p.Text, p.Fix = "The configuration "+where+" is not right", c.Err.Error(), "Correct the line that is named."
	default:
		p.Title = "The setting “" + c.Key + "” is not right"
		p.Text = fmt.Sprintf("%s says: %v.", where, c.Err)
		p.Fix = "Correct it there."
	}
	return p
}

func diskProblem(err error) *Problem {
	switch {
	case noSpace(err):
		return &Problem{
			Code: "disk_full", Severity: severityError, Title: "The disk is full",
			Text: "There is no room left in the data folder, so nothing more can be stored.",
			Fix:  freeSome, Command: freeCommand, Exit: exitError,
		}
	case errors.Is(err, driver.ErrReadOnly):
		return readOnlyProblem()
	case errors.Is(err, fs.ErrPermission):
		return &Problem{
			Code: "permission", Severity: severityError, Title: "Berth may not use a file or folder that it needs",
			Text: err.Error(), Fix: "Give your user the right to read and write it, or choose another folder with --data.", Exit: exitError,
		}
	}
	return nil
}

// noSpace also knows a full disk by what the system says, for files beside the
// registry's.
func noSpace(err error) bool {
	var code syscall.Errno
	full := runtime.GOOS == "windows" && errors.As(err, &code) && (code == 39 || code == 112) // ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL
	return full || errors.Is(err, driver.ErrNoSpace) || errors.Is(err, syscall.ENOSPC)
}

func readOnlyProblem() *Problem {
	return &Problem{
		Code: "read_only", Severity: severityWarning, Title: "The storage is read-only",
		Text:    "Images can be pulled, but nothing can be pushed or deleted.",
		Fix:     "Make the data folder writable, or, if it was switched on in the settings, switch it off:",
		Command: "berth config set storage.maintenance.readonly.enabled false", Exit: exitConflict,
	}
}

func contextProblem(err error) *Problem {
	switch {
	case errors.Is(err, context.Canceled):
		return &Problem{Code: "cancelled", Severity: severityError, Title: "Cancelled", Exit: exitError}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return &Problem{
			Code: "timeout", Severity: severityError, Title: "It took too long", Text: "There was no answer in time.",
			Fix: "Try again.", Exit: exitError,
		}
	}
	return nil
}

func registryProblem(err error) *Problem {
	known := registry.AsErrors(err)
	if len(known) == 0 {
		return nil
	}
	first := known[0]
	p := &Problem{Code: strings.ToLower(first.Code), Severity: severityError, Text: sentence(first.Message), Exit: exitError}
	if detail, ok := first.Detail.(string); ok && detail != "" {
		p.Text = sentence(first.Message + " (" + detail + ")")
	}
	switch {
	case errors.Is(first, registry.ErrNameUnknown), errors.Is(first, registry.ErrManifestUnknown), errors.Is(first, registry.ErrBlobUnknown):
		p.Code, p.Title, p.Exit = "not_found", "That image is not here", exitNotFound
		p.Fix, p.Command = "To see what is here:", "berth ls"
	case errors.Is(first, registry.ErrNameInvalid):
		p.Title, p.Exit = "That name does not work", exitUsage
		p.Fix = "Use lower-case letters, digits, “.”, “_”, “-” and “/”, as in team/app."
	case errors.Is(first, registry.ErrTagInvalid):
		p.Title, p.Exit = "That tag does not work", exitUsage
		p.Fix = "Use up to 128 letters, digits, “.”, “_” and “-”, as in v1.2."
	case errors.Is(first, registry.ErrDigestInvalid):
		p.Title, p.Exit = "That digest does not work", exitUsage
		p.Fix = "Copy it whole, as in sha256: and 64 digits."
	case errors.Is(first, registry.ErrDenied) && immutableRule(first) != "":
		p.Code, p.Title, p.Exit = "immutable", "That tag is immutable", exitConflict
		p.Fix, p.Command = "Use another tag, or change the rule "+immutableRule(first)+":", "berth rules immutable"
	case errors.Is(first, registry.ErrDenied) && pinnedTag(first) != "":
		p.Code, p.Title, p.Exit = codePinned, "That image is pinned", exitConflict
		p.Fix, p.Command = "Unpin it first:", "berth unpin "+pinnedTag(first)
	case errors.Is(first, registry.ErrDenied), errors.Is(first, registry.ErrUnauthorized):
		p.Title = "That is not allowed"
		p.Fix = "Sign in as somebody who may."
	case errors.Is(first, registry.ErrUnsupported):
		p.Title, p.Exit = "The registry does not do that", exitConflict
		p.Fix = "If it is switched off, switch it on under settings."
	case errors.Is(first, registry.ErrManifestBlobUnknown):
		p.Title = "The image is not complete"
		p.Fix = "Push it again."
	default:
		p.Title = "The registry refused"
		p.Fix = "Correct what it names, then try again."
	}
	return p
}

// immutableRule gives the rule that a refusal names; empty for none.
func immutableRule(err *registry.Error) string {
	detail, _ := err.Detail.(map[string]string)
	return detail["rule"]
}

// sentence begins with a capital and ends with a stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

func notFound(what string) *Problem {
	return &Problem{
		Code: "not_found", Severity: severityError, Title: what + " is not here",
		Text: "Nothing in Berth has that name.", Fix: "To see what is here:", Command: "berth ls", Exit: exitNotFound,
	}
}

func badName(what, name, fix string) *Problem {
	return &Problem{
		Code: "name_invalid", Severity: severityError, Title: fmt.Sprintf("“%s” is not %s", name, what), Fix: fix, Exit: exitUsage,
	}
}

// BadRequest is the problem of a request that cannot be read.
func BadRequest(err error) *Problem {
	return &Problem{
		Code: "bad_request", Severity: severityError, Title: "Berth does not understand the request",
		Text: sentence(err.Error()), Fix: "Correct it. If you did not write it, your Berth programs may be of two versions: quit Berth and start it again.", Exit: exitUsage,
	}
}

// OtherVersion is the problem of an instance that does not know a method, or
// answers in another way than this program.
func OtherVersion(method, status string) *Problem {
	return &Problem{
		Code: "other_version", Severity: severityError, Title: "The running Berth is of another version",
		Text: fmt.Sprintf("It answered %s to %s.", status, method),
		Fix:  "Quit it and start this one.", Command: "berth quit", Exit: exitConflict,
	}
}

// NoWindow is the line for a machine without a display.
func NoWindow() *Problem {
	return &Problem{
		Code: "no_display", Severity: severityWarning, Title: "There is no display, so the registry runs without window and tray",
		Text: "Neither DISPLAY nor WAYLAND_DISPLAY is set.", Fix: "To serve without this line:", Command: "berth serve",
	}
}

func indexingProblem() Problem {
	return Problem{
		Code: "indexing", Severity: severityWarning, Title: "Berth is reading the data folder",
		Text: "Sizes and dates are still being collected. Pushing and pulling work meanwhile.", Fix: "Wait until it is done.",
	}
}
