//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"berth/app"
)

// TestACleanUpOfDistributionsFolderTakesWhatNothingNeedsAndNoMore has each
// distribution fill a folder with every kind of image, delete, overwrite and
// collect garbage in its way; then Berth cleans up, and both serve the folder
// and collect once more.
func TestACleanUpOfDistributionsFolderTakesWhatNothingNeedsAndNoMore(t *testing.T) {
	t.Parallel()
	all := peers(t)
	for _, p := range all {
		for _, flags := range [][]string{{}, {"--delete-untagged"}} {
			data := t.TempDir()
			s := foreignHouse(t, p, data)
			p.collect(t, data, flags...)
			// With -m, distribution 2 takes signatures as well, and leaves the list
			// of them and what that names.
			s.all = slices.DeleteFunc(s.all, func(p pushed) bool {
				_, err := os.Stat(filepath.Join(data, "docker/registry/v2/repositories", p.repo, "_manifests/revisions/sha256", p.digest[7:], "link"))
				return err != nil && !p.tagged
			})
			s.cleanedUp(data, p.name, len(flags) == 0)
			for _, p := range all {
				p.collect(t, data)
				theirs := p.serve(t, data)
				s.pulls(theirs, p.name+" after Berth's clean-up")
				theirs.proc.end()
			}
		}
	}
}

// foreignHouse fills a folder by a peer. What it gives knows only what lives.
func foreignHouse(t *testing.T, p peer, data string) *shelf {
	t.Helper()
	theirs := p.serve(t, data)
	defer theirs.proc.end()
	s := &shelf{t: t, b: theirs}
	s.fill("foreign/app", true)
	untagged := s.image("foreign/app", "", mediaManifest)
	overwritten := s.image("foreign/app", "moving", dockerManifest)
	s.image("foreign/app", "moving", dockerManifest)
	deleted := s.image("only/this", "v1", mediaManifest)
	theirs.expect(t, 202, "DELETE", "/v2/only/this/manifests/"+deleted.Digest, nil, nil)
	child := s.image("foreign/app", "", mediaManifest)
	list := s.index("foreign/app", "", mediaIndex, child)
	s.blob("foreign/app", []byte("a layer whose manifest never came"))
	s.all = slices.DeleteFunc(s.all, func(p pushed) bool {
		return slices.Contains([]string{untagged.Digest, overwritten.Digest, deleted.Digest, child.Digest, list.Digest}, p.digest)
	})
	return s
}

// cleanedUp has Berth clean up. In a dirty folder there is something to free, and
// what is left is what is needed.
func (s *shelf) cleanedUp(data, who string, dirty bool) {
	t := s.t
	t.Helper()
	b, err := startBerthWith(data, []string{"REGISTRY_BERTH_CLEANUP_GRACE=0s"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.proc.end()
	s.pulls(b, "Berth")
	before := storedBlobs(t, data)
	plan, freed := cleanUp(t, data)
	if len(plan.Problems) > 0 {
		t.Errorf("the folder of %s: %q", who, plan.Problems)
	}
	left, needed := storedBlobs(t, data), map[string]bool{}
	for _, p := range s.all {
		needed[p.digest] = true
		for d := range p.blobs {
			needed[d] = true
		}
	}
	for d, size := range left {
		if dirty && !needed[d] {
			t.Errorf("the folder of %s: %s, %d bytes, stayed, and nothing needs it", who, d, size)
		}
	}
	if gone := sum(before) - sum(left); dirty && gone == 0 || gone != plan.Frees || gone != freed {
		t.Errorf("the folder of %s: planned %d, said %d, freed %d bytes", who, plan.Frees, freed, gone)
	}
	s.pulls(b, "Berth after the clean-up of what "+who+" wrote")
}

// cleanUp plans and frees, and says what.
func cleanUp(t testing.TB, data string) (plan app.CleanupPlan, freed int64) {
	t.Helper()
	c, err := dial(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if plan, err = c.PlanCleanup(t.Context(), app.PlanCleanupRequest{}); err != nil {
		t.Fatal(err)
	}
	started, err := c.RunCleanup(t.Context(), app.RunCleanupRequest{Plan: plan.ID})
	if err == nil {
		err = waitForJob(t.Context(), c, started.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	past, err := c.Cleanups(t.Context(), app.CleanupsRequest{})
	if err != nil || len(past.Receipts) == 0 {
		t.Fatalf("no receipt: %v", err)
	}
	for _, problem := range past.Receipts[0].Problems {
		t.Errorf("receipt: %s", problem)
	}
	return plan, past.Receipts[0].Freed
}
