package store_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/registrytest"
)

func TestTheTagsOfAnotherProgramAreListedAtOnce(t *testing.T) {
	t.Parallel()
	s := share(t)
	m := registrytest.PushImage(t, s, "app", "v1")
	registrytest.PushImage(t, s, "app", "v3")
	s.age()
	tags := func(after string) []string { return list(t, s.Tags(t.Context(), "app", after)) }
	if got := tags(""); !slices.Equal(got, []string{"v1", "v3"}) {
		t.Fatalf("got %q", got)
	}
	s.replace(s.link("v2"), m.Digest.String(), time.Time{})
	if got := tags(""); !slices.Equal(got, []string{"v1", "v2", "v3"}) {
		t.Errorf("got %q", got)
	}
	if got := tags("v1"); !slices.Equal(got, []string{"v2", "v3"}) {
		t.Errorf("after v1: %q", got)
	}
	s.must(os.RemoveAll(s.path("app/_manifests/tags/v1")))
	if got := tags(""); !slices.Equal(got, []string{"v2", "v3"}) {
		t.Errorf("got %q", got)
	}
	// A folder that names nothing is no tag, and no reason to doubt.
	s.must(os.MkdirAll(s.path("app/_manifests/tags/nothing/current"), 0o777))
	if got := tags(""); !slices.Equal(got, []string{"v2", "v3"}) {
		t.Errorf("got %q", got)
	}
}

func TestListsFollowOurOwnPushesAndDeletes(t *testing.T) {
	t.Parallel()
	s := share(t)
	var want []string
	for i := range 30 {
		tag := fmt.Sprintf("v%02d", i)
		m := registrytest.PushImage(t, s, "app", tag)
		want = append(want, tag)
		if i%5 == 4 {
			s.must(s.DeleteManifest(t.Context(), "app", m.Digest))
			want = want[:len(want)-1]
		}
		if i%7 == 6 {
			s.must(s.DeleteTag(t.Context(), "app", want[0]))
			want = want[1:]
		}
		for range 2 {
			if got := list(t, s.Tags(t.Context(), "app", "")); !slices.Equal(got, want) {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		other := fmt.Sprintf("repo%d", i)
		one := registrytest.PushImage(t, s, other, "v1")
		if got := list(t, s.Repositories(t.Context(), "repo")); !slices.Contains(got, other) {
			t.Fatalf("%s is not in %q", other, got)
		}
		if i%3 == 0 {
			s.must(s.DeleteManifest(t.Context(), other, one.Digest))
			if got := list(t, s.Repositories(t.Context(), "repo")); slices.Contains(got, other) {
				t.Fatalf("%s is still in %q", other, got)
			}
		}
	}
}

func TestReferrersFollowWhatIsPushedDeletedAndTagged(t *testing.T) {
	t.Parallel()
	s := share(t)
	subject := registrytest.PushImage(t, s, "app", "v1")
	refer := func(n int) registry.Manifest {
		m := registry.Manifest{MediaType: "application/vnd.oci.image.manifest.v1+json", Content: fmt.Appendf(nil,
			`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"a/%d","config":{"mediaType":"a/b","digest":%q,"size":2},`+
				`"layers":[],"subject":{"mediaType":"a/b","digest":%q,"size":1}}`, n%2, registrytest.PushBlob(t, s, "app", []byte("{}")).Digest, subject.Digest)}
		m.Content = append(m.Content, fmt.Sprintf("%*s", n, "")...)
		desc, err := s.PutManifest(t.Context(), "app", m)
		s.must(err)
		m.Digest = desc.Digest
		return m
	}
	referrers := func(artifactType string) (out []registry.Digest) {
		for range 2 { // from the index, then from memory
			out = nil
			for d, err := range s.Referrers(t.Context(), "app", subject.Digest, artifactType) {
				s.must(err)
				out = append(out, d.Digest)
			}
		}
		return out
	}
	var want []registry.Digest
	for i := range 10 {
		want = append(want, refer(i).Digest)
		slices.Sort(want)
		if got := referrers(""); !slices.Equal(got, want) {
			t.Fatalf("%d: got %q, want %q", i, got, want)
		}
		if got := referrers("a/1"); len(got) != (i+1)/2 {
			t.Fatalf("%d: %d of one type", i, len(got))
		}
	}
	s.must(s.DeleteManifest(t.Context(), "app", want[3]))
	want = slices.Delete(want, 3, 4)
	if got := referrers(""); !slices.Equal(got, want) {
		t.Fatalf("deleted: got %q, want %q", got, want)
	}
	// The fallback tag is moved by another program, from one list to another.
	list := func(m registry.Manifest) registry.Digest {
		desc, err := s.PutManifest(t.Context(), "app", registry.Manifest{Content: fmt.Appendf(nil,
			`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":%q,"digest":%q,"size":%d}]}`, m.MediaType, m.Digest, len(m.Content))})
		s.must(err)
		return desc.Digest
	}
	for i := range 3 {
		one := registrytest.PushImage(t, s, "app", fmt.Sprint("other", i))
		to := list(one)
		referrers("")
		s.age()
		referrers("")
		s.replace(s.link("sha256-"+subject.Digest.Encoded()), to.String(), time.Time{})
		with := slices.Sorted(slices.Values(append(slices.Clone(want), one.Digest)))
		if got := referrers(""); !slices.Equal(got, with) {
			t.Errorf("list %d: got %q, want %q", i, got, with)
		}
	}
}
