package retention

import (
	"cmp"
	"strings"
)

// newer orders candidates, the newest greatest. It leaves no two tags of a
// repository equal, so that verdicts do not depend on the order of candidates.
type newer func(a, b *Candidate) int

func byPush(a, b *Candidate) int {
	return cmp.Or(a.Pushed.Compare(b.Pushed), strings.Compare(a.Tag, b.Tag))
}

func byVersion(a, b *Candidate) int {
	if c := compareVersions(a.Tag, b.Tag); c != 0 {
		return c
	}
	return byPush(a, b)
}

// numbers is a set of digests.
type numbers []bool

func (s numbers) has(id int32) bool { return s != nil && s[id] }

// best finds the manifests of which a tag is among the n newest: each manifest
// counts once, with the newest of its tags.
func (g *Group) best(chosen []int32, n int, by newer) numbers {
	if n <= 0 || len(chosen) == 0 {
		return nil
	}
	top := make([]int32, len(g.ids)) // 1 + place of the newest tag, by number
	places := make([]int32, 0, len(chosen))
	for _, place := range chosen {
		id := g.number[place]
		if was := top[id]; was == 0 || by(&g.candidates[place], &g.candidates[was-1]) > 0 {
			top[id] = place + 1
		}
	}
	for _, place := range top {
		if place > 0 {
			places = append(places, place-1)
		}
	}
	g.divide(places, n, by)
	out := make(numbers, len(g.ids))
	for _, place := range places[:min(n, len(places))] {
		out[g.number[place]] = true
	}
	return out
}

// divide brings the n newest to the front, in any order: about three looks at
// each, where sorting takes as many as the number has digits, in binary.
func (g *Group) divide(places []int32, n int, by newer) {
	for lo, hi := 0, len(places); n > lo && n < hi; {
		pivot := &g.candidates[places[lo+(hi-lo)/2]]
		i, j := lo, hi-1
		for i <= j {
			for by(&g.candidates[places[i]], pivot) > 0 {
				i++
			}
			for by(&g.candidates[places[j]], pivot) < 0 {
				j--
			}
			if i <= j {
				places[i], places[j] = places[j], places[i]
				i, j = i+1, j-1
			}
		}
		// What is up to j is newer than what is from i on; between them is the pivot.
		switch {
		case n <= j+1:
			hi = j + 1
		case n >= i:
			lo = i
		default:
			return
		}
	}
}
