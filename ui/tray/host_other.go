//go:build windows || darwin

package tray

import "context"

// WatchHost says whether this desktop shows tray icons, which this one always
// does. It blocks until ctx ends.
func WatchHost(ctx context.Context, on func(present bool)) {
	on(true)
	<-ctx.Done()
}
