package sqlite

import (
	"slices"

	"berth/registry"
	"berth/registry/index"
)

func (w *writer) putManifest(c index.PutManifest) error {
	d := c.Manifest.Descriptor
	_, o, err := w.put(c.Repository, d.Digest, d.Size, holdManifest)
	if err != nil {
		return err
	}
	if !o.known {
		if err := w.describe(o, &c.Manifest); err != nil {
			return err
		}
	}
	if o.subject == 0 {
		return nil
	}
	subject, err := w.objectOf(o.subject)
	if err != nil {
		return err
	}
	kids, err := w.kids(subject)
	if err != nil || slices.Contains(kids, o.id) {
		return err
	}
	return w.join(subject, []*object{o})
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
			if kid.size == 0 && d.Size > 0 {
				if err := w.resize(kid, d.Size); err != nil {
					return err
				}
			}
			kids = append(kids, kid)
		}
	}
	return w.join(o, kids)
}
