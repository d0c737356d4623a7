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
	"slices"
	"strings"
)

const (
	root      = "berth/pins"
	suffix    = ".json"
	maxRecord = 16 << 10
	// maxNamed bounds the damaged files that are named.
	maxNamed = 100
)

func short(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:n])
}

func folderOf(repo string) string { return root + "/" + short(repo, 16) }

func keyOf(p Pin) string {
	return folderOf(p.Repository) + "/" + p.Tag + "-" + short(p.Tag+"@"+p.Digest.String(), 8) + suffix
}

// all gives what is remembered, which is not to be changed, and reads it before
// when that was not done yet; many says that there is too much.
func (p *Pins) all(ctx context.Context) (of map[string][]Pin, many bool, err error) {
	p.mu.Lock()
	of, many, known, version := p.of, p.many, p.known, p.version
	p.mu.Unlock()
	if known {
		return of, many, nil
	}
	of, count := map[string][]Pin{}, 0
	var damaged []string
	for found, err := range p.folders(ctx) {
		if err != nil {
			return nil, false, err
		}
		damaged = append(damaged, found.damaged[:min(len(found.damaged), maxNamed-len(damaged))]...)
		if count += len(found.pins); count > p.most {
			clear(of)
			continue
		}
		if len(found.pins) > 0 {
			of[found.pins[0].Repository] = found.pins
		}
	}
	if count > p.most {
		of = nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.version == version {
		p.known, p.many, p.of, p.count, p.damaged = true, of == nil, of, count, damaged
	}
	return of, of == nil, nil
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
		content, err := p.read(ctx, info.Key)
		if errors.Is(err, fs.ErrNotExist) {
			continue // unpinned meanwhile
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read the pin %s: %w", info.Key, err)
		}
		var pin Pin
		if json.Unmarshal(content, &pin) != nil || !pin.sound() || keyOf(pin) != info.Key {
			damaged = append(damaged, info.Key)
			continue
		}
		pins = append(pins, pin)
	}
	slices.SortFunc(pins, before)
	return pins, damaged, nil
}

func (p *Pins) read(ctx context.Context, key string) ([]byte, error) {
	f, err := p.drv.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxRecord))
}
