//go:build !linux && !darwin

package control

import "net"

// peer does not know: here the permissions of the folder keep others out.
func peer(net.Conn) (uid int, known bool) { return 0, false }
