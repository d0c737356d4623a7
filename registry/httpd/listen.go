package httpd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// PortTakenError says that another program listens on the port.
type PortTakenError struct {
	// Addr is the address that was asked for, as "127.0.0.1:5000".
	Addr string
	Port int
	Err  error
}

// Error names the address.
func (e *PortTakenError) Error() string { return "port taken: " + e.Addr }

// Unwrap gives the system's error.
func (e *PortTakenError) Unwrap() error { return e.Err }

// DefaultPort is that of a container registry.
const DefaultPort = "5000"

// portTries bounds the search for a port that is free on both loopbacks.
const portTries = 32

// Listen opens the listeners of an address. The host "localhost" gives both
// loopback addresses, 127.0.0.1 and ::1 (the latter where the system has one),
// on the same port, also when the port is 0; any other host, and the empty one,
// which is every interface, is what net.Listen makes of it. An address without
// a port has [DefaultPort].
//
// Errors: a [PortTakenError] when somebody else has the port; nothing stays
// open then.
func Listen(ctx context.Context, addr string) ([]net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		if host, port, err = net.SplitHostPort(net.JoinHostPort(addr, DefaultPort)); err != nil {
			return nil, fmt.Errorf("listen on %q: %w", addr, err)
		}
	}
	if host != "localhost" {
		l, err := listen(ctx, host, port)
		if err != nil {
			return nil, err
		}
		return []net.Listener{l}, nil
	}
	for try := 1; ; try++ {
		ls, err := listenLoopback(ctx, port)
		var taken *PortTakenError
		if err == nil || port != "0" || try == portTries || !errors.As(err, &taken) {
			return ls, err
		}
	}
}

func listenLoopback(ctx context.Context, port string) ([]net.Listener, error) {
	four, err := listen(ctx, "127.0.0.1", port)
	if err != nil {
		return nil, err
	}
	_, port, err = net.SplitHostPort(four.Addr().String())
	if err != nil {
		return nil, errors.Join(err, four.Close())
	}
	six, err := listen(ctx, "::1", port)
	var taken *PortTakenError
	switch {
	case err == nil:
		return []net.Listener{four, six}, nil
	case errors.As(err, &taken):
		return nil, errors.Join(err, four.Close())
	}
	// No IPv6 on this machine: nobody can ask there either.
	return []net.Listener{four}, nil
}

func listen(ctx context.Context, host, port string) (net.Listener, error) {
	addr := net.JoinHostPort(host, port)
	taken := func(err error) error {
		n, _ := strconv.Atoi(port)
		return &PortTakenError{Addr: addr, Port: n, Err: err}
	}
	// There, one program may take a loopback address from under another that
	// listens on every interface, such as AirPlay.
	if runtime.GOOS == "darwin" && port != "0" && answers(ctx, addr) {
		return nil, taken(syscall.EADDRINUSE)
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if err == nil {
		return l, nil
	}
	if isTaken(err) {
		return nil, taken(err)
	}
	return nil, fmt.Errorf("listen on %s: %w", addr, err)
}

func answers(ctx context.Context, addr string) bool {
	d := net.Dialer{Timeout: 300 * time.Millisecond}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	_ = c.Close() // nothing was sent
	return true
}
