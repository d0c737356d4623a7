package gc

import (
	"maps"
	"slices"
	"strings"

	"berth/registry"
)

// told is what a round says that it kept. When its census is lost the next round
// comes to some of that again, and may free it.
type told struct {
	kept   []keptThing
	whys   []registry.Why // by number
	before Receipt        // what earlier rounds said for good
}

// keptThing is one of them, in 12 bytes: a clean-up may keep all of its plan.
type keptThing struct {
	repo int32  // place in the plan; of no repository: a blob
	at   uint32 // place of a blob, or the number of what is linked
	why  uint8
}

// ofNone is the repository of a blob.
const ofNone = -1

func (x *execution) begin() {
	r := x.receipt
	x.told.before = Receipt{Kept: slices.Clip(r.Kept), Spared: maps.Clone(r.Spared), Stayed: maps.Clone(r.Stayed), Problems: slices.Clip(r.Problems)}
}

// note remembers what the receipt was told.
func (t *told) note(repo int32, at uint32, why registry.Why) {
	i := slices.Index(t.whys, why)
	if i < 0 {
		i, t.whys = len(t.whys), append(t.whys, why)
	}
	t.kept = append(t.kept, keptThing{repo, at, uint8(i)}) //nolint:gosec // there are fewer than ten reasons
}

// handOver takes back what the round told, but for what the next plan has not:
// that stays for good.
func (x *execution) handOver(next *Plan) {
	r, t := x.receipt, &x.told
	failed := r.Problems[len(t.before.Problems):]
	r.Kept, r.Spared, r.Stayed, r.Problems = t.before.Kept, t.before.Spared, t.before.Stayed, t.before.Problems
	has := next.members()
	for _, k := range t.kept {
		why := t.whys[k.why]
		if k.repo == ofNone {
			if i := int(k.at); !has("", x.p.Blobs.At(i)) {
				r.stayed(x.p.Blobs.At(i), x.p.Blobs.Size(i), why)
			}
			continue
		}
		name, d := x.p.Repositories[k.repo].Name, x.p.Blobs.of.digest(k.at)
		if !has(name, d) {
			r.spare(name, d, why)
		}
	}
	for _, problem := range failed {
		if problem.Digest != "" && !has(problem.Repository, problem.Digest) {
			r.Problems = append(r.Problems, problem)
		}
	}
}

func (r *Receipt) spare(repo string, d registry.Digest, why registry.Why) {
	r.Spared[why]++
	if len(r.Kept) < MaxKept {
		r.Kept = append(r.Kept, Kept{repo, d, why})
	}
}

func (r *Receipt) stayed(d registry.Digest, size int64, why registry.Why) {
	r.spare("", d, why)
	count := r.Stayed[why]
	count.add(size)
	r.Stayed[why] = count
}

// place finds a repository of the plan.
func (p *Plan) place(repo string) (int, bool) {
	return slices.BinarySearchFunc(p.Repositories, repo, func(r Repository, name string) int { return strings.Compare(r.Name, name) })
}

// members gives what tells whether something is garbage by the plan. It is made
// for being asked of one repository after the other.
func (p *Plan) members() func(repo string, d registry.Digest) bool {
	blobs := p.Blobs.members()
	var now string
	manifests, links := (&Digests{}).members(), (&Digests{}).members()
	return func(repo string, d registry.Digest) bool {
		if repo == "" {
			return blobs(d)
		}
		if repo != now {
			now = repo
			var none Repository
			r := &none
			if i, found := p.place(repo); found {
				r = &p.Repositories[i]
			}
			manifests, links = r.Manifests.members(), r.Blobs.members()
		}
		return manifests(d) || links(d)
	}
}
