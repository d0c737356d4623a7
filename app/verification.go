package app

import "context"

// Verify: see [Service].
func (c *Core) Verify(context.Context, VerifyRequest) (JobReply, error) {
	return JobReply{}, errNotYet
}

// Verification: see [Service].
func (c *Core) Verification(context.Context, VerificationRequest) (Verification, error) {
	return Verification{}, errNotYet
}

// Repair: see [Service].
func (c *Core) Repair(context.Context, RepairRequest) (JobReply, error) {
	return JobReply{}, errNotYet
}
