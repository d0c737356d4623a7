package app

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// GiveBack gives memory back that only the start needed: heap, and those pages
// of the program's file that nobody has read since. They stay in the page
// cache, which the system uses as it likes, and come back when they are
// touched. It may be called at any time.
//
// Most of what an idle instance would hold is code that ran once, or never and
// lay beside some that did, since the system maps sixteen pages for one.
func GiveBack() error {
	debug.FreeOSMemory()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("give memory back: %w", err)
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("give memory back: %w", err)
	}
	var unused []mapping
	var m mapping
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if next, ok := parseMapping(line, program); ok {
			m = next
			continue
		}
		// What was changed, as a linker does when it places code, is not in the
		// file and would be lost.
		if name, value, ok := strings.Cut(line, ":"); ok && name == "Anonymous" {
			if m.end > m.start && strings.TrimSpace(value) == "0 kB" {
				unused = append(unused, m)
			}
			m = mapping{}
		}
	}
	err = errors.Join(lines.Err(), f.Close())
	for _, m := range unused {
		if _, _, number := unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED); number != 0 {
			err = errors.Join(err, number)
		}
	}
	if err != nil {
		return fmt.Errorf("give memory back: %w", err)
	}
	return nil
}

type mapping struct{ start, end uintptr }

// parseMapping reads the first line of a mapping; false for its other lines.
// It is empty unless it is the program's file, and only to be read.
func parseMapping(line, program string) (m mapping, ok bool) {
	where, rest, ok := strings.Cut(line, " ")
	from, to, dash := strings.Cut(where, "-")
	if !ok || !dash || len(rest) < 4 {
		return m, false
	}
	start, err := strconv.ParseUint(from, 16, 64)
	if err != nil {
		return m, false
	}
	end, err := strconv.ParseUint(to, 16, 64)
	if err != nil {
		return m, false
	}
	if rest[0] == 'r' && rest[1] == '-' && rest[3] == 'p' && strings.HasSuffix(line, " "+program) {
		m = mapping{uintptr(start), uintptr(end)}
	}
	return m, true
}
