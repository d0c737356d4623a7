package trash

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"time"

	"berth/registry"

	"github.com/google/uuid"
)

// What Why says when nobody gave a reason.
const (
	Deleted     = "deleted"
	Overwritten = "overwritten"
)

// Entry is what can be restored: a tag, a manifest, or a whole repository.
type Entry struct {
	// ID sorts by time.
	ID         string `json:"id"`
	Repository string `json:"repository"`
	// Tag is empty for a manifest that was deleted by digest; each of its tags
	// has an entry of its own.
	Tag string `json:"tag,omitempty"`
	// Digest is empty for a repository; see [Bin.Contents].
	Digest    registry.Digest `json:"digest,omitempty"`
	MediaType string          `json:"mediaType,omitempty"`
	// Size of the manifest itself, or what a repository took on disk, in bytes.
	Size int64 `json:"size"`
	// Why is [Deleted], [Overwritten], or the reason of the caller.
	Why string `json:"why"`
	// By is the caller's user, or else his program and address; may be empty.
	By    string    `json:"by,omitempty"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until"`
	// Pushed says when the tag was put there, and PushedBy by whom; zero when
	// that is not known.
	Pushed   time.Time `json:"pushed,omitzero"`
	PushedBy string    `json:"pushedBy,omitempty"`
	// Dangling is true for a tag whose repository had lost the manifest when the
	// tag went; the bytes were there.
	Dangling bool `json:"dangling,omitempty"`
	// Whole is true for a repository; Tags and Manifests are how many it had.
	Whole     bool `json:"whole,omitempty"`
	Tags      int  `json:"tags,omitempty"`
	Manifests int  `json:"manifests,omitempty"`
	// Parts is in how many files the contents of a repository are.
	Parts int `json:"parts,omitempty"`
}

// Name is how a person calls what the entry brings back: "team/app:v1",
// "team/app@sha256:…" or "team/app".
func (e Entry) Name() string {
	switch {
	case e.Whole:
		return e.Repository
	case e.Tag == "":
		return e.Repository + "@" + e.Digest.String()
	}
	return e.Repository + ":" + e.Tag
}

func (e Entry) sound() bool {
	if registry.ParseName(e.Repository) != nil || e.Tag != "" && registry.ParseTag(e.Tag) != nil {
		return false
	}
	if e.Whole {
		return e.Tag == "" && e.Digest == "" && e.Parts >= 0
	}
	_, err := registry.ParseDigest(e.Digest.String())
	return err == nil
}

// decode gives the entry of a record; false for one that is damaged.
func decode(id string, content []byte) (e Entry, ok bool) {
	if json.Unmarshal(content, &e) != nil || !e.sound() {
		return Entry{}, false
	}
	e.ID = id
	return e, true
}

// stamp begins an entry about a repository: id, time and caller.
func (b *Bin) stamp(ctx context.Context, repo, why string) (Entry, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Entry{}, fmt.Errorf("name a trash entry: %w", err)
	}
	caller := registry.CallerFrom(ctx)
	if caller.Reason != "" {
		why = caller.Reason
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	return Entry{ID: id.String(), Repository: repo, Why: why, By: who(caller), At: now, Until: now.Add(b.Keep())}, nil
}

// entry makes a record of what d names at this moment.
func (b *Bin) entry(ctx context.Context, repo, tag string, d registry.Descriptor, why string) (Entry, error) {
	e, err := b.stamp(ctx, repo, why)
	if err != nil {
		return Entry{}, err
	}
	e.Tag, e.Digest, e.MediaType, e.Size = tag, d.Digest, d.MediaType, d.Size
	if tag != "" {
		e.Pushed, e.PushedBy = b.pushed(ctx, repo, tag, d.Digest)
	}
	return e, nil
}

// maxWho bounds what a client says of itself.
const maxWho = 80

// who names a caller for a person: his user, or his program and where from.
func who(c registry.Caller) string {
	if c.User != "" {
		return c.User
	}
	program, _, _ := strings.Cut(c.UserAgent, " ")
	name := plain(program)
	host, _, err := net.SplitHostPort(c.RemoteAddr)
	if err != nil {
		host = c.RemoteAddr
	}
	if host = plain(host); host != "" {
		name = strings.TrimSpace(name + " from " + host)
	}
	return name
}

// plain leaves out what a terminal could take for a command.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), maxWho)]
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

// validID holds what may stand in a key.
func validID(id string) bool {
	return id != "" && len(id) <= 64 && strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyz-") == "" && id[0] != '-'
}
