package app

import (
	"context"

	"berth/registry"
	"berth/registry/verify"
)

// mendable is the disk for what mends it: it changes nothing while the registry
// is read-only, also when that was switched on since the work began.
type mendable struct {
	verify.Store
	readOnly func() bool
}

func (c *Core) mendable() verify.Store { return mendable{c.disk, c.readOnly.Load} }

// Quarantine moves a damaged blob aside.
func (m mendable) Quarantine(ctx context.Context, d registry.Digest) (bool, error) {
	if m.readOnly() {
		return false, readOnlyProblem()
	}
	return m.Store.Quarantine(ctx, d)
}

// DropQuarantined frees what was moved aside.
func (m mendable) DropQuarantined(ctx context.Context, d registry.Digest) (int64, error) {
	if m.readOnly() {
		return 0, readOnlyProblem()
	}
	return m.Store.DropQuarantined(ctx, d)
}

// Relink brings links back.
func (m mendable) Relink(ctx context.Context, repo string, d registry.Digest, tags ...string) error {
	if m.readOnly() {
		return readOnlyProblem()
	}
	return m.Store.Relink(ctx, repo, d, tags...)
}
