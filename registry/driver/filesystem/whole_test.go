package filesystem

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
)

func TestAFileIsSeenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, size := range []int{71, 4 << 10, 1 << 20} {
		content := make([]byte, size)
		for n := range 40 {
			key := fmt.Sprintf("%d/%d", size, n)
			stop := make(chan struct{})
			var reader sync.WaitGroup
			reader.Go(func() {
				for {
					if b, err := os.ReadFile(d.file(key)); err == nil && len(b) != size {
						t.Errorf("%d of %d bytes were seen", len(b), size)
					}
					select {
					case <-stop:
						return
					default:
					}
				}
			})
			if err := d.Put(context.Background(), key, content); err != nil {
				t.Error(err)
			}
			close(stop)
			reader.Wait()
		}
	}
}
