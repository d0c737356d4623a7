package filesystem

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
)

// maxKnown bounds what is remembered of folders.
const maxKnown = 4096

// known remembers folders that were there already when somebody was about to
// make them, and so will be met again. It is a guess: other programs delete
// folders, too.
type known struct {
	mu    sync.RWMutex
	paths map[string]struct{} // guarded by mu
}

func (k *known) has(path string) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	_, ok := k.paths[path]
	return ok
}

func (k *known) add(path string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.paths == nil {
		k.paths = make(map[string]struct{})
	}
	if len(k.paths) >= maxKnown {
		for some := range k.paths {
			delete(k.paths, some)
			break
		}
	}
	k.paths[strings.Clone(path)] = struct{}{}
}

func (k *known) forget(path string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.paths, path)
}

// prepare makes the folders that a new file needs from above, beginning below
// one that is known: from below each that is missing is asked for in vain
// first. Whatever goes wrong is left to who makes the file.
func (d *Driver) prepare(dir string) {
	from := dir
	for len(from) > len(d.root) && !d.known.has(from) {
		from = filepath.Dir(from)
	}
	for at := len(from); at < len(dir); {
		next := strings.IndexByte(dir[at+1:], filepath.Separator)
		if next < 0 {
			next = len(dir) - at - 1
		}
		at += 1 + next
		switch err := d.mkdirNoted(dir[:at]); {
		case err == nil:
		case errors.Is(err, fs.ErrExist):
			d.known.add(dir[:at])
		default:
			d.known.forget(from)
			return
		}
	}
}
