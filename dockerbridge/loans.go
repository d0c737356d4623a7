package dockerbridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	cerrdefs "github.com/containerd/errdefs"
)

// maxLoans bounds what is remembered of engines that never come back.
const maxLoans = 100

// Loans are the temporary tags that pushes have in engines. One Loans is shared
// by all pushes of a program: it keeps two to the same name from taking each
// other's tag, and, with a file, remembers across a crash what is to be given
// back. The zero value has no file. It is safe for concurrent use.
type Loans struct {
	path string

	mu    sync.Mutex // guards what follows, and the file
	busy  map[string]chan struct{}
	now   []loan // of this process
	stale []loan // of one that did not end well
}

// loan is one temporary tag.
type loan struct {
	Engine  string `json:"engine"`
	Context string `json:"context,omitempty"`
	// Reference names Image for now, and named Before, if that is not empty.
	Reference string `json:"reference"`
	Image     string `json:"image"`
	Before    string `json:"before,omitempty"`
}

// OpenLoans reads the file at path, which need not be there. What cannot be
// read is forgotten: it is worth no more than a name too many in an engine.
func OpenLoans(path string) *Loans {
	l := &Loans{path: path}
	content, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(content, &l.stale) != nil {
		l.stale = nil
	}
	return l
}

// Reclaim gives back what a process that was killed had borrowed, as far as the
// engines answer, and says how many loans are left. A name that the user has
// changed meanwhile, or the last name of an image, stays.
func (l *Loans) Reclaim(ctx context.Context) (left int, err error) {
	return l.reclaim(ctx, thisMachine())
}

func (l *Loans) reclaim(ctx context.Context, f finder) (left int, err error) {
	l.mu.Lock()
	stale := slices.Clone(l.stale)
	l.mu.Unlock()
	var errs []error
	for _, o := range stale {
		if err := l.settle(ctx, f, o); err != nil {
			errs = append(errs, fmt.Errorf("give back %s: %w", o.Reference, err))
			continue
		}
		l.mu.Lock()
		l.stale = without(l.stale, o)
		errs = append(errs, l.write())
		l.mu.Unlock()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.stale), errors.Join(errs...)
}

func (l *Loans) settle(ctx context.Context, f finder, o loan) error {
	e, err := f.open(ctx, o.Context)
	if err != nil {
		return err
	}
	defer e.Close()
	d, ok := e.(*docker)
	if !ok || d.at.host != o.Engine {
		return fmt.Errorf("the engine at %s does not answer", o.Engine)
	}
	release, err := l.reserve(ctx, o.Engine, o.Reference)
	if err != nil {
		return err
	}
	defer release()
	img, err := d.api.ImageInspect(ctx, o.Reference)
	switch {
	case cerrdefs.IsNotFound(err):
		return nil
	case err != nil:
		return d.fail(err)
	case img.ID != o.Image:
		return nil
	}
	if o.Before != "" {
		if err := d.api.ImageTag(ctx, o.Before, o.Reference); !cerrdefs.IsNotFound(err) {
			return d.fail(err)
		}
	}
	if !namedElsewhere(img, o.Reference) {
		return nil
	}
	return d.fail(d.untag(ctx, o.Reference))
}

// reserve waits until nobody else pushes to a name in an engine.
func (l *Loans) reserve(ctx context.Context, engine, reference string) (release func(), err error) {
	key := engine + " " + reference
	for {
		l.mu.Lock()
		busy, taken := l.busy[key]
		if !taken {
			mine := make(chan struct{})
			if l.busy == nil {
				l.busy = map[string]chan struct{}{}
			}
			l.busy[key] = mine
			l.mu.Unlock()
			return func() {
				l.mu.Lock()
				delete(l.busy, key)
				l.mu.Unlock()
				close(mine)
			}, nil
		}
		l.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// begin writes a loan down; it must return before the tag is made.
func (l *Loans) begin(o loan) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	// This push does again what was left, and gives it back.
	l.stale = slices.DeleteFunc(l.stale, func(s loan) bool {
		again := s.Engine == o.Engine && s.Reference == o.Reference
		return again && s.Image == o.Image && s.Before == o.Before
	})
	l.now = append(l.now, o)
	if err := l.write(); err != nil {
		l.now = without(l.now, o)
		return err
	}
	return nil
}

// end forgets a loan that was given back.
func (l *Loans) end(o loan) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = without(l.now, o)
	return l.write()
}

func without(list []loan, o loan) []loan {
	if i := slices.Index(list, o); i >= 0 {
		return slices.Delete(slices.Clone(list), i, i+1)
	}
	return list
}

// write needs mu.
func (l *Loans) write() error {
	if l.path == "" {
		return nil
	}
	all := append(slices.Clone(l.stale), l.now...)
	if len(all) == 0 {
		if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget temporary tags: %w", err)
		}
		return nil
	}
	content, err := json.Marshal(all[max(0, len(all)-maxLoans):])
	if err != nil {
		return err
	}
	if err := replace(l.path, content); err != nil {
		return fmt.Errorf("remember temporary tags: %w", err)
	}
	return nil
}

// replace writes a file so that a crash leaves the old one or the new one.
func replace(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
