//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/adrg/xdg"
)

// root is the folder of the project; scratch is removed at the end.
var root, scratch string

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	if root, err = findRoot(); err != nil {
		return 1, err
	}
	if scratch, err = os.MkdirTemp("", "berth-e2e-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, removeAll(scratch)) }()
	// Clients find their settings here and nowhere else.
	for _, set := range [][2]string{
		{"HOME", scratch},
		{"XDG_CONFIG_HOME", filepath.Join(scratch, "config")},
		{"XDG_DATA_HOME", filepath.Join(scratch, "data")},
		{"XDG_RUNTIME_DIR", filepath.Join(scratch, "run")},
		{"XDG_CACHE_HOME", filepath.Join(scratch, "cache")},
		{"DOCKER_CONFIG", filepath.Join(scratch, "docker")},
		{"LANG", "C.UTF-8"},
		{"LC_ALL", "C.UTF-8"},
	} {
		if err := os.Setenv(set[0], set[1]); err != nil {
			return 1, err
		}
	}
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "DOCKER_HOST", "DOCKER_CONTEXT", "BERTH_DATA", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"} {
		if err := os.Unsetenv(name); err != nil {
			return 1, err
		}
	}
	xdg.Reload() // it has read them before
	for _, dir := range []string{"run", "docker"} {
		if err := os.Mkdir(filepath.Join(scratch, dir), 0o700); err != nil {
			return 1, err
		}
	}
	// podman wants to read one when the variable is set.
	if err := os.WriteFile(filepath.Join(scratch, "docker", "config.json"), []byte("{}"), 0o600); err != nil {
		return 1, err
	}
	defer sharedEngine.stop()
	return m.Run(), nil
}

func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the working folder")
		}
	}
}

// removeAll unmounts what an engine left mounted, then removes.
func removeAll(dir string) error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], dir+"/") {
			_ = syscall.Unmount(f[1], syscall.MNT_DETACH)
		}
	}
	return os.RemoveAll(dir)
}

// process is a program that runs beside the tests.
type process struct {
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{} // closed when it has ended
	err  error         // valid after done
}

// start runs a program; its output goes to a file. It dies with the tests.
func start(name string, env []string, command ...string) (*process, error) {
	log, err := os.CreateTemp(scratch, name+"-*.log")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	return launch(cmd, log)
}

func launch(cmd *exec.Cmd, log *os.File) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// end asks the program to end, and kills it when it does not.
func (p *process) end() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.kill()
	}
	_ = p.log.Close()
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stacks ends a program that hangs, and gives what its goroutines did.
func (p *process) stacks() string {
	info, err := os.Stat(p.log.Name())
	if err == nil {
		err = p.cmd.Process.Signal(syscall.SIGQUIT)
	}
	if err != nil {
		return err.Error()
	}
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
	}
	b, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(b[min(info.Size(), int64(len(b))):])
}

// tail gives the end of what it printed.
func (p *process) tail() string {
	b, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}

// until polls a condition of another program; there is nothing to wait on.
func until(limit time.Duration, what string, ok func() bool) error {
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		if ok() {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: not within %v", what, limit)
		}
	}
}

func waitFor(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	if err := until(limit, what, ok); err != nil {
		t.Fatal(err)
	}
}

// must runs a client to its end and gives its standard output.
func must(t testing.TB, env []string, command ...string) string {
	t.Helper()
	out, errs, err := execute(t.Context(), env, command...)
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(command, " "), err, out, errs)
	}
	return out
}

func execute(ctx context.Context, env []string, command ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// tool gives a program that the project brings itself.
func tool(name string) string { return filepath.Join(root, ".tools", name) }
