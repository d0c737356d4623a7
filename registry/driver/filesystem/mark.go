package filesystem

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"path/filepath"
)

// The mark of a replay says which keys it leaves alone. After a power cut in
// the midst of it the next one goes by the mark: what the first has written
// would look like another program's.

const markName = "replaying"

func (d *Driver) markPath() string { return filepath.Join(d.journalFolder(), markName) }

// writeMark returns when the mark is durable.
func (r *replay) writeMark() error {
	var kept []step
	for key := range r.foreign {
		kept = append(kept, step{op: opKeep, key: key})
	}
	b := binary.LittleEndian.AppendUint64(make([]byte, 4), r.found.Last)
	b = encode(b, kept)
	binary.LittleEndian.PutUint32(b, crc32.ChecksumIEEE(b[4:]))
	path, on := r.d.markPath(), r.d.disk
	if err := on.Remove(path + ".new"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := on.WriteNew(path+".new", b); err != nil {
		return err
	}
	f, err := on.Open(path+".new", 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := on.Rename(path+".new", path); err != nil {
		return err
	}
	return on.SyncFolder(filepath.Dir(path))
}

func (r *replay) readMark() error {
	b, err := r.d.disk.ReadFile(r.d.markPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(b) < 12 || binary.LittleEndian.Uint32(b) != crc32.ChecksumIEEE(b[4:]) {
		return nil // it never became durable, so no change followed it
	}
	last := binary.LittleEndian.Uint64(b[4:])
	if last < r.found.Frames[0].Number {
		return nil // of a replay whose checkpoint was made
	}
	kept, err := decode(b[12:])
	if err != nil {
		return err
	}
	r.decided = last
	for _, s := range kept {
		if o := r.want.find(s.key); o == nil || o.number <= last {
			r.foreign[s.key] = true
		}
	}
	return nil
}
