package memory

import (
	"context"

	"berth/registry/driver"
)

var _ driver.Trimmer = (*Driver)(nil)

// Trim implements [driver.Trimmer].
func (d *Driver) Trim(ctx context.Context, key string) (bool, error) {
	if err := check(ctx, key); err != nil {
		return false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.root.find(key)
	if n == nil {
		return true, nil
	}
	return n.children != nil && len(n.children) == 0 && d.root.detach(key), nil
}
