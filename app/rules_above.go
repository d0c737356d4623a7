package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"berth/registry"
	"berth/registry/retention"
)

// comparePatience is for how long rules wait until the index was compared with
// the disk: in a folder that cannot be read that never is.
const comparePatience = time.Hour

// awaitDisk waits until the index was compared with the disk once since the
// start. An index of before may be shown meanwhile; but another program may have
// deleted the newest tags while Berth was away, and then the oldest are those
// that a rule keeps.
func (c *Core) awaitDisk(ctx context.Context) error {
	timer := time.NewTimer(comparePatience)
	defer timer.Stop()
	select {
	case <-c.compared:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return stillReading()
	}
}

// stillReading says why no rule drops anything yet.
func stillReading() *Problem {
	p := indexingProblem()
	p.Title, p.Text, p.Exit = "Berth is still reading the data folder", "Until everything is known, no rule drops anything.", exitConflict
	return &p
}

// above is what lies above manifests without a tag, in a moment.
type above struct {
	tags   map[registry.Digest]int  // that reach each, in all repositories
	needed map[registry.Digest]bool // by a tag of the same repository
}

// lookAbove looks what reaches the manifests without a tag that are to go. When
// they were judged no tag of the repository did; but an index may have come, or
// got a tag, since: whoever pushes one leaves out what is there already.
func (c *Core) lookAbove(ctx context.Context, repo string, group *retention.Group, going []int) (a above, err error) {
	var bare []registry.Digest
	for _, place := range going {
		if o := group.Candidate(place); o.Tag == "" {
			bare = append(bare, o.Digest)
		}
	}
	if len(bare) == 0 {
		return a, nil
	}
	if a.tags, err = c.ix.Sharing(ctx, bare); err != nil {
		return a, fmt.Errorf("look what needs manifests of %s: %w", repo, err)
	}
	bare = slices.DeleteFunc(bare, func(d registry.Digest) bool { return a.tags[d] == 0 })
	if len(bare) == 0 {
		return a, nil
	}
	// The tag may be one of another repository, which has the manifest as well.
	tagged, parents := map[registry.Digest]bool{}, map[registry.Digest][]registry.Digest{}
	for row, err := range c.ix.Candidates(ctx, repo) {
		if err != nil {
			return a, fmt.Errorf("look what needs manifests of %s: %w", repo, err)
		}
		tagged[row.Digest] = tagged[row.Digest] || row.Tag != ""
		parents[row.Digest] = row.Parents
	}
	a.needed = map[registry.Digest]bool{}
	for _, d := range bare {
		seen := map[registry.Digest]bool{}
		for queue := []registry.Digest{d}; len(queue) > 0 && !a.needed[d]; queue = queue[1:] {
			if next := queue[0]; !seen[next] {
				seen[next], a.needed[d] = true, tagged[next]
				queue = append(queue, parents[next]...)
			}
		}
	}
	return a, nil
}
