package registry_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"berth/registry"

	"github.com/opencontainers/go-digest"
)

// The grammar as the specification writes it; the code is by hand.
var (
	specName = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	specTag  = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
)

func TestNamesFollowTheGrammar(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"a": true, "app": true, "team/app": true, "a/b/c/d": true, "a-b": true, "a--b": true, "a---b": true,
		"a_b": true, "a__b": true, "a.b": true, "0": true, "con": true,
		strings.Repeat("a", 255): true, strings.Repeat("a", 256): false,
		"": false, "/": false, "a/": false, "/a": false, "a//b": false, "A": false, "a___b": false, "a..b": false, "a._b": false,
		"-a": false, "a-": false, ".": false, "..": false, "a/../b": false, "_layers": false, "a/_layers": false,
		"a b": false, "a:b": false, "a@b": false, "ä": false, "a\x00": false, "a\n": false, `a\b`: false,
	} {
		if err := registry.ParseName(name); ok != (err == nil) || err != nil && !errors.Is(err, registry.ErrNameInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestTagsFollowTheGrammar(t *testing.T) {
	t.Parallel()
	for tag, ok := range map[string]bool{
		"latest": true, "v1.0_x-y": true, "_": true, "A": true, strings.Repeat("a", 128): true, strings.Repeat("a", 129): false,
		"": false, ".a": false, "-a": false, "a/b": false, "a:b": false, "a b": false, "a\n": false, "ä": false, "..": false,
	} {
		if err := registry.ParseTag(tag); ok != (err == nil) || err != nil && !errors.Is(err, registry.ErrTagInvalid) {
			t.Errorf("%q: %v", tag, err)
		}
	}
}

func TestDigestsAreSHA256OrSHA512(t *testing.T) {
	t.Parallel()
	d256, d512 := digest.FromString("x").String(), digest.SHA512.FromString("x").String()
	for s, ok := range map[string]bool{
		d256: true, d512: true,
		"": false, "sha256": false, "sha256:": false, "sha256:abc": false, d256 + "0": false, strings.ToUpper(d256): false,
		digest.SHA384.FromString("x").String(): false, "md5:d41d8cd98f00b204e9800998ecf8427e": false,
		"sha256:" + strings.Repeat("g", 64): false, "sha256:" + strings.Repeat("A", 64): false, "sha256:../" + d256[10:]: false,
	} {
		d, err := registry.ParseDigest(s)
		if ok != (err == nil) || ok && d.String() != s || err != nil && !errors.Is(err, registry.ErrDigestInvalid) {
			t.Errorf("%q: %q, %v", s, d, err)
		}
	}
}

func TestAReferenceIsATagOrADigest(t *testing.T) {
	t.Parallel()
	d := digest.FromString("x")
	for _, want := range []registry.Reference{{Tag: "v1"}, {Digest: d}} {
		got, err := registry.ParseReference(want.String())
		if err != nil || got != want {
			t.Errorf("%v: got %+v, %v", want, got, err)
		}
	}
	if _, err := registry.ParseReference("sha256:x"); !errors.Is(err, registry.ErrDigestInvalid) {
		t.Errorf("bad digest: %v", err)
	}
	if _, err := registry.ParseReference("a b"); !errors.Is(err, registry.ErrTagInvalid) {
		t.Errorf("bad tag: %v", err)
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"a", "a/b", "a__b", "a___b", "a.-b", "a-/b", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := specName.MatchString(s) && len(s) <= registry.MaxNameLength
		if err := registry.ParseName(s); want != (err == nil) {
			t.Fatalf("%q: %v, want valid %v", s, err, want)
		}
	})
}

func FuzzReference(f *testing.F) {
	for _, s := range []string{"v1", "sha256:abc", digest.FromString("").String(), ":", "a:b:c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := registry.ParseReference(s)
		if err != nil {
			if registry.AsErrors(err) == nil {
				t.Fatalf("%q: not an error of the protocol: %v", s, err)
			}
			if specTag.MatchString(s) {
				t.Fatalf("%q is a tag: %v", s, err)
			}
			return
		}
		if r.String() != s || (r.Tag == "") == (r.Digest == "") {
			t.Fatalf("%q became %+v", s, r)
		}
	})
}
