package control

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/adrg/xdg"
)

// longest is the longest socket path that every system takes (darwin: 104
// bytes with the final zero), with some room.
const longest = 100

// Path gives the path of the socket of a data folder. Every process of one user
// gives the same answer for the same folder.
func Path(data string) string {
	if abs, err := filepath.Abs(data); err == nil {
		data = abs
	}
	if real, err := filepath.EvalSymlinks(data); err == nil {
		data = real
	}
	if p := filepath.Join(data, "berth", "control.sock"); len(p) < longest {
		return p
	}
	sum := sha256.Sum256([]byte(data))
	name := hex.EncodeToString(sum[:8]) + ".sock"
	if dir := xdg.RuntimeDir; dir != "" && isDir(dir) {
		if p := filepath.Join(dir, "berth", name); len(p) < longest {
			return p
		}
	}
	return filepath.Join(os.TempDir(), "berth-"+strconv.Itoa(os.Getuid()), name)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Listen opens the socket of a data folder, in place of one that a crash left
// behind. The caller must hold the folder's lock (package single): that is what
// makes it safe to take the old socket away.
func Listen(data string) (net.Listener, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	path := Path(data)
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the control socket: %w", err)
	}
	// The socket's folder may be shared with the registry's other files, but
	// nobody else may reach the socket through it.
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("protect the folder of the control socket: %w", err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the old control socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on the control socket: %w", err)
	}
	// On Windows a socket is no file whose mode could be set.
	if err := os.Chmod(path, 0o600); err != nil && runtime.GOOS != "windows" {
		return nil, errors.Join(fmt.Errorf("protect the control socket: %w", err), l.Close())
	}
	return &guarded{l}, nil
}

// trusted is this user and root, and anybody where the system does not say who
// it is: there the permissions of the folder must do.
func trusted(uid int, known bool) bool { return !known || uid == os.Getuid() || uid == 0 }

// guarded lets only this user in, where the system says who calls.
type guarded struct{ net.Listener }

// Accept waits for a caller that is this user.
func (g *guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if trusted(peer(c)) {
			return c, nil
		}
		_ = c.Close()
	}
}
