package dockerbridge

import "fmt"

// Kind says what went wrong, so that a face can say what to do about it.
type Kind string

// The kinds of error.
const (
	// KindAbsent: no engine answers; it is not installed or not running.
	KindAbsent Kind = "absent"
	// KindPermission: this user may not use the engine's socket.
	KindPermission Kind = "permission"
	// KindNoSpace: a disk is full, the engine's or the registry's.
	KindNoSpace Kind = "no_space"
	// KindUnreachable: the engine answers, but cannot reach the registry.
	KindUnreachable Kind = "unreachable"
	// KindDenied: the registry refuses, or wants credentials.
	KindDenied Kind = "denied"
	// KindNotFound: the engine has no such image, or the registry no such tag.
	KindNotFound Kind = "not_found"
	// KindCancelled: the caller's context ended it.
	KindCancelled Kind = "cancelled"
	// KindUnnamed: the engine cannot push it without losing it; see Engine.Push.
	KindUnnamed Kind = "unnamed"
	// KindOther is everything else; Err says.
	KindOther Kind = "other"
)

// Error is why an engine did not do what it was asked.
type Error struct {
	Kind Kind
	// Address of the engine.
	Address string
	// Err is the cause, in the engine's words where it had some.
	Err error
}

// Error says the cause and whose it is.
func (e *Error) Error() string {
	if e.Address == "" {
		return fmt.Sprintf("container engine: %v", e.Err)
	}
	return fmt.Sprintf("container engine at %s: %v", e.Address, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
