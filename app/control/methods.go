package control

import (
	"context"

	"berth/app"
)

// Snapshot asks the instance.
func (c *Client) Snapshot(ctx context.Context, r app.SnapshotRequest) (app.Snapshot, error) {
	return call[app.SnapshotRequest, app.Snapshot](ctx, c, "Snapshot", r)
}

// Tags asks the instance.
func (c *Client) Tags(ctx context.Context, r app.TagsRequest) (app.TagsReply, error) {
	return call[app.TagsRequest, app.TagsReply](ctx, c, "Tags", r)
}

// Inspect asks the instance.
func (c *Client) Inspect(ctx context.Context, r app.InspectRequest) (app.InspectReply, error) {
	return call[app.InspectRequest, app.InspectReply](ctx, c, "Inspect", r)
}

// Retag asks the instance.
func (c *Client) Retag(ctx context.Context, r app.RetagRequest) (app.RetagReply, error) {
	return call[app.RetagRequest, app.RetagReply](ctx, c, "Retag", r)
}

// Delete asks the instance.
func (c *Client) Delete(ctx context.Context, r app.DeleteRequest) (app.DeleteReply, error) {
	return call[app.DeleteRequest, app.DeleteReply](ctx, c, "Delete", r)
}

// Trash asks the instance.
func (c *Client) Trash(ctx context.Context, r app.TrashRequest) (app.TrashReply, error) {
	return call[app.TrashRequest, app.TrashReply](ctx, c, "Trash", r)
}

// Restore asks the instance.
func (c *Client) Restore(ctx context.Context, r app.RestoreRequest) (app.RestoreReply, error) {
	return call[app.RestoreRequest, app.RestoreReply](ctx, c, "Restore", r)
}

// LocalImages asks the instance.
func (c *Client) LocalImages(ctx context.Context, r app.LocalImagesRequest) (app.LocalImagesReply, error) {
	return call[app.LocalImagesRequest, app.LocalImagesReply](ctx, c, "LocalImages", r)
}

// Push asks the instance.
func (c *Client) Push(ctx context.Context, r app.PushRequest) (app.JobReply, error) {
	return call[app.PushRequest, app.JobReply](ctx, c, "Push", r)
}

// Pull asks the instance.
func (c *Client) Pull(ctx context.Context, r app.PullRequest) (app.JobReply, error) {
	return call[app.PullRequest, app.JobReply](ctx, c, "Pull", r)
}

// Import asks the instance.
func (c *Client) Import(ctx context.Context, r app.ImportRequest) (app.JobReply, error) {
	return call[app.ImportRequest, app.JobReply](ctx, c, "Import", r)
}

// Health asks the instance.
func (c *Client) Health(ctx context.Context, r app.HealthRequest) (app.HealthReply, error) {
	return call[app.HealthRequest, app.HealthReply](ctx, c, "Health", r)
}

// Jobs asks the instance.
func (c *Client) Jobs(ctx context.Context, r app.JobsRequest) (app.JobsReply, error) {
	return call[app.JobsRequest, app.JobsReply](ctx, c, "Jobs", r)
}

// Cancel asks the instance.
func (c *Client) Cancel(ctx context.Context, r app.CancelRequest) (app.CancelReply, error) {
	return call[app.CancelRequest, app.CancelReply](ctx, c, "Cancel", r)
}

// Status asks the instance.
func (c *Client) Status(ctx context.Context, r app.StatusRequest) (app.Status, error) {
	return call[app.StatusRequest, app.Status](ctx, c, "Status", r)
}

// OpenWindow asks the instance.
func (c *Client) OpenWindow(ctx context.Context, r app.OpenWindowRequest) (app.OpenWindowReply, error) {
	return call[app.OpenWindowRequest, app.OpenWindowReply](ctx, c, "OpenWindow", r)
}

// Quit asks the instance.
func (c *Client) Quit(ctx context.Context, r app.QuitRequest) (app.QuitReply, error) {
	return call[app.QuitRequest, app.QuitReply](ctx, c, "Quit", r)
}
