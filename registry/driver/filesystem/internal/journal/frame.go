package journal

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"time"

	"berth/registry/driver/filesystem/internal/disk"
)

// kind of a frame.
type kind byte

const (
	record kind = iota + 1
	// abort says that of an earlier record only the first changes hold.
	abort
	// mark carries nothing but its head: how far the checkpoint is.
	mark
)

const (
	magic    = 0x314a5242 // "BRJ1"
	headSize = 48
	// maxPayload refuses a length that only damage can have made.
	maxPayload = 1 << 30
)

// head of a frame, in this order, little-endian:
// magic, length, crc, kind (4 bytes each), number, base, epoch, time (8 each).
type head struct {
	kind   kind
	length int
	// number counts frames without a gap.
	number uint64
	// base: a checkpoint has made durable what frames up to it say.
	base  uint64
	epoch uint64
	time  int64
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame appends a frame. The checksum covers all behind itself, and the
// length.
func appendFrame(b []byte, h head, payload []byte) []byte {
	at := len(b)
	b = binary.LittleEndian.AppendUint32(b, magic)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(h.kind))
	b = binary.LittleEndian.AppendUint64(b, h.number)
	b = binary.LittleEndian.AppendUint64(b, h.base)
	b = binary.LittleEndian.AppendUint64(b, h.epoch)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.time))
	b = append(b, payload...)
	binary.LittleEndian.PutUint32(b[at+8:], checksum(b[at:]))
	return b
}

func checksum(frame []byte) uint32 {
	sum := crc32.Update(0, castagnoli, frame[:8])
	return crc32.Update(sum, castagnoli, frame[12:])
}

// parseHead says whether b begins with a head that can be one.
func parseHead(b []byte) (head, bool) {
	if len(b) < headSize || binary.LittleEndian.Uint32(b) != magic {
		return head{}, false
	}
	h := head{
		kind:   kind(b[12]),
		length: int(binary.LittleEndian.Uint32(b[4:])),
		number: binary.LittleEndian.Uint64(b[16:]),
		base:   binary.LittleEndian.Uint64(b[24:]),
		epoch:  binary.LittleEndian.Uint64(b[32:]),
		time:   int64(binary.LittleEndian.Uint64(b[40:])),
	}
	return h, h.length <= maxPayload && h.kind >= record && h.kind <= mark
}

// Frame is a record that was found.
type Frame struct {
	Number  uint64
	Time    time.Time
	Payload []byte
	// Aborted says that only the first Kept changes of it hold.
	Aborted bool
	Kept    int

	head head
}

// scan reads a segment from its beginning up to the first frame that is not
// whole, or not of the same life.
func scan(f io.ReaderAt, size int64) ([]Frame, int64, error) {
	var frames []Frame
	r := window{f: f, size: size}
	at := int64(0)
	for {
		b, err := r.bytes(at, headSize)
		if err != nil {
			return nil, 0, err
		}
		h, ok := parseHead(b)
		if !ok || len(frames) > 0 && !follows(frames[len(frames)-1].head, h) {
			return frames, at, nil
		}
		if b, err = r.bytes(at, headSize+h.length); err != nil {
			return nil, 0, err
		}
		if len(b) < headSize+h.length || checksum(b) != binary.LittleEndian.Uint32(b[8:]) {
			return frames, at, nil
		}
		frames = append(frames, Frame{
			Number: h.number, Time: time.Unix(0, h.time), Payload: b[headSize:], head: h,
		})
		at += int64(len(b))
	}
}

func follows(before, h head) bool {
	return h.epoch == before.epoch && h.number == before.number+1 && h.base >= before.base
}

// window reads a file in big pieces. What it gave stays valid.
type window struct {
	f    io.ReaderAt
	size int64
	b    []byte
	from int64
}

const windowSize = 64 << 10

// bytes gives n bytes at an offset, or fewer at the end of the file.
func (w *window) bytes(at int64, n int) ([]byte, error) {
	if at+int64(n) > w.size {
		n = int(max(w.size-at, 0))
	}
	if at < w.from || at+int64(n) > w.from+int64(len(w.b)) {
		b := make([]byte, min(max(int64(n), windowSize), w.size-at))
		if _, err := w.f.ReadAt(b, at); err != nil && err != io.EOF { //nolint:errorlint // as io.ReaderAt gives it
			return nil, err
		}
		w.b, w.from = b, at
	}
	return w.b[at-w.from : at-w.from+int64(n)], nil
}

var _ io.ReaderAt = disk.File(nil)
