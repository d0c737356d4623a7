package app

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// portProcess finds the process that listens on a TCP port. The files of other
// users' processes cannot be read: then it does not know.
func portProcess(ctx context.Context, port int) (pid int, name string, ok bool) {
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		content, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		listeningInodes(string(content), port, inodes)
	}
	if len(inodes) == 0 {
		return 0, "", false
	}
	files, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0, "", false
	}
	for _, file := range files {
		if ctx.Err() != nil {
			return 0, "", false
		}
		to, err := os.Readlink(file)
		if err != nil || !strings.HasPrefix(to, "socket:[") || !inodes[strings.TrimSuffix(to[len("socket:["):], "]")] {
			continue
		}
		process := filepath.Dir(filepath.Dir(file))
		if pid, err = strconv.Atoi(filepath.Base(process)); err != nil {
			continue
		}
		comm, err := os.ReadFile(filepath.Join(process, "comm"))
		if err != nil {
			continue
		}
		return pid, strings.TrimSpace(string(comm)), true
	}
	return 0, "", false
}

// listeningInodes adds the inodes of the sockets that listen on port, from a
// table such as /proc/net/tcp: state 0A is LISTEN.
func listeningInodes(table string, port int, into map[string]bool) {
	lines := bufio.NewScanner(strings.NewReader(table))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != "0A" {
			continue
		}
		_, hex, ok := strings.Cut(fields[1], ":")
		if n, err := strconv.ParseUint(hex, 16, 16); ok && err == nil && int(n) == port {
			into[fields[9]] = true
		}
	}
}
