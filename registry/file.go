package registry

import (
	"io"
	"os"
)

// File finds the plain file behind a blob, so that a server can send it
// without copying its bytes through this process. It sees through a blob that
// is an *os.File, that has a method File() *os.File, or that has a method
// Unwrap() io.ReadSeekCloser which leads to one.
//
// The file shares its position with b, and is closed by closing b.
func File(b io.ReadSeeker) (*os.File, bool) {
	for b != nil {
		switch v := b.(type) {
		case *os.File:
			return v, v != nil
		case interface{ File() *os.File }:
			f := v.File()
			return f, f != nil
		case interface{ Unwrap() io.ReadSeekCloser }:
			b = v.Unwrap()
		default:
			return nil, false
		}
	}
	return nil, false
}
