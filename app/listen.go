package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"

	"berth/app/config"
	"berth/registry/httpd"
)

// portTries is how many ports after the default one are tried.
const portTries = 20

// front is what Run serves.
type front struct {
	listeners []net.Listener
	api       *httpd.Server
	operators []net.Listener
	debug     *httpd.Debug // nil: nobody asked for it
	control   Socket       // nil: none
}

// openFront takes every address, or none.
func (c *Core) openFront(ctx context.Context) (_ *front, err error) {
	f, o := &front{}, c.httpdOptions()
	defer func() {
		if err == nil {
			return
		}
		for _, l := range append(f.listeners, f.operators...) {
			err = errors.Join(err, l.Close())
		}
	}()
	if c.cfg.HTTP.TLS.On() {
		if o.TLS, err = httpd.OpenTLS(c.tlsOptions()); err != nil {
			return nil, AsProblem(c.tlsError(err))
		}
	}
	if f.listeners, err = c.listen(ctx); err != nil {
		return nil, err
	}
	f.api = httpd.New(c.handler(), o)
	if f.debug, f.operators, err = c.openDebug(ctx); err != nil {
		return nil, err
	}
	f.control, err = c.openControl()
	return f, err
}

// listen takes the address of the configuration. When somebody else has the
// default one, the next free port will do; an address that was asked for is
// that one or none.
func (c *Core) listen(ctx context.Context) ([]net.Listener, error) {
	asked := c.cfg.HTTP.Addr
	if c.cfg.HTTP.Net == "unix" {
		return c.listenUnix(ctx, asked)
	}
	listeners, err := httpd.Listen(ctx, asked)
	var taken *httpd.PortTakenError
	if errors.As(err, &taken) {
		h := newProber().find(ctx, taken.Port)
		addr := net.JoinHostPort(hostOf(asked), fmt.Sprint(taken.Port))
		if c.cfg.Origin("http.addr").Source != config.SourceDefault {
			return nil, portTaken(addr, h, "")
		}
		for n := 1; n <= portTries && errors.As(err, &taken); n++ {
			listeners, err = httpd.Listen(ctx, next(addr, n))
		}
		if errors.As(err, &taken) {
			return nil, portTaken(addr, h, "")
		}
		if err == nil {
			c.setAddress(asked, listeners)
			notice := portTaken(addr, h, c.addressForPeople())
			c.mu.Lock()
			c.portNotice = notice
			c.mu.Unlock()
			c.log.Warn("port is taken", "asked", asked, "by", h.kind, "name", h.name, "pid", h.pid, "address", c.addressForPeople())
		}
	}
	if err != nil {
		return nil, cannotListen(asked, err)
	}
	c.announce(asked, listeners)
	return listeners, nil
}

func cannotListen(addr string, err error) *Problem {
	p := &Problem{
		Code: "cannot_listen", Severity: severityError, Title: "Berth cannot listen at " + addr, Text: err.Error(),
		Fix: "Choose an address of this machine:", Command: "berth serve --addr localhost:5000", Exit: exitError,
	}
	if errors.Is(err, fs.ErrPermission) {
		p.Fix = "Ports below 1024 are not for every user: give Berth the right to them (on Linux CAP_NET_BIND_SERVICE), or choose another:"
	}
	return p
}

// listenUnix takes a socket, for a proxy on this machine.
func (c *Core) listenUnix(ctx context.Context, path string) ([]net.Listener, error) {
	listeners, err := httpd.ListenUnix(ctx, path)
	if _, taken := errors.AsType[*httpd.SocketTakenError](err); taken {
		return nil, &Problem{
			Code: "socket_taken", Severity: severityError, Title: "Another program answers at the socket " + path,
			Text: "Two registries cannot have the same one.", Fix: "End that program, or choose another path for http.addr.", Exit: exitConflict,
		}
	}
	if err != nil {
		return nil, &Problem{
			Code: "cannot_listen", Severity: severityError, Title: "Berth cannot listen at the socket " + path, Text: err.Error(),
			Fix: "Choose a path in a folder that your user may write to for http.addr.", Exit: exitError,
		}
	}
	c.announce(path, listeners)
	return listeners, nil
}

func (c *Core) announce(asked string, listeners []net.Listener) {
	c.setAddress(asked, listeners)
	if c.lock != nil {
		if err := c.lock.Announce(c.addressForPeople()); err != nil {
			c.log.Warn("the address is not in the lock file", "error", err)
		}
	}
}

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

func (c *Core) setAddress(asked string, listeners []net.Listener) {
	var bound []string
	for _, l := range listeners {
		at := l.Addr().String()
		if l.Addr().Network() == "unix" {
			at = unixPrefix + at
		}
		bound = append(bound, at)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listening, c.address = bound, peopleAddress(asked, bound)
}

// Listening gives the bound addresses.
func (c *Core) Listening() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.listening...)
}

func (c *Core) openControl() (Socket, error) {
	if c.opt.Control == nil {
		return nil, nil
	}
	socket, err := c.opt.Control(c.cfg.Data())
	if err != nil && c.lock != nil && c.lock.ReadOnly() {
		c.log.Warn("no control socket on a read-only disk: the window and the command line do not reach this instance", "error", err)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	return socket, nil
}
