package pin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"berth/registry"
	"berth/registry/driver"
)

// Pin is a tag that stays, and the manifest that it named when it was pinned.
type Pin struct {
	Repository string          `json:"repository"`
	Tag        string          `json:"tag"`
	Digest     registry.Digest `json:"digest"`
	// By is who pinned it; may be empty.
	By string    `json:"by,omitempty"`
	At time.Time `json:"at"`
}

func (p Pin) sound() bool {
	_, err := registry.ParseDigest(p.Digest.String())
	return err == nil && registry.ParseName(p.Repository) == nil && registry.ParseTag(p.Tag) == nil
}

// before orders pins: by repository, tag, and the time of the pin.
func before(a, b Pin) int {
	return cmp.Or(strings.Compare(a.Repository, b.Repository), strings.Compare(a.Tag, b.Tag), a.At.Compare(b.At),
		strings.Compare(a.Digest.String(), b.Digest.String()))
}

// maxSeen is up to how many pins are remembered; where there are more, each
// question reads the files.
const maxSeen = 1 << 14

// Pins holds the pins of a registry. It is safe for concurrent use. Nobody else
// writes its files.
type Pins struct {
	drv     driver.Driver
	writing sync.Mutex // held by a change, from its first look to its last
	most    int        // maxSeen, but in tests

	mu      sync.Mutex // guards what follows
	version uint64     // of what is on disk
	known   bool       // now is what is on disk
	now     snapshot
}

// New gives the pins on drv. Nothing is read yet.
func New(drv driver.Driver) *Pins { return &Pins{drv: drv, most: maxSeen} }

var _ registry.Rooter = (*Pins)(nil)

// Version changes whenever a pin may have come or gone.
func (p *Pins) Version() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.version
}

// Of gives the pins of a repository, by tag.
func (p *Pins) Of(ctx context.Context, repo string) ([]Pin, error) {
	now, err := p.all(ctx)
	if err != nil {
		return nil, err
	}
	if now.many {
		found, _, err := p.folder(ctx, folderOf(repo))
		return found, err
	}
	return slices.Clone(now.of[repo]), nil
}

// All lists the pins, by repository and tag; of very many only those of one
// repository stand together and in order.
func (p *Pins) All(ctx context.Context) iter.Seq2[Pin, error] {
	return func(yield func(Pin, error) bool) {
		for found, err := range p.each(ctx) {
			if err != nil {
				yield(Pin{}, err)
				return
			}
			for _, pin := range found.pins {
				if !yield(pin, nil) {
					return
				}
			}
		}
	}
}

// Roots yields the manifest of every pin as a root of the garbage collection. A
// file that is damaged is a [registry.UnreadRoot].
func (p *Pins) Roots(ctx context.Context) iter.Seq2[registry.Root, error] {
	return func(yield func(registry.Root, error) bool) {
		for found, err := range p.each(ctx) {
			if err != nil {
				yield(registry.Root{}, err)
				return
			}
			for _, file := range found.damaged {
				if !yield(registry.Root{}, &registry.UnreadRoot{What: "a pin", File: file, Record: file}) {
					return
				}
			}
			for _, pin := range found.pins {
				if !yield(registry.Root{Repository: pin.Repository, Digest: pin.Digest, Why: "pinned as " + pin.Repository + ":" + pin.Tag}, nil) {
					return
				}
			}
		}
	}
}

// Damaged names files that cannot be understood, some of very many: which
// manifests they hold is not known.
func (p *Pins) Damaged(ctx context.Context) ([]string, error) {
	now, err := p.all(ctx)
	return slices.Clone(now.damaged), err
}

// Unread gives the tags of a repository with a pin whose file is damaged: they
// are pinned, and nobody knows with which manifest.
func (p *Pins) Unread(ctx context.Context, repo string) ([]string, error) {
	of, err := p.damagedOf(ctx, repo)
	return slices.Sorted(maps.Keys(of)), err
}

// Add pins a tag; after a nil error that survives power loss. It says false when
// exactly this pin was there. The time is now when it is zero.
func (p *Pins) Add(ctx context.Context, pin Pin) (added bool, err error) {
	if !pin.sound() {
		return false, fmt.Errorf("pin %s:%s@%s: it is no name", pin.Repository, pin.Tag, pin.Digest)
	}
	if pin.At.IsZero() {
		pin.At = time.Now()
	}
	pin.At = pin.At.UTC().Truncate(time.Millisecond)
	p.writing.Lock()
	defer p.writing.Unlock()
	there, err := p.Of(ctx, pin.Repository)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(there, func(o Pin) bool { return o.Tag == pin.Tag && o.Digest == pin.Digest }) {
		return false, nil
	}
	content, err := json.Marshal(pin)
	if err != nil {
		return false, fmt.Errorf("pin %s:%s: %w", pin.Repository, pin.Tag, err)
	}
	if err := p.drv.Put(ctx, keyOf(pin), content); err != nil {
		p.forget()
		return false, fmt.Errorf("pin %s:%s: %w", pin.Repository, pin.Tag, err)
	}
	p.changed(pin.Repository, append(there, pin), 1, keyOf(pin))
	return true, nil
}

// Remove takes the pin of a tag away, and gives what it held; nothing when the
// tag was not pinned. Files of the tag that are damaged go as well: what one of
// them held has no digest.
func (p *Pins) Remove(ctx context.Context, repo, tag string) ([]Pin, error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	unread, err := p.damagedOf(ctx, repo)
	if err != nil {
		return nil, err
	}
	return p.remove(ctx, repo, tag, unread[tag], func(pin Pin) bool { return pin.Tag == tag })
}

// Undo takes away one pin, as Add was given it, and no other of its tag.
func (p *Pins) Undo(ctx context.Context, added Pin) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	_, err := p.remove(ctx, added.Repository, added.Tag, nil, func(pin Pin) bool { return keyOf(pin) == keyOf(added) })
	return err
}

// remove takes away the pins of a repository that go, and damaged files of a
// tag. The caller holds p.writing.
func (p *Pins) remove(ctx context.Context, repo, tag string, damaged []string, goes func(Pin) bool) ([]Pin, error) {
	there, err := p.Of(ctx, repo)
	if err != nil {
		return nil, err
	}
	var gone, left []Pin
	var changes []driver.Change
	for _, pin := range there {
		if !goes(pin) {
			left = append(left, pin)
			continue
		}
		gone = append(gone, pin)
		changes = append(changes, driver.Delete{Key: keyOf(pin)})
	}
	sound := len(gone)
	for _, key := range damaged {
		gone = append(gone, Pin{Repository: repo, Tag: tag})
		changes = append(changes, driver.Delete{Key: key})
	}
	if len(gone) == 0 {
		return nil, nil
	}
	if err := driver.Apply(ctx, p.drv, changes...); err != nil {
		p.forget()
		return nil, fmt.Errorf("unpin %s:%s: %w", repo, tag, err)
	}
	p.changed(repo, left, -sound, damaged...)
	if trimmer, ok := driver.As[driver.Trimmer](p.drv); ok && len(left) == 0 {
		_, _ = trimmer.Trim(ctx, folderOf(repo)) // an empty folder harms nobody
	}
	return gone, nil
}

// changed remembers what a repository has now; mended are files that are not
// damaged any more.
func (p *Pins) changed(repo string, now []Pin, by int, mended ...string) {
	slices.SortFunc(now, before)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version++
	if !p.known {
		return
	}
	// Whoever reads holds what was.
	p.now.damaged = slices.DeleteFunc(slices.Clone(p.now.damaged), func(key string) bool { return slices.Contains(mended, key) })
	if p.now.many {
		return
	}
	if p.now.count += by; p.now.count > p.most {
		p.now.many, p.now.of = true, nil
		return
	}
	of := make(map[string][]Pin, len(p.now.of)+1)
	for name, pins := range p.now.of {
		of[name] = pins
	}
	if of[repo] = now; len(now) == 0 {
		delete(of, repo)
	}
	p.now.of = of
}

// forget makes the next question read the files: after an error nobody knows
// what became of them.
func (p *Pins) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version++
	p.known, p.now = false, snapshot{}
}
