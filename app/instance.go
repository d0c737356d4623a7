package app

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Status says how the instance is; see [Service].
func (c *Core) Status(ctx context.Context, _ StatusRequest) (Status, error) {
	return c.status(c.problems(ctx)), nil
}

func (c *Core) status(problems []Problem) Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Status{
		Address: c.address, Listening: slices.Clone(c.listening), Data: c.cfg.Data(), Version: c.opt.Version, PID: os.Getpid(),
		Started: c.started, Uploads: c.uploads(), Window: c.opt.Window != nil || c.hub.windows() > 0, PortNotice: c.portNotice,
	}
	switch {
	case s.Address == "":
		s.State, s.Address = StateStopped, c.cfg.HTTP.Addr
	case slices.ContainsFunc(problems, alarming):
		s.State = StateWarning
	case s.Uploads > 0 || c.jobs.Busy():
		s.State = StateBusy
		c.awaitRest()
	default:
		s.State = StateRunning
	}
	if s.Listening == nil {
		s.Listening = []string{}
	}
	return s
}

// OpenWindow raises the window, be it in this process or attached; see
// [Service].
func (c *Core) OpenWindow(context.Context, OpenWindowRequest) (OpenWindowReply, error) {
	raised := c.hub.notify(Notice{Kind: NoticeRaise}, true) > 0
	if !raised && c.opt.Window != nil {
		raised = c.opt.Window()
	}
	return OpenWindowReply{Raised: raised}, nil
}

// Quit ends Run, which first lets uploads and jobs end. A second Quit does not
// wait for them.
func (c *Core) Quit(context.Context, QuitRequest) (QuitReply, error) {
	c.log.Info("asked to quit")
	c.Stop()
	return QuitReply{}, nil
}

// addressForPeople is what stands in commands and in the window.
func (c *Core) addressForPeople() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.address == "" {
		return c.cfg.HTTP.Addr
	}
	return c.address
}

// engineAddress is where an engine on this machine finds the registry; empty
// while it does not listen, or listens at a socket.
func (c *Core) engineAddress() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.HasPrefix(c.address, unixPrefix) {
		return "" // engines speak to ports
	}
	return c.address
}

// unixPrefix stands before the path of a socket where an address is shown.
const unixPrefix = "unix:"

// clearTemp takes away what a Berth that was killed left of large files: where
// an open file keeps its name, as on Windows, it did.
func (c *Core) clearTemp() {
	if c.lock.ReadOnly() {
		return
	}
	if err := os.RemoveAll(filepath.Join(c.cfg.Data(), "berth", "tmp")); err != nil {
		c.log.Warn("old temporary files stay", "error", err)
	}
}

// tempDir is for large files on the disk of the registry.
func (c *Core) tempDir() string {
	if c.cfg.Storage.InMemory != nil {
		return ""
	}
	dir := filepath.Join(c.cfg.Data(), "berth", "tmp")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		c.log.Warn("no folder for temporary files", "error", err)
		return ""
	}
	return dir
}

// peopleAddress makes of a bound address what people type: the name they
// configured, and localhost for whatever is reached on this machine.
func peopleAddress(configured string, bound []string) string {
	if len(bound) == 0 {
		return ""
	}
	if strings.HasPrefix(bound[0], unixPrefix) {
		return bound[0]
	}
	_, port, err := net.SplitHostPort(bound[0])
	if err != nil {
		return bound[0]
	}
	host, _, err := net.SplitHostPort(configured)
	if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func portOf(address string) int {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return 0
	}
	return n
}
