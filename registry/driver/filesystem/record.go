package filesystem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"berth/registry/driver"
	"berth/registry/driver/filesystem/internal/disk"
)

// step is one change as the journal keeps it.
type step struct {
	op      op
	key     string
	to      string // of a move
	content []byte // of a put
	// source tells the file that a move is about from others that had its name
	// before and after. The zero value: an earlier step has made it.
	source identity
}

type op byte

const (
	opPut op = iota + 1
	opMove
	opDelete
	// opKeep: from here on the file is none of the journal's, see Append.
	opKeep
)

// identity of a file that is moved. Neither of its parts changes by a move.
type identity struct {
	number   uint64
	size     int64
	modified int64
}

func identityOf(info disk.Info) identity {
	return identity{info.ID.Number, info.Size, info.Modified.UnixNano()}
}

func steps(changes []driver.Change) ([]step, error) {
	all := make([]step, 0, len(changes))
	for _, c := range changes {
		switch c := c.(type) {
		case driver.Put:
			all = append(all, step{op: opPut, key: c.Key, content: c.Content})
		case driver.Move:
			all = append(all, step{op: opMove, key: c.From, to: c.To})
		case driver.Delete:
			all = append(all, step{op: opDelete, key: c.Key})
		default:
			return all, fmt.Errorf("a change of type %T is none", c)
		}
	}
	return all, nil
}

// keys that a row of steps is about.
func keysOf(all []step) []string {
	keys := make([]string, 0, len(all)+1)
	for _, s := range all {
		keys = append(keys, s.key)
		if s.op == opMove {
			keys = append(keys, s.to)
		}
	}
	return keys
}

// encode appends the record of steps.
func encode(b []byte, all []step) []byte {
	for _, s := range all {
		b = append(b, byte(s.op))
		b = appendBytes(b, s.key)
		switch s.op {
		case opPut:
			b = appendBytes(b, s.content)
		case opMove:
			b = appendBytes(b, s.to)
			b = binary.LittleEndian.AppendUint64(b, s.source.number)
			b = binary.LittleEndian.AppendUint64(b, uint64(s.source.size))
			b = binary.LittleEndian.AppendUint64(b, uint64(s.source.modified))
		case opDelete, opKeep:
		}
	}
	return b
}

func appendBytes[T string | []byte](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

var errRecord = errors.New("a record of the journal makes no sense")

// decode is encode's inverse. Contents are parts of b.
func decode(b []byte) (all []step, err error) {
	for len(b) > 0 {
		s := step{op: op(b[0])}
		var part []byte
		if part, b, err = cutBytes(b[1:]); err != nil {
			return nil, err
		}
		s.key = string(part)
		switch s.op {
		case opPut:
			s.content, b, err = cutBytes(b)
		case opMove:
			part, b, err = cutBytes(b)
			if err != nil || len(b) < 24 {
				return nil, errRecord
			}
			s.to = string(part)
			s.source.number = binary.LittleEndian.Uint64(b)
			s.source.size = int64(binary.LittleEndian.Uint64(b[8:]))
			s.source.modified = int64(binary.LittleEndian.Uint64(b[16:]))
			b = b[24:]
		case opDelete, opKeep:
		default:
			err = errRecord
		}
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func cutBytes(b []byte) (part, rest []byte, err error) {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > uint64(len(b)-width) {
		return nil, nil, errRecord
	}
	b = b[width:]
	return b[:n:n], b[n:], nil
}

// slack is how much later than its record a change may be carried out, and how
// coarse a file system may keep times.
const slack = 2 * time.Second
