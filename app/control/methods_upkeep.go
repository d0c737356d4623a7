package control

import (
	"context"

	"berth/app"
)

// DeleteRepository asks the instance.
func (c *Client) DeleteRepository(ctx context.Context, r app.DeleteRepositoryRequest) (app.DeleteRepositoryReply, error) {
	return call[app.DeleteRepositoryRequest, app.DeleteRepositoryReply](ctx, c, "DeleteRepository", r)
}

// EmptyTrash asks the instance.
func (c *Client) EmptyTrash(ctx context.Context, r app.EmptyTrashRequest) (app.EmptyTrashReply, error) {
	return call[app.EmptyTrashRequest, app.EmptyTrashReply](ctx, c, "EmptyTrash", r)
}

// Pin asks the instance.
func (c *Client) Pin(ctx context.Context, r app.PinRequest) (app.PinReply, error) {
	return call[app.PinRequest, app.PinReply](ctx, c, "Pin", r)
}

// Pins asks the instance.
func (c *Client) Pins(ctx context.Context, r app.PinsRequest) (app.PinsReply, error) {
	return call[app.PinsRequest, app.PinsReply](ctx, c, "Pins", r)
}

// Usage asks the instance.
func (c *Client) Usage(ctx context.Context, r app.UsageRequest) (app.UsageReply, error) {
	return call[app.UsageRequest, app.UsageReply](ctx, c, "Usage", r)
}

// PlanCleanup asks the instance.
func (c *Client) PlanCleanup(ctx context.Context, r app.PlanCleanupRequest) (app.CleanupPlan, error) {
	return call[app.PlanCleanupRequest, app.CleanupPlan](ctx, c, "PlanCleanup", r)
}

// RunCleanup asks the instance.
func (c *Client) RunCleanup(ctx context.Context, r app.RunCleanupRequest) (app.JobReply, error) {
	return call[app.RunCleanupRequest, app.JobReply](ctx, c, "RunCleanup", r)
}

// Cleanups asks the instance.
func (c *Client) Cleanups(ctx context.Context, r app.CleanupsRequest) (app.CleanupsReply, error) {
	return call[app.CleanupsRequest, app.CleanupsReply](ctx, c, "Cleanups", r)
}

// Rules asks the instance.
func (c *Client) Rules(ctx context.Context, r app.RulesRequest) (app.RulesReply, error) {
	return call[app.RulesRequest, app.RulesReply](ctx, c, "Rules", r)
}

// SetRules asks the instance.
func (c *Client) SetRules(ctx context.Context, r app.SetRulesRequest) (app.RulesReply, error) {
	return call[app.SetRulesRequest, app.RulesReply](ctx, c, "SetRules", r)
}

// PreviewRules asks the instance.
func (c *Client) PreviewRules(ctx context.Context, r app.PreviewRulesRequest) (app.PreviewRulesReply, error) {
	return call[app.PreviewRulesRequest, app.PreviewRulesReply](ctx, c, "PreviewRules", r)
}

// ApplyRules asks the instance.
func (c *Client) ApplyRules(ctx context.Context, r app.ApplyRulesRequest) (app.JobReply, error) {
	return call[app.ApplyRulesRequest, app.JobReply](ctx, c, "ApplyRules", r)
}

// Verify asks the instance.
func (c *Client) Verify(ctx context.Context, r app.VerifyRequest) (app.JobReply, error) {
	return call[app.VerifyRequest, app.JobReply](ctx, c, "Verify", r)
}

// Verification asks the instance.
func (c *Client) Verification(ctx context.Context, r app.VerificationRequest) (app.Verification, error) {
	return call[app.VerificationRequest, app.Verification](ctx, c, "Verification", r)
}

// Repair asks the instance.
func (c *Client) Repair(ctx context.Context, r app.RepairRequest) (app.JobReply, error) {
	return call[app.RepairRequest, app.JobReply](ctx, c, "Repair", r)
}

// Settings asks the instance.
func (c *Client) Settings(ctx context.Context, r app.SettingsRequest) (app.SettingsReply, error) {
	return call[app.SettingsRequest, app.SettingsReply](ctx, c, "Settings", r)
}

// Apply asks the instance.
func (c *Client) Apply(ctx context.Context, r app.ApplyRequest) (app.SettingsReply, error) {
	return call[app.ApplyRequest, app.SettingsReply](ctx, c, "Apply", r)
}
