package apptest

import (
	"context"
	"fmt"
	"slices"

	"berth/app"
)

// Delete moves tags to the trash of the fake.
func (f *Fake) Delete(ctx context.Context, r app.DeleteRequest) (app.DeleteReply, error) {
	if err := f.enter(ctx, "Delete", r); err != nil {
		return app.DeleteReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	repo, err := f.repository(r.Repository)
	if err != nil {
		return app.DeleteReply{}, err
	}
	var going []app.Tag
	for _, name := range r.Tags {
		i := slices.IndexFunc(repo.Rows, func(t app.Tag) bool { return t.Name == name })
		if i < 0 {
			return app.DeleteReply{}, NotFound(r.Repository + ":" + name)
		}
		going = append(going, repo.Rows[i])
	}
	var reply app.DeleteReply
	for _, t := range going {
		repo.Rows = slices.DeleteFunc(repo.Rows, func(row app.Tag) bool { return row.Name == t.Name })
		why := r.Reason
		if why == "" {
			why = "deleted"
		}
		reply.Deleted = append(reply.Deleted, f.discard(r.Repository, t, why))
		reply.Frees += t.Frees
	}
	for _, t := range going {
		for _, stay := range same(repo.Rows, t) {
			if !slices.Contains(reply.Stay, stay) {
				reply.Stay = append(reply.Stay, stay)
			}
		}
	}
	reply.Gone = len(repo.Rows) == 0
	f.changed(r.Repository)
	return reply, nil
}

// Trash lists the trash.
func (f *Fake) Trash(ctx context.Context, r app.TrashRequest) (app.TrashReply, error) {
	if err := f.enter(ctx, "Trash", r); err != nil {
		return app.TrashReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	reply := app.TrashReply{Entries: []app.TrashEntry{}, Keep: 7 * day}
	for _, e := range f.data.Trash {
		if r.Repository == "" || r.Repository == e.Repository {
			reply.Entries = append(reply.Entries, e)
			reply.Frees += e.Size
		}
	}
	return reply, nil
}

// Restore brings tags back, or names the conflicts.
func (f *Fake) Restore(ctx context.Context, r app.RestoreRequest) (app.RestoreReply, error) {
	if err := f.enter(ctx, "Restore", r); err != nil {
		return app.RestoreReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var entries []app.TrashEntry
	if r.All {
		entries = slices.Clone(f.data.Trash)
	}
	for _, id := range r.Entries {
		i := slices.IndexFunc(f.data.Trash, func(e app.TrashEntry) bool {
			return e.ID == id || e.Repository+":"+e.Tag == id || e.Kind == app.TrashRepository && e.Repository == id
		})
		if i < 0 {
			return app.RestoreReply{}, NotFound(id)
		}
		entries = append(entries, f.data.Trash[i])
	}
	var reply app.RestoreReply
	for _, e := range entries {
		if e.Kind == app.TrashRepository {
			f.bringBack(e)
			reply.Restored = append(reply.Restored, e)
			continue
		}
		name := e.Tag
		if r.As != "" {
			name = r.As
		}
		if repo, err := f.repository(e.Repository); err == nil {
			if t, err := repo.find(name); err == nil && t.Digest != e.Digest {
				reply.Conflicts = append(reply.Conflicts, app.Conflict{Entry: e, Suggest: name + "-restored"})
				continue
			}
		}
		f.data.Trash = slices.DeleteFunc(f.data.Trash, func(o app.TrashEntry) bool { return o.ID == e.ID })
		f.put(e.Repository, app.Tag{
			Name: name, Digest: e.Digest, MediaType: mediaManifest, Platforms: []string{"linux/amd64"},
			Size: e.Size, Pushed: f.now(), By: e.By,
		})
		reply.Restored = append(reply.Restored, e)
	}
	f.upkeepChanged()
	return reply, nil
}

// bringBack needs f.mu: it restores a repository with the tags that it had.
func (f *Fake) bringBack(e app.TrashEntry) {
	f.data.Trash = slices.DeleteFunc(f.data.Trash, func(o app.TrashEntry) bool { return o.ID == e.ID })
	rows := f.aside[e.ID]
	for _, t := range slices.Backward(rows) {
		f.put(e.Repository, t)
	}
	for i := range e.Tags - len(rows) {
		f.put(e.Repository, app.Tag{Name: fmt.Sprintf("v%d", i+1), Digest: digest(fmt.Sprint(e.ID, i)), MediaType: mediaManifest, Size: e.Size, Pushed: f.now()})
	}
}
