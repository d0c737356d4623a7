package app

import (
	"context"
	"errors"
	"slices"

	"berth/registry"
	"berth/registry/pin"
	"berth/registry/trash"
	"berth/registry/verify"
)

// removeTag removes a tag that names nothing; a pinned one stays, and so does
// one that names something by now. Where the bytes are on disk, it goes to the
// trash, which keeps them.
func (c *Core) removeTag(ctx context.Context, m *mend) (done bool, p *Problem) {
	pins, err := c.pins.Of(ctx, m.Repository)
	if err == nil && slices.ContainsFunc(pins, func(p pin.Pin) bool { return p.Tag == m.Tag }) {
		return false, &Problem{
			Code: "pinned", Severity: severityError, Title: m.Repository + ":" + m.Tag + " is pinned", Text: "Nothing removes a pinned tag.",
			Fix: "Unpin it first, or push it again.", Exit: exitConflict,
		}
	}
	link, _, err := c.disk.ReadLink(ctx, m.Repository, registry.RawLink{Kind: registry.RawTag, Tag: m.Tag})
	if err != nil {
		return false, asRepairProblem(m, err)
	}
	recording, recorder := trash.Record(ctx)
	removed, err := verify.RemoveDangling(recording, c.disk, c.reg, m.Finding)
	switch {
	case errors.Is(err, registry.ErrManifestUnknown), errors.Is(err, registry.ErrNameUnknown):
		return true, nil // somebody else removed it
	case err != nil:
		return false, asRepairProblem(m, err)
	case !removed:
		return true, nil
	}
	ctx = context.WithoutCancel(ctx)
	var pushed []trash.Entry // in this moment: it named something when it went
	for _, e := range recorder.Entries() {
		if e.Dangling {
			m.entry = e.ID
		} else {
			pushed = append(pushed, e)
		}
	}
	err = c.putBack(ctx, pushed)
	if err == nil {
		err = c.tagAgain(ctx, m.Repository, m.Tag, link.Target)
	}
	if err != nil {
		return false, asRepairProblem(m, err)
	}
	return true, nil
}

// tagAgain gives a manifest that came back in the moment in which its tag was
// removed that tag again, unless it names another by now.
func (c *Core) tagAgain(ctx context.Context, repo, tag string, d registry.Digest) error {
	if d == "" {
		return nil
	}
	if there, err := c.links(ctx, repo, d); !there || err != nil {
		return err
	}
	_, err := c.reg.ResolveTag(ctx, repo, tag)
	if !errors.Is(err, registry.ErrManifestUnknown) && !errors.Is(err, registry.ErrNameUnknown) {
		return err
	}
	whole, err := c.reg.Manifest(ctx, repo, d)
	if errors.Is(err, registry.ErrManifestUnknown) {
		return nil // a link is there, and what it leads to is not
	}
	if err == nil {
		_, err = c.reg.PutManifest(ctx, repo, whole, tag)
	}
	return err
}
