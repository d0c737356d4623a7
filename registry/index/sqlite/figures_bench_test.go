package sqlite_test

import (
	"fmt"
	"slices"
	"testing"

	"berth/registry/index"
)

// BenchmarkUsage reads the totals, and what is young: neither may grow.
func BenchmarkUsage(b *testing.B) {
	for _, count := range append(slices.Clone(sizes), 340_000) { // of which the last have a million objects
		x := tags(b, count)
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			for b.Loop() {
				if u, err := x.Usage(b.Context()); err != nil || u.Tags != count {
					b.Fatal(u, err)
				}
			}
		})
	}
}

// BenchmarkFrees asks what half of all tags would free together: the first time
// after a change, when everything is read, and then again.
func BenchmarkFrees(b *testing.B) {
	for _, count := range sizes[1:] {
		x := tags(b, count)
		var going []index.In
		for n := range count / 2 {
			going = append(going, index.In{Repository: "team/app", Digest: pushed("team/app", "", n)[3].(index.PutManifest).Manifest.Descriptor.Digest})
		}
		ask := func(b *testing.B) {
			b.Helper()
			if n, err := x.Frees(b.Context(), going...); err != nil || n == 0 {
				b.Fatal(n, err)
			}
		}
		b.Run(fmt.Sprintf("one tag/%d", count), func(b *testing.B) {
			for b.Loop() {
				if _, err := x.Frees(b.Context(), going[0]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("first/%d", count), func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				if err := x.Apply(b.Context(), index.PutRoot{ID: fmt.Sprint("trash/", n), Digest: going[0].Digest}); err != nil {
					b.Fatal(err)
				}
				ask(b)
			}
		})
		b.Run(fmt.Sprintf("again/%d", count), func(b *testing.B) {
			for b.Loop() {
				ask(b)
			}
		})
	}
}

// BenchmarkCandidates reads all that rules may judge.
func BenchmarkCandidates(b *testing.B) {
	for _, count := range sizes[1:] {
		x := tags(b, count)
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			for b.Loop() {
				n := 0
				for _, err := range x.Candidates(b.Context(), "team/app") {
					if n++; err != nil {
						b.Fatal(err)
					}
				}
				if n != count {
					b.Fatal(n)
				}
			}
		})
	}
}

// BenchmarkMovingTag moves a tag from one manifest to the next, with the
// overwritten one in the trash; all is written when the time is taken.
func BenchmarkMovingTag(b *testing.B) {
	x := tags(b, 1000)
	for n := 0; b.Loop(); n++ {
		changes := pushed("team/app", "latest", 1000+n)
		if n > 0 {
			changes = append(changes, index.PutRoot{ID: fmt.Sprint("trash/", n), Digest: pushed("team/app", "", 999+n)[3].(index.PutManifest).Manifest.Descriptor.Digest})
		}
		if err := x.Apply(b.Context(), changes...); err != nil {
			b.Fatal(err)
		}
		if n%1000 == 999 {
			settled(b, x)
		}
	}
	settled(b, x)
}

// BenchmarkUsed asks when the manifests of a repository were used.
func BenchmarkUsed(b *testing.B) {
	for _, count := range sizes[1:] {
		x := tags(b, count)
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			for b.Loop() {
				n := 0
				for _, err := range x.Used(b.Context(), "team/app") {
					if n++; err != nil {
						b.Fatal(err)
					}
				}
				if n != count {
					b.Fatal(n)
				}
			}
		})
	}
}
