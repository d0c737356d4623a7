package control

import (
	"context"
	"net"

	"berth/app"
)

// Socket is an open control socket that waits to be served; it is what
// [app.Options] takes as Control.
type Socket struct{ listener net.Listener }

// Open listens for a data folder whose lock the caller holds.
func Open(data string) (app.Socket, error) {
	l, err := Listen(data)
	if err != nil {
		return nil, err
	}
	return &Socket{l}, nil
}

// Serve answers until ctx ends; see [Serve].
func (s *Socket) Serve(ctx context.Context, service app.Service) error {
	return Serve(ctx, s.listener, service)
}

// Close stops listening, for a socket that was never served.
func (s *Socket) Close() error { return s.listener.Close() }
