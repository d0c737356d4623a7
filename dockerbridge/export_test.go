package dockerbridge

import (
	"context"
	"io"
)

// OpenHost opens the engine at a host, whatever the environment says.
func OpenHost(ctx context.Context, host string) (Engine, error) {
	f := finder{env: func(key string) string { return map[string]string{"DOCKER_HOST": host}[key] }}
	return f.open(ctx, "")
}

// Machine is what discovery asks of the machine.
type Machine struct {
	Env             map[string]string
	Home, ConfigDir string
	OS              string
}

func (m Machine) finder() finder {
	return finder{env: func(key string) string { return m.Env[key] }, home: m.Home, configDir: m.ConfigDir, goos: m.OS}
}

// Hosts lists where Open would look.
func (m Machine) Hosts(name string) ([]string, error) {
	list, err := m.finder().endpoints(name)
	var out []string
	for _, ep := range list {
		out = append(out, ep.host)
	}
	return out, err
}

// Contexts is Contexts on that machine.
func (m Machine) Contexts() ([]Context, error) { return m.finder().contexts() }

// Open is Open on that machine.
func (m Machine) Open(ctx context.Context, name string) (Engine, error) {
	return m.finder().open(ctx, name)
}

// Follow reads a stream, and gives the last progress.
func Follow(r io.Reader) (Progress, error) {
	var last Progress
	err := newStream("pushing", nil, func(p Progress) { last = p }).follow(r)
	return last, err
}

// AsError finds the kind of an error.
func AsError(err error) error { return asError(err, "") }

// Reclaim is Loans.Reclaim for an engine at a host.
func Reclaim(ctx context.Context, l *Loans, host string) (left int, err error) {
	return l.reclaim(ctx, finder{env: func(key string) string { return map[string]string{"DOCKER_HOST": host}[key] }})
}

// Lend remembers a loan as a push does that is killed before it ends.
func Lend(l *Loans, host, reference, id, before string) error {
	return l.begin(loan{Engine: host, Reference: reference, Image: id, Before: before})
}
