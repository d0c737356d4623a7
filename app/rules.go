package app

import "context"

// Rules: see [Service].
func (c *Core) Rules(context.Context, RulesRequest) (RulesReply, error) {
	return RulesReply{}, errNotYet
}

// SetRules: see [Service].
func (c *Core) SetRules(context.Context, SetRulesRequest) (RulesReply, error) {
	return RulesReply{}, errNotYet
}

// PreviewRules: see [Service].
func (c *Core) PreviewRules(context.Context, PreviewRulesRequest) (PreviewRulesReply, error) {
	return PreviewRulesReply{}, errNotYet
}

// ApplyRules: see [Service].
func (c *Core) ApplyRules(context.Context, ApplyRulesRequest) (JobReply, error) {
	return JobReply{}, errNotYet
}
