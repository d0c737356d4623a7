package config

import "fmt"

// Kind says what is wrong with a configuration.
type Kind string

// The kinds of error.
const (
	// Unreadable: the file is not there, or is not YAML.
	Unreadable Kind = "unreadable"
	// Invalid: a value cannot be what it is.
	Invalid Kind = "invalid"
	// Unsupported: Berth cannot do what the key asks.
	Unsupported Kind = "unsupported"
)

// Error is a configuration that Berth cannot run with.
type Error struct {
	Kind Kind
	// Key as in config.yml, such as "storage.s3"; empty for the whole file.
	Key    string
	Origin Origin
	Err    error
}

// Error names the key and the place.
func (e *Error) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("configuration %s: %v", e.Origin, e.Err)
	}
	return fmt.Sprintf("configuration key %s (%s): %v", e.Key, e.Origin, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
