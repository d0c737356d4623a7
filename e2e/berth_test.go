//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// berth is a running headless registry.
type berth struct {
	addr, data string
	proc       *process
}

func headless() string { return filepath.Join(root, "bin", "berth-headless") }

// serve starts a registry with a data folder of its own, which ends with the
// test.
func serve(t testing.TB) *berth {
	t.Helper()
	return serveOn(t, t.TempDir())
}

func serveOn(t testing.TB, data string) *berth {
	t.Helper()
	b, err := startBerth(data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.proc.end)
	return b
}

// startBerth returns once the ready line was printed.
func startBerth(data string) (*berth, error) { return startBerthWith(data, nil) }

func startBerthWith(data string, env []string) (*berth, error) {
	log, err := os.CreateTemp(scratch, "berth-*.log")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(headless(), "serve", "--addr", "127.0.0.1:0", "--data", data)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	proc, err := launch(cmd, log)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		proc.kill()
		return nil, fmt.Errorf("no ready line: %w: %s", err, proc.tail())
	}
	fields := strings.Fields(line)
	if len(fields) == 0 || !strings.Contains(line, "ready") {
		proc.kill()
		return nil, fmt.Errorf("the first line of serve is %q", line)
	}
	// What follows is the access log.
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	// Clients of another family than the one that was bound must not be asked
	// to resolve localhost.
	addr := strings.Replace(fields[len(fields)-1], "localhost:", "127.0.0.1:", 1)
	return &berth{addr: addr, data: data, proc: proc}, nil
}

// kill ends the registry as a power cut of the process would.
func (b *berth) kill(t testing.TB) {
	t.Helper()
	b.proc.kill()
	if state := b.proc.cmd.ProcessState; state == nil || state.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the registry had ended before: %v: %s", b.proc.err, b.proc.tail())
	}
}

// cli runs a verb on the registry's data folder and decodes its JSON.
func (b *berth) cli(t testing.TB, reply any, args ...string) {
	t.Helper()
	out := must(t, nil, append([]string{headless(), "--json", "--data", b.data}, args...)...)
	if reply == nil {
		return
	}
	if err := json.Unmarshal([]byte(out), reply); err != nil {
		t.Fatalf("berth %s: %v in %s", strings.Join(args, " "), err, out)
	}
}

// exit runs a verb and gives its exit code.
func (b *berth) exit(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	out, errs, err := execute(t.Context(), nil, append([]string{headless(), "--data", b.data}, args...)...)
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return failed.ExitCode(), out, errs
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, out, errs
}

// names lists "repository:tag" of everything in the registry.
func (b *berth) names(t testing.TB) []string {
	t.Helper()
	var snap struct {
		Repositories []struct{ Name string }
		Indexing     bool
	}
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		b.cli(t, &snap, "ls", "--sort", "name")
		if !snap.Indexing || time.Since(start) > time.Minute {
			break
		}
		snap.Indexing = false
	}
	var names []string
	for _, r := range snap.Repositories {
		var tags struct{ Tags []struct{ Name string } }
		b.cli(t, &tags, "tags", r.Name, "--sort", "name")
		for _, tag := range tags.Tags {
			names = append(names, r.Name+":"+tag.Name)
		}
	}
	return names
}

// reply is an answer of the API, read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

var client = http.Client{Timeout: time.Minute}

// call speaks to the API directly. A path that is a Location is taken whole.
func (b *berth) call(t testing.TB, method, path string, header map[string]string, body io.Reader) reply {
	t.Helper()
	if strings.HasPrefix(path, "/") {
		path = "http://" + b.addr + path
	}
	r, err := http.NewRequestWithContext(t.Context(), method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return reply{answer.StatusCode, answer.Header, content}
}

// expect is call, for one status only.
func (b *berth) expect(t testing.TB, status int, method, path string, header map[string]string, body io.Reader) reply {
	t.Helper()
	r := b.call(t, method, path, header, body)
	if r.status != status {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, r.status, status, r.body)
	}
	return r
}
