package httpd

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isTaken: a port that another program holds exclusively is an access error.
func isTaken(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}
