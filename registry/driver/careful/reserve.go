package careful

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"time"

	"berth/registry/driver"
)

const (
	reserveKey = own + "reserve"
	// reserveSize is how large the reserve is; on a small disk reserveShare of
	// it, but not less than reserveLeast.
	reserveSize  = 1 << 20
	reserveShare = 32
	reserveLeast = 32 << 10
	// reservePace is how long it is not looked for again, as long as it is known
	// to be there; and how long no try is made where the disk says that it has
	// no room.
	reservePace = time.Minute
)

// kind says what a change does on a full disk.
type kind int

const (
	// frees: it makes room, or notes in Berth's own folder how to undo that.
	frees kind = iota
	// keeps: links and the like, without which what is there is not found.
	keeps
	// data: bytes that a push brings.
	data
)

func kindOf(key string) kind {
	switch {
	case strings.HasPrefix(key, own):
		return frees
	case brings(key):
		return data
	}
	return keeps
}

// brings reports whether a key is of what pushes bring.
func brings(key string) bool {
	return strings.HasPrefix(key, "docker/registry/v2/blobs/") || strings.Contains(key, "/_uploads/")
}

// admit refuses what a push brings while there is no room for the reserve: what
// was given up, and what deletes give back, is for more deletes.
func (d *Driver) admit(ctx context.Context, key string) error {
	d.keepReserve(ctx)
	return d.refused(key)
}

func (d *Driver) refused(key string) error {
	if d.bare.Load() {
		return fmt.Errorf("%s: what is left is kept for deletes: %w", key, driver.ErrNoSpace)
	}
	return nil
}

// writer is that of an upload, which may have been begun before the disk was
// full.
type writer struct {
	driver.Writer
	d   *Driver
	key string
}

// Write implements io.Writer.
func (w writer) Write(p []byte) (int, error) {
	if err := w.d.refused(w.key); err != nil {
		return 0, err
	}
	return w.Writer.Write(p)
}

// Drop implements [driver.Dropper].
func (w writer) Drop() error {
	if d, ok := w.Writer.(driver.Dropper); ok {
		return d.Drop()
	}
	return w.Writer.Close()
}

// keepReserve makes the reserve when it is not there: now and then as long as
// nothing is known to be wrong; as soon as there is room, while there was none.
func (d *Driver) keepReserve(ctx context.Context) {
	d.making.Lock()
	defer d.making.Unlock()
	now, bare := time.Now(), d.bare.Load()
	due := !now.Before(d.next)
	if !due && !bare {
		return
	}
	s, ok := driver.As[driver.Spacer](d.Driver)
	if !ok {
		d.bare.Store(false)
		return
	}
	size, known := int64(reserveSize), false
	free, total, err := s.Space(ctx)
	if err == nil && total > 0 {
		size, known = sizeOn(total), true
	}
	if !due && (!known || free < 2*size) {
		return
	}
	d.next = now.Add(reservePace)
	if info, err := d.Driver.Stat(ctx, reserveKey); err == nil && info.Size >= reserveLeast {
		d.bare.Store(false)
		return
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return
	}
	// Tried also where the disk says that it is full: not each tells the truth.
	switch err := d.makeReserve(ctx, size); {
	case err == nil:
		d.bare.Store(false)
	case errors.Is(err, driver.ErrNoSpace):
		d.bare.Store(true)
	}
}

func (d *Driver) makeReserve(ctx context.Context, size int64) error {
	// Random, since some file systems keep zeros in no space at all.
	content := make([]byte, size)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(content)
	w, err := d.Driver.Append(ctx, reserveKey, 0)
	if err == nil {
		_, err = w.Write(content)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		_ = d.Driver.Delete(context.WithoutCancel(ctx), reserveKey)
	}
	return err
}

// giveUp frees the reserve, if it is there.
func (d *Driver) giveUp(ctx context.Context) {
	d.making.Lock()
	defer d.making.Unlock()
	d.next = time.Now().Add(reservePace)
	d.bare.Store(true)
	_ = d.Driver.Delete(ctx, reserveKey)
}

// Room reports whether what Berth writes into its folder past the driver may
// take some: half of a reserve is left to deletes.
func (d *Driver) Room(ctx context.Context) bool {
	s, ok := driver.As[driver.Spacer](d.Driver)
	if !ok {
		return true
	}
	free, total, err := s.Space(ctx)
	return err != nil || total <= 0 || free >= sizeOn(total)/2
}

// Spare gives up the reserve for what has no [Driver.Room].
func (d *Driver) Spare(ctx context.Context) {
	if !d.bare.Load() && !d.Room(ctx) {
		d.giveUp(ctx)
	}
}

// sizeOn is how large the reserve is on a disk.
func sizeOn(total int64) int64 { return min(reserveSize, max(reserveLeast, total/reserveShare)) }
