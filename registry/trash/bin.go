package trash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"berth/registry"
	"berth/registry/driver"

	"github.com/google/uuid"
)

// DefaultTTL is for how long an entry can be restored.
const DefaultTTL = 7 * 24 * time.Hour

const (
	folder    = "berth/trash"
	suffix    = ".json"
	maxRecord = 64 << 10
)

// What Why says when nobody gave a reason.
const (
	Deleted     = "deleted"
	Overwritten = "overwritten"
)

// ErrUnknown means that there is no such entry: it was restored, its time is
// over, or it never was.
var ErrUnknown = errors.New("not in the trash")

// Entry is one tag or manifest that can be restored.
type Entry struct {
	// ID sorts by time.
	ID         string `json:"id"`
	Repository string `json:"repository"`
	// Tag is empty for a manifest that was deleted by digest; each of its tags
	// has an entry of its own.
	Tag       string          `json:"tag,omitempty"`
	Digest    registry.Digest `json:"digest"`
	MediaType string          `json:"mediaType,omitempty"`
	// Size of the manifest itself, in bytes.
	Size int64 `json:"size"`
	// Why is [Deleted], [Overwritten], or the reason of the caller.
	Why string `json:"why"`
	// By is the caller's user; may be empty.
	By    string    `json:"by,omitempty"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until"`
	// Pushed says when the tag was put there, and PushedBy by whom; zero when
	// that is not known.
	Pushed   time.Time `json:"pushed,omitzero"`
	PushedBy string    `json:"pushedBy,omitempty"`
}

func (e Entry) name() string {
	if e.Tag == "" {
		return e.Repository + "@" + e.Digest.String()
	}
	return e.Repository + ":" + e.Tag
}

// Bin holds the entries. It is safe for concurrent use.
type Bin struct {
	drv driver.Driver
	ttl time.Duration

	// Pushed, set before the first use, tells when a tag was made to name d, and
	// by whom; zero when that is not known. nil leaves it open. What was pushed
	// lately through [Registry] is known without.
	Pushed func(ctx context.Context, repo, tag string, d registry.Digest) (at time.Time, by string)
	// Changed, set before the first use, is told what came into the trash, once
	// its record is durable and before what it names goes, and the ids of what
	// left it, once the record is gone; for one entry in this order, and also of
	// what another program did to the files. nil tells nobody. What lay there
	// before the first use is not told: see [Bin.Entries]. No lock of the Bin is
	// held, so [Bin.Held] may be asked; but the tag or the repository is locked
	// against other changes, so it must not call a [Registry], and must be quick.
	Changed func(ctx context.Context, added []Entry, gone []string)

	pushes pushes

	mu   sync.Mutex       // guards seen
	seen map[string]Entry // at most maxSeen
}

// New gives the bin on drv. An entry can be restored for ttl; 0 or less means
// [DefaultTTL]. Nothing is read yet.
func New(drv driver.Driver, ttl time.Duration) *Bin {
	if ttl <= 0 {
		ttl = DefaultTTL
	}
	return &Bin{drv: drv, ttl: ttl, seen: map[string]Entry{}}
}

var _ registry.Rooter = (*Bin)(nil)

// Entries lists what can be restored, oldest first. A record that cannot be
// read is passed over.
func (b *Bin) Entries(ctx context.Context) ([]Entry, error) {
	var out []Entry
	for info, err := range b.drv.List(ctx, folder) {
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("list the trash: %w", err)
		}
		id, ok := strings.CutSuffix(path.Base(info.Key), suffix)
		if !ok || info.Dir {
			continue
		}
		e, err := b.Get(ctx, id)
		if errors.Is(err, ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	b.forget(out)
	slices.SortFunc(out, func(x, y Entry) int { return strings.Compare(x.ID, y.ID) })
	return out, nil
}

// forget drops from memory what another program removed from the disk long ago.
func (b *Bin) forget(listed []Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.seen) < 2*len(listed)+1024 {
		return
	}
	clear(b.seen)
	for _, e := range listed[:min(len(listed), maxSeen)] {
		b.seen[e.ID] = e
	}
}

// Get gives one entry. Errors: [ErrUnknown].
func (b *Bin) Get(ctx context.Context, id string) (Entry, error) {
	if !validID(id) {
		return Entry{}, fmt.Errorf("%q: %w", id, ErrUnknown)
	}
	b.mu.Lock()
	e, ok := b.seen[id]
	b.mu.Unlock()
	if ok {
		// Records never change; they only go.
		if _, err := b.drv.Stat(ctx, key(id)); err == nil {
			return e, nil
		}
	}
	content, err := b.read(ctx, key(id))
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, fmt.Errorf("%s: %w", id, ErrUnknown)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("read trash entry %s: %w", id, err)
	}
	e = Entry{}
	if json.Unmarshal(content, &e) != nil || !e.sound() {
		return Entry{}, fmt.Errorf("%s is damaged: %w", id, ErrUnknown)
	}
	e.ID = id
	b.keep(e)
	return e, nil
}

// maxSeen bounds the entries in memory; of what is beyond, Get reads the file.
const maxSeen = 1 << 14

func (b *Bin) keep(e Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.seen) < maxSeen {
		b.seen[e.ID] = e
	}
}

func (b *Bin) read(ctx context.Context, key string) ([]byte, error) {
	f, err := b.drv.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxRecord))
}

func (e Entry) sound() bool {
	_, err := registry.ParseDigest(e.Digest.String())
	return err == nil && registry.ParseName(e.Repository) == nil && (e.Tag == "" || registry.ParseTag(e.Tag) == nil)
}

// add writes records, with one flush. When it fails, none of them stays.
func (b *Bin) add(ctx context.Context, entries []Entry) error {
	puts := make([]driver.Change, len(entries))
	for i, e := range entries {
		content, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("write to the trash: %w", err)
		}
		puts[i] = driver.Put{Key: key(e.ID), Content: content}
	}
	if err := driver.Apply(ctx, b.drv, puts...); err != nil {
		_ = b.remove(context.WithoutCancel(ctx), entries...)
		return fmt.Errorf("write to the trash: %w", err)
	}
	for _, e := range entries {
		b.keep(e)
	}
	b.changed(ctx, entries, nil)
	return nil
}

func (b *Bin) changed(ctx context.Context, added []Entry, gone []string) {
	if b.Changed != nil && len(added)+len(gone) > 0 {
		b.Changed(context.WithoutCancel(ctx), added, gone)
	}
}

// Held gives the digests of the manifests that an entry brings back: one, or
// those of a whole repository. Errors: [ErrUnknown].
func (b *Bin) Held(ctx context.Context, id string) ([]registry.Digest, error) {
	e, err := b.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return []registry.Digest{e.Digest}, nil
}

// remove drops records; one that is not there is no error.
func (b *Bin) remove(ctx context.Context, entries ...Entry) error {
	deletes := make([]driver.Change, len(entries))
	for i, e := range entries {
		deletes[i] = driver.Delete{Key: key(e.ID)}
	}
	if err := driver.Apply(ctx, b.drv, deletes...); err != nil {
		return fmt.Errorf("remove trash entry %s: %w", entries[0].ID, err)
	}
	ids := make([]string, len(entries))
	b.mu.Lock()
	for i, e := range entries {
		ids[i] = e.ID
		delete(b.seen, e.ID)
	}
	b.mu.Unlock()
	b.changed(ctx, nil, ids)
	return nil
}

// Purge lets go of the entries whose time is over before the given moment, and
// counts them. Only then can a clean-up free what they name.
func (b *Bin) Purge(ctx context.Context, before time.Time) (n int, err error) {
	entries, err := b.Entries(ctx)
	if err != nil {
		return 0, err
	}
	over := slices.DeleteFunc(entries, func(e Entry) bool { return !e.Until.Before(before) })
	for some := range slices.Chunk(over, 256) {
		if err := b.remove(ctx, some...); err != nil {
			return n, err
		}
		n += len(some)
	}
	return n, nil
}

// Roots yields every entry as a root of the garbage collection.
func (b *Bin) Roots(ctx context.Context) iter.Seq2[registry.Root, error] {
	return func(yield func(registry.Root, error) bool) {
		entries, err := b.Entries(ctx)
		if err != nil {
			yield(registry.Root{}, err)
			return
		}
		for _, e := range entries {
			if !yield(registry.Root{Repository: e.Repository, Digest: e.Digest, Why: "in the trash: " + e.name()}, nil) {
				return
			}
		}
	}
}

// entry makes a record of what d names at this moment.
func (b *Bin) entry(ctx context.Context, repo, tag string, d registry.Descriptor, why string) (Entry, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Entry{}, fmt.Errorf("name a trash entry: %w", err)
	}
	caller := registry.CallerFrom(ctx)
	if caller.Reason != "" {
		why = caller.Reason
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	var pushed time.Time
	var by string
	if tag != "" {
		pushed, by = b.pushed(ctx, repo, tag, d.Digest)
	}
	return Entry{
		ID: id.String(), Repository: repo, Tag: tag, Digest: d.Digest, MediaType: d.MediaType, Size: d.Size,
		Why: why, By: caller.User, At: now, Until: now.Add(b.ttl), Pushed: pushed, PushedBy: by,
	}, nil
}

func (b *Bin) pushed(ctx context.Context, repo, tag string, d registry.Digest) (at time.Time, by string) {
	if p, ok := b.pushes.of(repo, tag); ok && p.digest == d {
		return p.at, p.by
	}
	if b.Pushed == nil {
		return time.Time{}, ""
	}
	return b.Pushed(ctx, repo, tag, d)
}

func key(id string) string { return folder + "/" + id + suffix }

// validID holds what may stand in a key.
func validID(id string) bool {
	return id != "" && len(id) <= 64 && strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyz-") == "" && id[0] != '-'
}
