package app

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"berth/registry"
	"berth/registry/gc"
	"berth/registry/registrytest"
	"berth/registry/verify"
)

// signed is a repository "app" with an image that no tag names, and a tag for
// each thing that cosign keeps beside it.
type signed struct {
	*Core
	t     *testing.T
	image registry.Manifest
	d     registry.Digest
	tags  []string
}

func signedImage(t *testing.T) *signed {
	t.Helper()
	s := &signed{Core: alone(t), t: t}
	s.image = registrytest.Image(t, s.reg, "app", "image")
	s.d = s.put("app", s.image)
	for _, end := range []string{"", ".sig", ".att", ".sbom"} {
		tag := "sha256-" + s.d.Encoded() + end
		s.put("app", registrytest.Image(t, s.reg, "app", "beside"+end), tag)
		s.tags = append(s.tags, tag)
	}
	return s
}

func (s *signed) put(repo string, m registry.Manifest, tags ...string) registry.Digest {
	s.t.Helper()
	d, err := s.reg.PutManifest(s.t.Context(), repo, m, tags...)
	if err != nil {
		s.t.Fatal(err)
	}
	return d.Digest
}

// free carries out a plan, with what happens before its execution, and drops.
func (s *signed) free(before func()) (dropped int, problems []string) {
	s.t.Helper()
	plan, err := gc.NewPlan(s.t.Context(), s.disk, s.roots, gc.Options{Untagged: true, Grace: -1})
	if err != nil {
		s.t.Fatal(err)
	}
	if before != nil {
		before()
	}
	if _, err := plan.Execute(s.t.Context(), nil); err != nil {
		s.t.Fatal(err)
	}
	return s.dropAttached(s.t.Context(), plan)
}

// there counts the tags of a repository that stand beside the image.
func (s *signed) there(repo string) (n int) {
	s.t.Helper()
	for _, tag := range s.tags {
		_, err := s.reg.ResolveTag(s.t.Context(), repo, tag)
		if err == nil {
			n++
		} else if !errors.Is(err, registry.ErrManifestUnknown) {
			s.t.Fatal(err)
		}
	}
	return n
}

// meddling lets something happen just before a tag is deleted.
type meddling struct {
	registry.Registry
	before func(tag string)
}

func (m meddling) DeleteTag(ctx context.Context, repo, tag string) error {
	m.before(tag)
	return m.Registry.DeleteTag(ctx, repo, tag)
}

// TestSignaturesGoWithTheImageOfTheirOwnRepository has the same image, signed
// too, in another repository, where it stays.
func TestSignaturesGoWithTheImageOfTheirOwnRepository(t *testing.T) {
	t.Parallel()
	s := signedImage(t)
	s.put("base", registrytest.Image(t, s.reg, "base", "image"), "v1")
	for _, tag := range s.tags {
		s.put("base", registrytest.Image(t, s.reg, "base", "beside"), tag)
	}
	dropped, problems := s.free(nil)
	if dropped != 4 || len(problems) > 0 || s.there("app") != 0 || s.there("base") != 4 {
		t.Errorf("%d dropped, %v; %d are left, and %d of the other repository", dropped, problems, s.there("app"), s.there("base"))
	}
}

func TestSignaturesStayWhenTheImageIsPushedAgainInThatMoment(t *testing.T) {
	t.Parallel()
	s := signedImage(t)
	below := s.reg
	s.reg = meddling{below, func(string) {
		registrytest.Image(t, below, "app", "image")
		s.put("app", s.image, "v1")
	}}
	dropped, problems := s.free(nil)
	if dropped != 0 || len(problems) > 0 || s.there("app") != 4 {
		t.Errorf("%d dropped, %v; %d are left", dropped, problems, s.there("app"))
	}
}

// TestASignatureThatIsNewStays is pushed before its image, as tools do that copy.
func TestASignatureThatIsNewStays(t *testing.T) {
	t.Parallel()
	for name, moment := range map[string]func(s *signed, push func(tag string)){
		"after the plan": func(s *signed, push func(string)) { _, _ = s.free(func() { push(s.tags[1]) }) },
		"before it is taken": func(s *signed, push func(string)) {
			below := s.reg
			s.reg = meddling{below, func(tag string) {
				if tag == s.tags[1] {
					push(tag)
				}
			}}
			_, _ = s.free(nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := signedImage(t)
			below := s.reg
			var is registry.Digest
			moment(s, func(tag string) {
				d, err := below.PutManifest(t.Context(), "app", registrytest.Image(t, below, "app", "new"), tag)
				if err != nil {
					t.Error(err)
				}
				is = d.Digest
			})
			if d, err := below.ResolveTag(t.Context(), "app", s.tags[1]); err != nil || d.Digest != is || s.there("app") != 1 {
				t.Errorf("it names %s, %v, want %s; %d are left, want it alone", d.Digest, err, is, s.there("app"))
			}
		})
	}
}

func TestSignaturesStayOfWhatWentIntoTheTrashSinceThePlan(t *testing.T) {
	t.Parallel()
	s := signedImage(t)
	dropped, problems := s.free(func() {
		if err := s.reg.DeleteManifest(t.Context(), "app", s.d); err != nil {
			t.Fatal(err)
		}
	})
	if dropped != 0 || len(problems) > 0 || s.there("app") != 4 {
		t.Errorf("%d dropped, %v; %d are left", dropped, problems, s.there("app"))
	}
}

// unreadLinks is a disk of which no link of a manifest can be read.
type unreadLinks struct{ verify.Store }

func (u unreadLinks) ReadLink(ctx context.Context, repo string, l registry.RawLink) (registry.RawLink, bool, error) {
	if l.Kind == registry.RawRevision {
		return l, false, errors.New("input/output error")
	}
	return u.Store.ReadLink(ctx, repo, l)
}

type unreadRoots struct{ repo string }

func (u unreadRoots) Roots(context.Context) iter.Seq2[registry.Root, error] {
	return func(yield func(registry.Root, error) bool) {
		yield(registry.Root{}, &registry.UnreadRoot{Repository: u.repo, What: "an entry of the trash"})
	}
}

func TestSignaturesStayWhereItCannotBeReadWhatTheyAreOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		breaks func(s *signed)
		drops  int
		told   string
	}{
		"links":          {breaks: func(s *signed) { s.disk = unreadLinks{s.disk} }, told: "input/output error"},
		"trash":          {breaks: func(s *signed) { s.roots = append(s.roots, unreadRoots{}) }},
		"trash of it":    {breaks: func(s *signed) { s.roots = append(s.roots, unreadRoots{"app"}) }},
		"trash of other": {breaks: func(s *signed) { s.roots = append(s.roots, unreadRoots{"base"}) }, drops: 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := signedImage(t)
			plan, err := gc.NewPlan(t.Context(), s.disk, s.roots, gc.Options{Untagged: true, Grace: -1})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := plan.Execute(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			sound := s.disk
			c.breaks(s)
			dropped, problems := s.dropAttached(t.Context(), plan)
			s.disk = sound
			if dropped != c.drops || s.there("app") != 4-c.drops || strings.Contains(strings.Join(problems, " "), "/") != (c.told != "") || c.told != "" && !strings.Contains(problems[0], c.told) {
				t.Errorf("%d dropped, %v; %d are left", dropped, problems, s.there("app"))
			}
		})
	}
}
