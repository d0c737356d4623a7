package app

import (
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"

	"berth/registry"
	"berth/registry/verify"
)

// damageProblem says that something is broken which can be mended, and what
// mends it; nil when nothing is.
func (c *Core) damageProblem() *Problem {
	v := &c.verifier
	v.mu.Lock()
	defer v.mu.Unlock()
	c.loadVerification()
	d := damage{images: map[string]bool{}}
	for _, k := range v.findings {
		_, aside := v.aside[k.Digest]
		d.add(k, aside)
	}
	more := v.more.count()
	var p *Problem
	switch {
	case len(d.images) > 0:
		p = d.ofImages(more > 0)
	case d.others > 0:
		p = d.ofLinks(more)
	case more > 0:
		return tooMany(more)
	}
	if p != nil && more > 0 {
		p.Text += " More was found than is listed."
	}
	return p
}

// tooMany says that what was listed is mended, and more was found.
func tooMany(more int) *Problem {
	return &Problem{
		Code: "damaged", Severity: severityError, Title: count(int64(more), "more thing is wrong", "more things are wrong"),
		Text: "A verification found more than can be listed at once. Nothing was deleted.", Fix: "To list them:", Command: "berth verify --restart", Exit: exitError,
	}
}

// damage is what findings come to.
type damage struct {
	images  map[string]bool // that cannot be pulled
	others  int             // links and tags
	refetch bool            // content of an image must come from elsewhere
	aside   bool            // some of it was moved aside
	decide  bool            // a link or tag does not mend itself
}

func (d *damage) add(k kept, aside bool) {
	switch {
	case len(k.Fixes) == 0:
	case slices.Contains(damaging, k.Kind):
		d.images[k.Repository+"@"+string(k.of())] = true
		d.refetch = d.refetch || k.Fixes[0] != verify.Relink
		d.aside = d.aside || k.Quarantined || aside
	default:
		d.others++
		d.decide = d.decide || firstFix(k) != FixRelink
	}
}

// ofImages is about images; more, that there are others that are not listed.
func (d *damage) ofImages(more bool) *Problem {
	one, many := "An image is damaged", "images are damaged"
	p := &Problem{
		Code: "damaged", Severity: severityError, Text: "A verification found content missing. Nothing was deleted.",
		Fix: "Fetch it from Docker, or from a registry that has it:", Command: "berth repair", Exit: exitError,
	}
	switch {
	case !d.refetch:
		one, many = "An image cannot be pulled", "images cannot be pulled"
		p.Text, p.Fix = "A verification found that all of its content is on disk, but a link to it is lost.", "To write it again:"
		if len(d.images) > 1 {
			p.Text, p.Fix = "A verification found that all of their content is on disk, but links to it are lost.", "To write them again:"
		}
	case d.aside:
		p.Text = "A verification found content missing or damaged. What is damaged was kept aside; nothing was deleted."
	}
	p.Title = one
	n := humanize.Comma(int64(len(d.images)))
	switch {
	case more && len(d.images) > 1:
		p.Title = fmt.Sprintf("At least %s %s", n, many)
	case len(d.images) > 1:
		p.Title = fmt.Sprintf("%s %s", n, many)
	}
	return p
}

func (d *damage) ofLinks(more int) *Problem {
	p := &Problem{
		Code: "damaged", Severity: severityWarning, Title: count(int64(d.others+more), "link or tag needs mending", "links and tags need mending"),
		Text: "A verification found links that lead nowhere, or hold nothing.", Fix: "To see them:", Command: "berth verify --status", Exit: exitError,
	}
	if !d.decide {
		p.Text, p.Fix, p.Command = "A verification found links that hold nothing; what they led to is on disk.", "To write them again:", "berth repair"
	}
	return p
}

// damaging are the kinds of findings because of which an image cannot be pulled.
var damaging = []verify.Kind{verify.BlobDamaged, verify.BlobUnreadable, verify.BlobMissing, verify.BlobUnlinked, verify.ManifestMissing, verify.ChildMissing}

// of is the manifest that suffers, or the blob.
func (k kept) of() registry.Digest {
	if k.Manifest != "" {
		return k.Manifest
	}
	return k.Digest
}
