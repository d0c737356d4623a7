package filesystem

import "berth/registry/driver/filesystem/internal/journal"

func (d *Driver) replay(found journal.Found) error {
	if len(found.Frames) == 0 {
		return nil
	}
	for _, f := range found.Frames {
		all, err := decode(f.Payload)
		if err != nil {
			return err
		}
		_ = all
	}
	return d.journal.Replayed()
}
