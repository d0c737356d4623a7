package app

import "context"

// Socket is a control socket that is open and waits to be served; package
// control gives one. It stands here because control knows this package, and
// not the other way round.
type Socket interface {
	// Serve answers for s until ctx ends, and closes the socket.
	Serve(ctx context.Context, s Service) error
	// Close closes a socket that is not served.
	Close() error
}
