package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// Bytes is a size: 64MB (of 1000), 64MiB (of 1024), or a number of bytes.
type Bytes int64

// UnmarshalText reads a size.
func (b *Bytes) UnmarshalText(text []byte) error {
	n, err := ParseBytes(string(text))
	if err == nil {
		*b = Bytes(n)
	}
	return err
}

// String writes a size as it is read, without losing a byte.
func (b Bytes) String() string {
	for _, unit := range []struct {
		name string
		of   Bytes
	}{{"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"KB", 1e3}} {
		if b >= unit.of && b%unit.of == 0 {
			return strconv.FormatInt(int64(b/unit.of), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// ParseBytes reads a size: 64MB, 64MiB, or a number of bytes.
func ParseBytes(text string) (int64, error) {
	n, err := humanize.ParseBytes(text)
	if err != nil || n > 1<<62 {
		return 0, fmt.Errorf("%q is no size; write it as 64MB, 64MiB or in bytes", text)
	}
	return int64(n), nil
}

// MinRate is the lowest rate of reading, in bytes a second: below it the blobs
// of one image take days.
const MinRate = 64_000

// ParseRate reads how much is read a second: a size, with or without /s.
func ParseRate(text string) (int64, error) {
	n, err := ParseBytes(strings.TrimSuffix(text, "/s"))
	if err != nil {
		return 0, fmt.Errorf("%q is no rate; use one like 64MB", text)
	}
	return n, checkRate(n, text)
}

func checkRate(n int64, text string) error {
	if n < MinRate {
		return fmt.Errorf("%q is too slow to come to an end: at least 64KB a second, such as 64MB", text)
	}
	return nil
}
