package store

import "context"

// Compare makes the index say of one repository what its links on the disk say,
// for who is about to act on what the index says. It goes on while others read
// and write; without an index it does nothing.
func (s *Store) Compare(ctx context.Context, repo string) error {
	if s.ix == nil {
		return nil
	}
	if err := check(ctx, repo); err != nil {
		return err
	}
	return s.compare(ctx, repo, &pace{hurry: true})
}
