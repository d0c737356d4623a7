package trash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"strconv"
	"strings"
	"time"

	"berth/registry"
)

// Manifest is one manifest of a repository in the trash, and the tags that
// named it.
type Manifest struct {
	Digest registry.Digest `json:"digest"`
	Tags   []Tag           `json:"tags,omitempty"`
}

// Tag is one tag of a repository in the trash; Pushed and PushedBy as in
// [Entry].
type Tag struct {
	Name     string    `json:"tag"`
	Pushed   time.Time `json:"pushed,omitzero"`
	PushedBy string    `json:"by,omitempty"`
}

const (
	partSuffix = ".part"
	// partSize is where a part is full, in bytes; maxPart bounds what is read,
	// since one manifest may have any number of tags.
	partSize = 1 << 20
	maxPart  = 1 << 30
)

func partKey(id string, n int) string {
	return folder + "/" + id + "." + strconv.Itoa(n) + partSuffix
}

// idOfPart gives the id of the entry that a part belongs to; empty for what is
// no part.
func idOfPart(key string) string {
	name, ok := strings.CutSuffix(path.Base(key), partSuffix)
	id, number, dotted := strings.Cut(name, ".")
	if _, err := strconv.ParseUint(number, 10, 31); !ok || !dotted || err != nil || !validID(id) {
		return ""
	}
	return id
}

// addWhole writes the record of a repository: its contents, one line of JSON
// for each manifest, in parts, and then what makes them an entry. It sets what
// they add up to. When it fails, nothing stays.
func (b *Bin) addWhole(ctx context.Context, e *Entry, contents []Manifest) (err error) {
	e.Whole, e.Manifests = true, len(contents)
	b.table.adding([]Entry{*e})
	defer b.table.added([]Entry{*e})
	defer func() {
		if err != nil {
			_ = b.drop(context.WithoutCancel(ctx), []Entry{*e})
		}
	}()
	var part bytes.Buffer
	flush := func() error {
		n := e.Parts
		e.Parts++
		if err := b.drv.Put(ctx, partKey(e.ID, n), part.Bytes()); err != nil {
			return fmt.Errorf("write to the trash: %w", err)
		}
		part = bytes.Buffer{} // the driver may still read the old one
		return nil
	}
	for _, m := range contents {
		e.Tags += len(m.Tags)
		line, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("write to the trash: %w", err)
		}
		part.Write(append(line, '\n'))
		if part.Len() >= partSize {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if part.Len() > 0 {
		if err := flush(); err != nil {
			return err
		}
	}
	return b.add(ctx, *e)
}

// Contents yields what a repository in the trash holds, as it is on the disk. A
// line that is damaged is passed over, and so is a part that is not there.
func (b *Bin) Contents(ctx context.Context, e Entry) iter.Seq2[Manifest, error] {
	return b.contents(ctx, e, func(string) {})
}

// contents is Contents, and says which parts are not there, or not whole.
func (b *Bin) contents(ctx context.Context, e Entry, damaged func(file string)) iter.Seq2[Manifest, error] {
	return func(yield func(Manifest, error) bool) {
		for n := range e.Parts {
			content, err := b.read(ctx, partKey(e.ID, n), maxPart)
			if errors.Is(err, fs.ErrNotExist) {
				damaged(partKey(e.ID, n))
				continue
			}
			if err != nil {
				yield(Manifest{}, fmt.Errorf("read what %s held: %w", e.Repository, err))
				return
			}
			for line := range bytes.Lines(content) {
				var m Manifest
				if json.Unmarshal(line, &m) != nil || !m.sound() {
					damaged(partKey(e.ID, n))
					continue
				}
				if !yield(m, nil) {
					return
				}
			}
		}
	}
}

func (m Manifest) sound() bool {
	if _, err := registry.ParseDigest(m.Digest.String()); err != nil {
		return false
	}
	for _, t := range m.Tags {
		if registry.ParseTag(t.Name) != nil {
			return false
		}
	}
	return true
}

// Held gives the digests of the manifests that an entry brings back: one, or
// those of a whole repository. Errors: [ErrUnknown].
func (b *Bin) Held(ctx context.Context, id string) ([]registry.Digest, error) {
	e, ok := b.table.coming(id)
	if !ok {
		var err error
		if e, err = b.Get(ctx, id); err != nil {
			return nil, err
		}
	}
	if !e.Whole {
		return []registry.Digest{e.Digest}, nil
	}
	out := make([]registry.Digest, 0, e.Manifests)
	for m, err := range b.Contents(ctx, e) {
		if err != nil {
			return nil, err
		}
		out = append(out, m.Digest)
	}
	return out, nil
}
