package httpd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"
)

// SocketTakenError says that somebody answers at the path of a socket.
type SocketTakenError struct{ Path string }

// Error names the path.
func (e *SocketTakenError) Error() string { return "socket taken: " + e.Path }

// ListenUnix listens at the path of a Unix socket. One that a killed process
// left behind is removed, but only if nobody answers there, and nothing else is.
//
// Errors: [*SocketTakenError].
func ListenUnix(ctx context.Context, path string) ([]net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "unix", path)
	if err == nil {
		return []net.Listener{l}, nil
	}
	info, statErr := os.Lstat(path)
	if statErr != nil || info.Mode()&fs.ModeSocket == 0 {
		return nil, fmt.Errorf("listen at the socket %s: %w", path, err)
	}
	d := net.Dialer{Timeout: time.Second}
	c, dialErr := d.DialContext(ctx, "unix", path)
	if dialErr == nil {
		_ = c.Close() // nothing was sent
		return nil, &SocketTakenError{Path: path}
	}
	if errors.Is(dialErr, fs.ErrPermission) || errors.Is(dialErr, os.ErrDeadlineExceeded) || ctx.Err() != nil {
		return nil, fmt.Errorf("listen at the socket %s: %w", path, dialErr) // somebody may be there
	}
	if err := os.Remove(path); err != nil {
		return nil, fmt.Errorf("remove the socket that was left: %w", err)
	}
	if l, err = config.Listen(ctx, "unix", path); err != nil {
		return nil, fmt.Errorf("listen at the socket %s: %w", path, err)
	}
	return []net.Listener{l}, nil
}
