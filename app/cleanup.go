package app

import "context"

// PlanCleanup: see [Service].
func (c *Core) PlanCleanup(context.Context, PlanCleanupRequest) (CleanupPlan, error) {
	return CleanupPlan{}, errNotYet
}

// RunCleanup: see [Service].
func (c *Core) RunCleanup(context.Context, RunCleanupRequest) (JobReply, error) {
	return JobReply{}, errNotYet
}

// Cleanups: see [Service].
func (c *Core) Cleanups(context.Context, CleanupsRequest) (CleanupsReply, error) {
	return CleanupsReply{}, errNotYet
}
