package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"berth/registry"
	"berth/registry/driver"
)

// Quarantine is berth/quarantine/<algorithm>/<hex>, and <hex>.2 and so on for
// what was damaged again. It lies beside the layout: no other program sees it.
const quarantineRoot = "berth/quarantine"

const (
	// rehash is up to what size a blob is read again while everybody waits.
	rehash = 1 << 20
	// tries is how often a blob is read that somebody replaces meanwhile.
	tries = 3
	// aside is how many damaged files of one digest are kept.
	aside = 9
)

// Quarantine moves a damaged blob aside; see registry.Inspector. A large one is
// read before the gate is taken, and moved only while it is still the file that
// was read; a small one is read, once more, with the gate.
func (s *Store) Quarantine(ctx context.Context, d registry.Digest) (bool, error) {
	for range tries {
		at := time.Now()
		info, err := s.drv.Stat(ctx, blobKey(d))
		if missing(err) || err == nil && info.Dir {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("quarantine %s: %w", d, err)
		}
		sound, err := s.sound(ctx, d)
		if err != nil || sound {
			return false, err
		}
		moved, done, err := s.setAside(ctx, d, info, settled(info, at))
		if err != nil || done {
			return moved, err
		}
	}
	return false, fmt.Errorf("quarantine %s: it was replaced while it was read: %w", d, registry.ErrInUse)
}

// sound reads a blob from the disk; one that is not there any more is sound.
func (s *Store) sound(ctx context.Context, d registry.Digest) (bool, error) {
	f, err := s.drv.Open(ctx, blobKey(d))
	if missing(err) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("quarantine %s: %w", d, err)
	}
	v := d.Verifier()
	b := getBuffer()
	defer putBuffer(b)
	_, err = io.CopyBuffer(v, withContext{ctx, f}, *b)
	if err = errors.Join(err, f.Close()); err != nil {
		return false, fmt.Errorf("quarantine %s: %w", d, err)
	}
	return v.Verified(), nil
}

// setAside moves the file that info describes and that was read to be damaged;
// not done when it may have become another. fixed says that a change would
// have shown.
func (s *Store) setAside(ctx context.Context, d registry.Digest, seen driver.Info, fixed bool) (moved, done bool, err error) {
	defer s.gate.remove()()
	defer s.flights.alone(blobKey(d))()
	info, err := s.drv.Stat(ctx, blobKey(d))
	if missing(err) {
		return false, true, nil
	}
	if err != nil {
		return false, true, fmt.Errorf("quarantine %s: %w", d, err)
	}
	if info.Size <= rehash {
		if sound, err := s.sound(ctx, d); err != nil || sound {
			return false, true, err
		}
	} else if !fixed || !same(info, seen) {
		return false, false, nil
	}
	to, err := s.placeAside(ctx, d)
	if err != nil {
		return false, true, fmt.Errorf("quarantine %s: %w", d, err)
	}
	over, err := s.drv.Stat(ctx, to) // the last place is used again
	if err != nil && !missing(err) {
		return false, true, fmt.Errorf("quarantine %s: %w", d, err)
	}
	err = driver.Apply(context.WithoutCancel(ctx), s.drv, driver.Move{From: blobKey(d), To: to}, driver.Delete{Key: blobDir(d)})
	s.cache.drop(d)
	if err != nil {
		return false, true, fmt.Errorf("quarantine %s: %w", d, err)
	}
	s.beside.moved(info.Size - over.Size)
	s.tellFreed(ctx, d)
	s.log.Warn("damaged blob moved aside, it counts as missing until it is pushed again", "digest", d, "size", info.Size, "to", to)
	return true, true, nil
}

// placeAside finds a free key; the last one is used again.
func (s *Store) placeAside(ctx context.Context, d registry.Digest) (string, error) {
	for n := 1; ; n++ {
		key := asideKey(d, n)
		if n == aside {
			return key, nil
		}
		if ok, err := s.exists(ctx, key); err != nil || !ok {
			return key, err
		}
	}
}

func asideKey(d registry.Digest, n int) string {
	key := quarantineRoot + "/" + d.Algorithm().String() + "/" + d.Encoded()
	if n > 1 {
		key += "." + strconv.Itoa(n)
	}
	return key
}

// Quarantined lists what was moved aside: a digest comes once for each file.
func (s *Store) Quarantined(ctx context.Context) iter.Seq2[registry.Stored, error] {
	return func(yield func(registry.Stored, error) bool) {
		for algorithm, err := range s.children(ctx, quarantineRoot) {
			if err != nil {
				yield(registry.Stored{}, fmt.Errorf("list the quarantine: %w", err))
				return
			}
			for info, err := range s.drv.List(ctx, quarantineRoot+"/"+algorithm) {
				if err != nil {
					if !missing(err) {
						yield(registry.Stored{}, fmt.Errorf("list the quarantine: %w", err))
						return
					}
					break
				}
				hex, _, _ := strings.Cut(lastPart(info.Key), ".")
				d, ok := digestAt(algorithm, hex)
				if !ok || info.Dir {
					continue
				}
				if !yield(registry.Stored{Digest: d, Size: info.Size, Modified: info.Modified}, nil) {
					return
				}
			}
		}
	}
}

// DropQuarantined frees what was moved aside of a digest.
func (s *Store) DropQuarantined(ctx context.Context, d registry.Digest) (freed int64, err error) {
	if _, err := registry.ParseDigest(d.String()); err != nil {
		return 0, err
	}
	for n := 1; n <= aside; n++ {
		info, err := s.drv.Stat(ctx, asideKey(d, n))
		if missing(err) {
			continue
		}
		if err == nil {
			err = s.remove(ctx, asideKey(d, n))
		}
		if err != nil {
			return freed, fmt.Errorf("drop %s from the quarantine: %w", d, err)
		}
		freed += info.Size
		s.beside.moved(-info.Size)
	}
	return freed, nil
}
