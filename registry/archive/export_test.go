package archive

import (
	"bufio"
	"context"
	"io"
)

// Fill unpacks as spool does, with a limit that tests can afford.
func Fill(ctx context.Context, w io.Writer, r io.Reader, free int64) error {
	return fill(ctx, w, bufio.NewReader(r), free)
}
