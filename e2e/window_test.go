//go:build e2e

package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func windowed() string { return filepath.Join(root, "bin", "berth") }

// showBerth starts the real program on a desktop and returns once its registry
// answers.
func showBerth(t testing.TB, d *desktop, env []string, args ...string) *berth {
	t.Helper()
	data := t.TempDir()
	env = append(append([]string{}, d.env...), env...)
	proc, err := start("window", env, append([]string{windowed(), "--addr", "127.0.0.1:0", "--data", data}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proc.end)
	b := &berth{data: data, proc: proc}
	waitFor(t, 60*time.Second, "the registry of the window answers", func() bool {
		for line := range strings.Lines(proc.tail()) {
			if _, addr, ok := strings.Cut(line, "berth: ready at "); ok {
				b.addr = strings.Replace(strings.TrimSpace(addr), "localhost:", "127.0.0.1:", 1)
			}
		}
		return b.addr != ""
	})
	return b
}
