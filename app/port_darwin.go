package app

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// portProcess asks lsof, which macOS always has.
func portProcess(ctx context.Context, port int) (pid int, name string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "lsof", "-nP", "-iTCP:"+strconv.Itoa(port), "-sTCP:LISTEN", "-Fpc").Output()
	if err != nil {
		return 0, "", false
	}
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "p"):
			pid, _ = strconv.Atoi(line[1:])
		case strings.HasPrefix(line, "c") && pid != 0:
			return pid, line[1:], true
		}
	}
	return 0, "", false
}
