package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"berth/app/job"
	"berth/registry"
	"berth/registry/verify"
)

// finder is a Core that keeps few findings, and is told of them as a
// verification tells.
type finder struct {
	*Core
	t   *testing.T
	run time.Time
}

func findsFew(t *testing.T, most int) *finder {
	t.Helper()
	f := &finder{Core: alone(t), t: t}
	f.verifier.most = most
	f.verifier.checked.Store(time.Now().Add(time.Hour).UnixNano()) // what is made up stands
	f.begin()
	return f
}

// begin begins a verification anew.
func (f *finder) begin() {
	f.run = time.Now()
	f.verifier.mu.Lock()
	f.loadVerification()
	f.verifier.state, f.verifier.more, f.verifier.at.Started = VerifyRunning, more{}, f.run
	f.verifier.mu.Unlock()
}

func (f *finder) finds(found ...verify.Finding) {
	for _, one := range found {
		f.verified(verify.Report{Checkpoint: verify.Checkpoint{Started: f.run}, Found: &one}, func(job.Progress) {})
	}
}

// ended ends it, whole, and gives what is told.
func (f *finder) ended() Verification {
	f.t.Helper()
	if err := f.verifyEnded(verify.Summary{Checkpoint: verify.Checkpoint{Started: f.run}, Complete: true}, nil); err != nil {
		f.t.Fatal(err)
	}
	v, err := f.Verification(f.t.Context(), VerificationRequest{})
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

func blob(n int) registry.Digest { return digest.FromString(fmt.Sprint("blob ", n)) }

func missing(n int) verify.Finding {
	return verify.Finding{Kind: verify.BlobMissing, Repository: "app", Tag: "v1", Manifest: blob(-n - 1), Digest: blob(n), Fixes: []verify.Fix{verify.Refetch}, Text: "it is missing"}
}

func damaged(n int) verify.Finding {
	return verify.Finding{Kind: verify.BlobDamaged, Digest: blob(n), Quarantined: true, Fixes: []verify.Fix{verify.Refetch}, Text: "it is damaged"}
}

func TestFindingsThatAreNotKeptAreCounted(t *testing.T) {
	t.Parallel()
	f := findsFew(t, 5)
	for n := range 8 {
		f.finds(missing(n))
	}
	f.finds(missing(2)) // again, as after a pause
	v := f.ended()
	if len(v.Findings) != 5 || v.Cut != 3 {
		t.Errorf("%d are listed, %d more", len(v.Findings), v.Cut)
	}
	if p := f.damageProblem(); p == nil || p.Title != "At least 5 images are damaged" || !strings.Contains(p.Text, "More was found") {
		t.Errorf("it is told as %+v", p)
	}
	// After a restart they are known still.
	f.verifier.loaded, f.verifier.findings, f.verifier.more = false, nil, more{}
	if v = f.again(); len(v.Findings) != 5 || v.Cut != 3 {
		t.Errorf("after a restart %d are listed, %d more", len(v.Findings), v.Cut)
	}
	mended := map[string]bool{}
	for _, one := range v.Findings {
		mended[one.ID] = true
	}
	f.forgetFindings(mended)
	if p := f.damageProblem(); p == nil || p.Title != "3 more things are wrong" || p.Command != "berth verify --restart" {
		t.Errorf("when all that was listed is mended, it is told as %+v", p)
	}
	f.begin()
	f.finds(missing(6), missing(7))
	if v = f.ended(); len(v.Findings) != 2 || v.Cut != 0 {
		t.Errorf("the next lists %d, %d more", len(v.Findings), v.Cut)
	}
}

func (f *finder) again() Verification {
	f.t.Helper()
	v, err := f.Verification(f.t.Context(), VerificationRequest{})
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

// TestWhoMissesABlobIsKeptBeforeTheBlob has more damaged blobs than are kept:
// who misses them comes after, and must not find the list full.
func TestWhoMissesABlobIsKeptBeforeTheBlob(t *testing.T) {
	t.Parallel()
	f := findsFew(t, 5)
	for n := range 8 {
		f.finds(damaged(n))
	}
	if v := f.again(); len(v.Findings) != 5 || v.Cut != 3 {
		t.Errorf("on the way %d are listed, %d more", len(v.Findings), v.Cut)
	}
	for n := range 7 {
		f.finds(missing(n))
	}
	v := f.ended()
	if len(v.Findings) != 5 || v.Cut != 2 {
		t.Errorf("%d are listed, %d more", len(v.Findings), v.Cut)
	}
	for _, one := range v.Findings {
		if one.Repository != "app" {
			t.Errorf("listed is %+v", one)
		}
	}
}

func TestWhatAnEarlierVerificationFoundMakesRoom(t *testing.T) {
	t.Parallel()
	f := findsFew(t, 5)
	for n := range 5 {
		f.finds(missing(n))
	}
	f.ended()
	f.begin()
	for n := range 5 {
		f.finds(missing(n + 3))
	}
	if v := f.ended(); len(v.Findings) != 5 || v.Cut != 0 {
		t.Errorf("%d are listed, %d more", len(v.Findings), v.Cut)
	}
}
