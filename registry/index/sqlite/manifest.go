package sqlite

import (
	"encoding/json"
	"time"

	"berth/registry"
	"berth/registry/index"
)

// info is what is kept of a manifest as JSON.
type info struct {
	Descriptor registry.Descriptor   `json:"descriptor"`
	Subject    registry.Digest       `json:"subject,omitempty"`
	Children   []registry.Descriptor `json:"children,omitempty"`
	Blobs      []registry.Descriptor `json:"blobs,omitempty"`
	Platforms  []string              `json:"platforms,omitempty"`
	Created    time.Time             `json:"created,omitzero"`
}

func (w *writer) putManifest(c index.PutManifest) error {
	m := c.Manifest
	if err := w.put(c.Repository, m.Descriptor.Digest, m.Descriptor.Size, holdManifest); err != nil {
		return err
	}
	o, err := w.object(m.Descriptor.Digest, m.Descriptor.Size)
	if err != nil {
		return err
	}
	if !o.known {
		if err := w.describe(&o, m); err != nil {
			return err
		}
	}
	if o.subject == 0 {
		return nil
	}
	if n, _, err := w.id(sqlEdgeHas, o.subject, o.id); err != nil || n > 0 {
		return err
	}
	return w.relate(o.subject, func() error { return w.exec(sqlEdgePut, o.subject, o.id) })
}

// describe records what a manifest refers to, the first time it is seen.
func (w *writer) describe(o *object, m index.Manifest) error {
	text, err := json.Marshal(info(m))
	if err != nil {
		return err
	}
	if m.Subject != "" {
		s, err := w.object(m.Subject, 0)
		if err != nil {
			return err
		}
		o.subject = s.id
	}
	if err := w.exec(sqlObjInfo, o.subject, m.Descriptor.ArtifactType, string(text), o.id); err != nil {
		return err
	}
	var children []int64
	for _, list := range [][]registry.Descriptor{m.Blobs, m.Children} {
		for _, d := range list {
			child, err := w.object(d.Digest, 0)
			if err != nil {
				return err
			}
			if child.size == 0 && d.Size > 0 {
				if err := w.resize(&child, d.Size); err != nil {
					return err
				}
			}
			children = append(children, child.id)
		}
	}
	return w.relate(o.id, func() error {
		for _, child := range children {
			if err := w.exec(sqlEdgePut, o.id, child); err != nil {
				return err
			}
		}
		return nil
	})
}
