package app

import "berth/registry/retention"

// emptied reports whether a repository has no more tags than go.
func emptied(g *retention.Group, going int) bool {
	left := going
	for place := 0; left >= 0 && place < g.Len(); place++ {
		if g.Candidate(place).Tag != "" {
			left--
		}
	}
	return going > 0 && left == 0
}

// empties notes that a repository would keep no tag.
func (r *RulePreview) empties(repo string) {
	if r.Emptied++; r.Emptied == 1 || repo < r.Emptying {
		r.Emptying = repo
	}
}
