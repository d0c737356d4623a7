package portable

import (
	"context"

	"berth/registry/driver"
)

var _ driver.Trimmer = (*Driver)(nil)

// Trim implements [driver.Trimmer]; where the wrapped driver is none, nothing
// goes.
func (d *Driver) Trim(ctx context.Context, key string) (bool, error) {
	t, ok := driver.As[driver.Trimmer](d.inner)
	if !ok {
		return false, nil
	}
	path, err := d.path(ctx, key, false)
	if err != nil {
		return false, err
	}
	return t.Trim(ctx, path)
}
