//go:build !linux && !darwin

package app

import "context"

// portProcess does not know here.
func portProcess(context.Context, int) (pid int, name string, ok bool) { return 0, "", false }
