package app

import "context"

// Repair: see [Service].
func (c *Core) Repair(context.Context, RepairRequest) (JobReply, error) {
	return JobReply{}, errNotYet
}
