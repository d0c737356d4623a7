package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"berth/app/job"
	"berth/registry"
	"berth/registry/client"
	"berth/registry/verify"
)

// source is where lost content is fetched from.
type source interface {
	// name is what people call it.
	name() string
	// fetch mends as much of the plan as it can. An error is about the source
	// as a whole; each mend has its own problem then too.
	fetch(ctx context.Context, c *Core, plan []*mend, t *fetching) error
}

// repairSource understands where content is to come from: "docker", or the
// address of a registry, whose path is put before the names of repositories.
func (c *Core) repairSource(from string) (source, error) {
	from = strings.TrimSpace(from)
	if from == "" || from == "docker" {
		return localSource{c.engines}, nil
	}
	full := from
	if !strings.Contains(full, "://") {
		full = "https://" + full
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return nil, &Problem{
			Code: "source_unknown", Severity: severityError, Title: "That is not where content can come from", Text: "It is neither docker nor the address of a registry.",
			Fix: "Name one:", Command: "berth repair --from https://registry.example.com", Exit: exitUsage,
		}
	}
	prefix := strings.Trim(u.Path, "/")
	if prefix != "" && registry.ParseName(prefix) != nil {
		return nil, badName("a part of a repository's name", prefix, "Use lower-case letters and digits, as in https://registry.example.com/team.")
	}
	base := u.Host
	if strings.Contains(from, "://") {
		base = u.Scheme + "://" + u.Host
	}
	password, _ := u.User.Password()
	user := u.User.Username()
	reg, err := client.New(base, client.Options{UserAgent: "berth/" + c.opt.Version, Credential: func(_ context.Context, host string) (string, string, error) {
		if host != u.Host {
			return "", "", nil // what was given for one host goes to no other
		}
		return user, password, nil
	}})
	if err != nil {
		return nil, BadRequest(err)
	}
	if prefix != "" {
		prefix += "/"
	}
	return upstream{reg: reg, host: u.Host, prefix: prefix, user: user}, nil
}

// fetching counts what is fetched.
type fetching struct {
	report      func(job.Progress)
	source      string
	done, total int64
	note        string
}

func (t *fetching) tell(note string) {
	t.note = note
	t.report(job.Progress{Done: t.done, Total: max(t.total, t.done), Note: note})
}

// counted counts what is read of a blob.
type countedBlob struct {
	registry.Blob
	t *fetching
}

func (b countedBlob) Read(p []byte) (int, error) {
	n, err := b.Blob.Read(p)
	b.t.done += int64(n)
	b.t.tell(b.t.note)
	return n, err
}

// upstream is another registry.
type upstream struct {
	reg          registry.Registry
	host, prefix string
	user         string // who asks; "" for anonymous
	t            *fetching
}

func (u upstream) name() string { return u.host }

// OpenBlob opens a blob there.
func (u upstream) OpenBlob(ctx context.Context, repo string, d registry.Digest) (registry.Blob, error) {
	b, err := u.reg.OpenBlob(ctx, u.prefix+repo, d)
	if err != nil {
		return nil, err
	}
	return countedBlob{b, u.t}, nil
}

// Manifest gets a manifest there.
func (u upstream) Manifest(ctx context.Context, repo string, d registry.Digest) (registry.Manifest, error) {
	return u.reg.Manifest(ctx, u.prefix+repo, d)
}

func (u upstream) fetch(ctx context.Context, c *Core, plan []*mend, t *fetching) error {
	u.t = t
	var whole, first *Problem // why it gives nothing at all; the first refusal
	denied := map[string]*Problem{}
	for i, m := range plan {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if whole != nil {
			m.problem = whole
			continue
		}
		if m.problem = denied[m.Repository]; m.problem != nil {
			continue // what one may pull of others is not said by that
		}
		t.tell(fmt.Sprintf("fetching %d of %d from %s", i+1, len(plan), u.host))
		if err := c.refetch(ctx, u, m); err != nil {
			m.problem = u.problem(m, err)
		}
		switch p := m.problem; {
		case p == nil:
		case p.Code == "source_unreachable":
			whole = p
		case p.Code == "source_denied":
			if m.Repository != "" {
				denied[m.Repository] = p
			}
			first = cmp.Or(first, p)
		}
	}
	if whole = cmp.Or(whole, first); whole != nil {
		return whole
	}
	return nil
}

// refetch fetches what one finding misses.
func (c *Core) refetch(ctx context.Context, from verify.Source, m *mend) error {
	if m.done = c.mendedAlready(ctx, m); m.done {
		return nil // by one before it
	}
	if c.readOnly.Load() { // since it began
		return readOnlyProblem()
	}
	f := m.Finding
	if f.Repository == "" {
		repo, err := verify.Needing(ctx, c.disk, f.Digest)
		if err != nil {
			return err
		}
		if repo == "" {
			return errUnneeded
		}
		f.Repository = repo
	}
	if f.Kind == verify.BlobDamaged && !f.Quarantined {
		// What is there would be taken for what is fetched.
		if _, err := c.mendable().Quarantine(ctx, f.Digest); err != nil {
			return err
		}
	}
	f.Fixes = []verify.Fix{verify.Refetch}
	for _, r := range verify.Repair(ctx, c.reg, from, []verify.Finding{f}) {
		if r.Err != nil {
			return r.Err
		}
	}
	m.done = true
	return nil
}

var errUnneeded = errors.New("no repository needs it")

func missingThere(err error) bool {
	return errors.Is(err, registry.ErrBlobUnknown) || errors.Is(err, registry.ErrManifestUnknown) || errors.Is(err, registry.ErrNameUnknown)
}

func (u upstream) problem(m *mend, err error) *Problem {
	what := u.prefix + cmp.Or(m.Repository, shortDigest(m.Digest))
	p := &Problem{Code: "source_failed", Severity: severityError, Title: u.host + " did not give it", Text: sentence(err.Error()), Fix: "Try again, or name another registry.", Exit: exitError}
	var unreachable net.Error
	var address *url.Error
	var ours *Problem
	switch {
	case errors.As(err, &ours):
		return ours
	case errors.Is(err, errUnneeded):
		return unneeded(m)
	case missingThere(err):
		p.Code, p.Title = "not_at_source", u.host+" does not have it"
		p.Text = fmt.Sprintf("It has no %s in %s.", shortDigest(m.Digest), what)
		p.Fix = "Push the image again from where it was built, or name a registry that has it. A path is put before the repository's name:"
		p.Command = "berth repair " + m.ID + " --from https://registry.example.com/team"
	case errors.Is(err, registry.ErrDigestInvalid):
		p.Code, p.Title = "source_differs", u.host+" gave other bytes"
		p.Text = "They are not what the digest says, so they were not stored."
	case errors.Is(err, registry.ErrUnauthorized), errors.Is(err, registry.ErrDenied):
		p.Code, p.Title = "source_denied", u.host+" wants to know who asks"
		p.Text = "It lets nobody have " + what + " who gives no name."
		p.Fix = "Give name and password in the address; what docker login stored is not used:"
		if u.user != "" {
			p.Title, p.Text = u.host+" does not let "+u.user+" have it", "The name or the password is wrong, or "+u.user+" may not pull "+what+"."
			p.Fix = "Give the name and password of who may; a token can take the place of the password:"
		}
		p.Command = "berth repair " + m.ID + " --from https://NAME:PASSWORD@" + u.host
	case errors.As(err, &address), errors.As(err, &unreachable):
		p.Code, p.Title = "source_unreachable", u.host+" cannot be reached"
		if address != nil {
			p.Text = sentence(address.Err.Error()) // without what it asked for
		}
		p.Fix = "Look at the address and the network. A registry without TLS that is not on this machine needs http:// in front."
	case noSpace(err):
		return AsProblem(err)
	}
	return p
}

func unneeded(m *mend) *Problem {
	return &Problem{
		Code: "not_needed", Severity: severityWarning, Title: "No repository needs it", Text: m.sentence(),
		Fix: "To free what lies aside:", Command: "berth repair --drop-quarantined", Exit: exitError,
	}
}

func shortDigest(d registry.Digest) string {
	s := string(d)
	return s[:min(len(s), len("sha256:")+12)]
}
