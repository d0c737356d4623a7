package pin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
)

const (
	root      = "berth/pins"
	suffix    = ".json"
	maxRecord = 16 << 10
	idBytes   = 8
	// maxNamed bounds the damaged files that are named.
	maxNamed = 100
)

func short(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:n])
}

func folderOf(repo string) string { return root + "/" + short(repo, 16) }

func keyOf(p Pin) string {
	return folderOf(p.Repository) + "/" + p.Tag + "-" + short(p.Tag+"@"+p.Digest.String(), idBytes) + suffix
}

// snapshot is what there is, which is not to be changed.
type snapshot struct {
	of      map[string][]Pin
	many    bool // there are more than most: of is nil
	count   int
	damaged []string // at most maxNamed of them
}

// all gives what is remembered, and reads it before when that was not done yet,
// or when a file that was damaged has become another.
func (p *Pins) all(ctx context.Context) (snapshot, error) {
	p.mu.Lock()
	now, known, version := p.now, p.known, p.version
	p.mu.Unlock()
	if known && slices.ContainsFunc(now.damaged, func(key string) bool { return p.mended(ctx, key) }) {
		p.forget()
		return p.all(ctx)
	}
	if known {
		return now, nil
	}
	now = snapshot{of: map[string][]Pin{}}
	for found, err := range p.folders(ctx) {
		if err != nil {
			return snapshot{}, err
		}
		now.damaged = append(now.damaged, found.damaged[:min(len(found.damaged), maxNamed-len(now.damaged))]...)
		if now.count += len(found.pins); now.count > p.most {
			clear(now.of)
			continue
		}
		if len(found.pins) > 0 {
			now.of[found.pins[0].Repository] = found.pins
		}
	}
	if now.count > p.most {
		now.of, now.many = nil, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.version == version {
		p.known, p.now = true, now
	}
	return now, nil
}

// mended reports whether a file that was damaged is none any more.
func (p *Pins) mended(ctx context.Context, key string) bool {
	_, ok, err := p.load(ctx, key)
	return ok || errors.Is(err, fs.ErrNotExist)
}

// damagedOf gives the damaged files of a repository, by tag: their names tell it.
func (p *Pins) damagedOf(ctx context.Context, repo string) (map[string][]string, error) {
	now, err := p.all(ctx)
	if err != nil || len(now.damaged) == 0 {
		return nil, err
	}
	_, damaged, err := p.folder(ctx, folderOf(repo))
	of := map[string][]string{}
	for _, key := range damaged {
		name := strings.TrimSuffix(path.Base(key), suffix)
		if at := len(name) - 2*idBytes - 1; at > 0 && name[at] == '-' {
			of[name[:at]] = append(of[name[:at]], key)
		}
	}
	return of, err
}

// each gives what there is: in one when that is remembered, else one repository
// after the other.
func (p *Pins) each(ctx context.Context) iter.Seq2[contents, error] {
	return func(yield func(contents, error) bool) {
		now, err := p.all(ctx)
		switch {
		case err != nil:
			yield(contents{}, err)
		case now.many:
			p.folders(ctx)(yield)
		default:
			all := contents{damaged: now.damaged}
			for _, some := range now.of {
				all.pins = append(all.pins, some...)
			}
			slices.SortFunc(all.pins, before)
			yield(all, nil)
		}
	}
}

// contents is what a folder holds.
type contents struct {
	pins    []Pin
	damaged []string
}

// folders reads one repository after the other.
func (p *Pins) folders(ctx context.Context) iter.Seq2[contents, error] {
	return func(yield func(contents, error) bool) {
		for info, err := range p.drv.List(ctx, root) {
			if errors.Is(err, fs.ErrNotExist) {
				return
			}
			if err != nil {
				yield(contents{}, fmt.Errorf("list the pins: %w", err))
				return
			}
			if !info.Dir {
				continue
			}
			pins, damaged, err := p.folder(ctx, info.Key)
			if !yield(contents{pins, damaged}, err) || err != nil {
				return
			}
		}
	}
}

// folder reads the pins of one repository, and names what it cannot read.
func (p *Pins) folder(ctx context.Context, key string) (pins []Pin, damaged []string, err error) {
	for info, err := range p.drv.List(ctx, key) {
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("list the pins: %w", err)
		}
		if info.Dir || !strings.HasSuffix(info.Key, suffix) {
			continue
		}
		pin, ok, err := p.load(ctx, info.Key)
		if errors.Is(err, fs.ErrNotExist) {
			continue // unpinned meanwhile
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read the pin %s: %w", info.Key, err)
		}
		if !ok {
			damaged = append(damaged, info.Key)
			continue
		}
		pins = append(pins, pin)
	}
	slices.SortFunc(pins, before)
	return pins, damaged, nil
}

// load reads a pin, and says whether it could be understood.
func (p *Pins) load(ctx context.Context, key string) (pin Pin, ok bool, err error) {
	content, err := p.read(ctx, key)
	if err != nil {
		return Pin{}, false, err
	}
	ok = json.Unmarshal(content, &pin) == nil && pin.sound() && keyOf(pin) == key
	return pin, ok, nil
}

func (p *Pins) read(ctx context.Context, key string) ([]byte, error) {
	f, err := p.drv.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxRecord))
}
