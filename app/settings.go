package app

import "context"

// Settings: see [Service].
func (c *Core) Settings(context.Context, SettingsRequest) (SettingsReply, error) {
	return SettingsReply{}, errNotYet
}

// Apply: see [Service].
func (c *Core) Apply(context.Context, ApplyRequest) (SettingsReply, error) {
	return SettingsReply{}, errNotYet
}
