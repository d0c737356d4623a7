package app

import "context"

// Usage: see [Service].
func (c *Core) Usage(context.Context, UsageRequest) (UsageReply, error) {
	return UsageReply{}, errNotYet
}

// errNotYet answers for what is being built.
var errNotYet = &Problem{Code: "unsupported", Severity: severityError, Title: "Berth cannot do that yet", Exit: exitError}
