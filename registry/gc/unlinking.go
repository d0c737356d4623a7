package gc

import (
	"context"
	"errors"

	"berth/registry"
)

// fatal reports whether an error ends the round; others are about one thing.
func fatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, registry.ErrCensusLost)
}

// unlinking is links of one repository on their way out.
type unlinking struct {
	x      *execution
	repo   string
	groups [][]registry.Link
	n      int
	gone   *int
	stay   func(repo string, group []registry.Link, why registry.Why)
}

func (u *unlinking) add(ctx context.Context, group []registry.Link) error {
	u.groups = append(u.groups, group)
	if u.n += len(group); u.n < batch {
		return nil
	}
	return u.flush(ctx)
}

func (u *unlinking) flush(ctx context.Context) error {
	if u.n == 0 {
		return nil
	}
	if err := u.remove(ctx, u.groups, nil); err != nil {
		return err
	}
	u.x.progress(Unlinking, u.n)
	u.groups, u.n = nil, 0
	return nil
}

// remove removes groups. When that fails, each of which nothing is known is
// tried by itself, so that one that cannot be removed does not hold up the
// others. before is what failed then.
func (u *unlinking) remove(ctx context.Context, groups [][]registry.Link, before error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	why, err := u.x.p.census.Unlink(ctx, u.repo, u.x.p.NotAfter, groups...)
	for i := range why {
		if why[i] == registry.Deleted && before != nil {
			u.failed(groups[i], before) // a part of it went when that failed
			continue
		}
		u.became(groups[i], why[i])
	}
	rest := groups[len(why):]
	switch {
	case err == nil:
		return nil
	case fatal(ctx, err):
		return err
	case len(rest) == 0:
		u.x.problem(u.repo, groups[0][0].Digest, err)
		return nil
	case len(groups) == 1:
		u.failed(groups[0], err)
		return nil
	}
	for _, group := range rest {
		if err := u.remove(ctx, [][]registry.Link{group}, err); err != nil {
			return err
		}
	}
	return nil
}

// became notes that a group went, or why it was kept.
func (u *unlinking) became(group []registry.Link, why registry.Why) {
	if why == "" {
		*u.gone += len(group)
		return
	}
	for _, l := range group {
		u.x.kept(u.repo, l.Digest, why)
	}
	u.stay(u.repo, group, why)
}

func (u *unlinking) failed(group []registry.Link, err error) {
	u.x.problem(u.repo, group[0].Digest, err)
	u.stay(u.repo, group, Needed)
}
