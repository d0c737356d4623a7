package dockertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// startTimeout is how long a private engine may take to answer.
const startTimeout = 60 * time.Second

// Real gives the address of a real engine: the one that DOCKER_HOST names or
// that listens on the default socket, else, where this is Linux, we are root
// and dockerd is installed, a private one that ends with the test. When there
// is none, the test fails and says what is missing.
func Real(t testing.TB) (host string) {
	t.Helper()
	for _, host := range []string{os.Getenv("DOCKER_HOST"), "unix:///var/run/docker.sock"} {
		if host != "" && answers(t.Context(), host) {
			return host
		}
	}
	dockerd, err := exec.LookPath("dockerd")
	if err != nil || runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Fatalf("no container engine: none answers on DOCKER_HOST or the default socket, and a private one "+
			"needs dockerd, Linux and root (dockerd: %v, user %d). Start Docker, or run this test as root.", err, os.Geteuid())
	}
	return private(t, dockerd)
}

// answers reports whether an engine is behind a unix or tcp address.
func answers(ctx context.Context, host string) bool {
	network, address, ok := strings.Cut(host, "://")
	if !ok || network != "unix" && network != "tcp" {
		return false
	}
	c := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		},
	}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine/_ping", nil)
	if err != nil {
		return false
	}
	resp, err := c.Do(r)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// private starts an engine with everything of its own: no bridge, no firewall
// rules, nothing shared with one that may be installed.
func private(t testing.TB, dockerd string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "dockerd")
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "docker.sock")
	var log bytes.Buffer
	cmd := exec.Command(dockerd, "-H", "unix://"+socket, //nolint:gosec // found in PATH
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"),
		"--pidfile", filepath.Join(dir, "pid"), "--bridge", "none", "--iptables=false")
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatalf("start dockerd: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		if err := stop(cmd.Process, ended, dir); err != nil {
			t.Errorf("stop dockerd: %v", err)
		}
	})
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !answers(t.Context(), "unix://"+socket) {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("dockerd ended: %v\n%s", err, tail(&log))
		case <-deadline.C:
			t.Fatalf("dockerd does not answer after %s", startTimeout)
		case <-tick.C:
		}
	}
	return "unix://" + socket
}

func tail(b *bytes.Buffer) string {
	s := b.String()
	return s[max(0, len(s)-2000):]
}

// stop ends the engine, unmounts what it left and removes its folder.
func stop(p *os.Process, ended chan error, dir string) error {
	err := p.Signal(os.Interrupt)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		err = errors.Join(err, errors.New("it had to be killed"), p.Kill())
		<-ended
	}
	mounts, readErr := os.ReadFile("/proc/self/mounts")
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], dir+"/") {
			if out, mErr := exec.Command("umount", "-l", f[1]).CombinedOutput(); mErr != nil { //nolint:gosec // our own mount
				err = errors.Join(err, fmt.Errorf("umount %s: %w: %s", f[1], mErr, out))
			}
		}
	}
	return errors.Join(err, os.RemoveAll(dir))
}
