package app

import (
	"slices"
	"time"

	"berth/registry"
	"berth/registry/verify"
)

// maxFindings bounds what is kept; whoever has more lost more than links. The
// rest is counted.
const maxFindings = 10_000

// more counts what a verification found and did not keep.
type more struct {
	// Blobs that are damaged or cannot be read: who misses them is told later.
	Blobs int `json:"blobs,omitempty"`
	Rest  int `json:"rest,omitempty"`
}

func (m more) count() int { return m.Blobs + m.Rest }

func (m *more) add(k kept) {
	if k.bare() {
		m.Blobs++
	} else {
		m.Rest++
	}
}

// bare reports whether a finding is about a blob alone.
func (k kept) bare() bool {
	return k.Repository == "" && (k.Kind == verify.BlobDamaged || k.Kind == verify.BlobUnreadable)
}

// add takes a finding of the verification under way, and reports whether it is
// kept, and not only counted; it needs verifier.mu.
func (v *verifier) add(f verify.Finding) bool {
	k := kept{ID: findingID(f), Finding: f, Run: v.at.Started}
	v.changed = true
	if f.Quarantined {
		v.aside[f.Digest] = time.Now()
	}
	if i := slices.IndexFunc(v.findings, func(o kept) bool { return o.ID == k.ID }); i >= 0 {
		v.findings[i] = k
		return true
	}
	most := v.most
	if most == 0 {
		most = maxFindings
	}
	if len(v.findings) < most {
		v.findings = append(v.findings, k)
		return true
	}
	i := v.lesser(k)
	if i < 0 {
		v.more.add(k)
		return false
	}
	// One of an earlier verification is seen again if it stands.
	if old := v.findings[i]; old.Run.Equal(v.at.Started) {
		v.more.add(old)
	}
	v.findings = append(slices.Delete(v.findings, i, i+1), k)
	return true
}

// lesser finds one that matters less than k: of an earlier verification, or a
// blob alone, where k says who misses one. -1 when all matter as much.
func (v *verifier) lesser(k kept) int {
	i := slices.IndexFunc(v.findings, func(o kept) bool { return !o.Run.Equal(v.at.Started) })
	if i < 0 && !k.bare() {
		i = slices.IndexFunc(v.findings, kept.bare)
	}
	return i
}

// settle drops at the end of a verification what it did not see again, and the
// blobs that were moved aside: which repositories miss them was told, and what
// nobody misses needs no repair. It needs verifier.mu.
func (v *verifier) settle() {
	missed := map[registry.Digest]bool{}
	for _, k := range v.findings {
		if k.Repository != "" {
			missed[k.Digest] = true
		}
	}
	v.findings = slices.DeleteFunc(v.findings, func(k kept) bool {
		return v.complete && (!k.Run.Equal(v.at.Started) || k.bare() && (k.Quarantined || missed[k.Digest]))
	})
	if v.complete {
		v.more.Blobs = 0 // for the same reason
	}
	v.changed = true
}
