package sqlite

import (
	"berth/registry"
	"berth/registry/index"
)

func (w *writer) putManifest(c index.PutManifest) error {
	d := c.Manifest.Descriptor
	o, err := w.object(d.Digest, d.Size)
	if err != nil {
		return err
	}
	// Described first: as long as nothing names it, that counts for nothing.
	if !o.known {
		if err := w.describe(o, &c.Manifest); err != nil {
			return err
		}
	}
	return w.put(c.Repository, d.Digest, d.Size, holdManifest, nanoseconds(c.At))
}

func (w *writer) putContent(m *index.Manifest) error {
	o, err := w.object(m.Descriptor.Digest, m.Descriptor.Size)
	if err != nil || o.known {
		return err
	}
	return w.describe(o, m)
}

// describe records what a manifest refers to, the first time it is seen.
func (w *writer) describe(o *object, m *index.Manifest) (err error) {
	if o.info, err = encode(m); err != nil {
		return err
	}
	o.known, o.artifact = true, m.Descriptor.ArtifactType
	w.touch(o)
	if m.Subject != "" {
		s, err := w.object(m.Subject, 0)
		if err != nil {
			return err
		}
		o.subject = s.id
	}
	kids := make([]*object, 0, len(m.Blobs)+len(m.Children))
	for _, list := range [][]registry.Descriptor{m.Blobs, m.Children} {
		for _, d := range list {
			kid, err := w.object(d.Digest, 0)
			if err != nil {
				return err
			}
			if kid.size == 0 && kid.disk < 0 && d.Size > 0 {
				kid.size = d.Size
				w.touch(kid)
			}
			kids = append(kids, kid)
		}
	}
	seers, err := w.seers(o, 0)
	if err != nil {
		return err
	}
	if err := w.join(o, kids); err != nil {
		return err
	}
	return w.show(seers, kids...)
}
