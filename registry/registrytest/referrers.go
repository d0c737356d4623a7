package registrytest

import (
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry"
)

func collect(t *testing.T, reg registry.Registry, repo string, subject registry.Digest, artifactType string) []registry.Descriptor {
	t.Helper()
	var out []registry.Descriptor
	for desc, err := range reg.Referrers(t.Context(), repo, subject, artifactType) {
		must(t, "referrers", err)
		out = append(out, desc)
	}
	if !slices.IsSortedFunc(out, func(a, b registry.Descriptor) int {
		return slices.Compare([]byte(a.Digest), []byte(b.Digest))
	}) {
		t.Errorf("the referrers are not in order: %v", out)
	}
	return out
}

func refer(t *testing.T, reg registry.Registry, repo, artifactType string, subject registry.Descriptor, note string) registry.Manifest {
	t.Helper()
	m := Artifact(t, reg, repo, artifactType, subject, map[string]string{"note": note})
	_, err := reg.PutManifest(t.Context(), repo, m)
	must(t, "push referrer", err)
	return m
}

func referrers(t *testing.T, reg registry.Registry) {
	// The subject comes last: a referrer may be pushed before it.
	subject := Image(t, reg, "a", "subject")
	sig := refer(t, reg, "a", "application/x-signature", Descriptor(subject), "one")
	_, err := reg.PutManifest(t.Context(), "a", subject, "v1")
	must(t, "push subject", err)
	bom := refer(t, reg, "a", "application/x-sbom", Descriptor(subject), "two")
	nested := refer(t, reg, "a", "application/x-signature", Descriptor(sig), "three")

	got := collect(t, reg, "a", subject.Digest, "")
	if len(got) != 2 {
		t.Fatalf("%d referrers, want 2: %v", len(got), got)
	}
	for _, desc := range got {
		m, artifactType, note := sig, "application/x-signature", "one"
		if desc.Digest == bom.Digest {
			m, artifactType, note = bom, "application/x-sbom", "two"
		}
		checkDescriptor(t, desc, m)
		if desc.ArtifactType != artifactType || desc.Annotations["note"] != note {
			t.Errorf("%s has artifact type %q and note %q", desc.Digest, desc.ArtifactType, desc.Annotations["note"])
		}
	}
	if got := collect(t, reg, "a", sig.Digest, ""); len(got) != 1 || got[0].Digest != nested.Digest {
		t.Errorf("the signature's referrers are %v", got)
	}
	must(t, "delete", reg.DeleteManifest(t.Context(), "a", sig.Digest))
	if got := collect(t, reg, "a", subject.Digest, ""); len(got) != 1 || got[0].Digest != bom.Digest {
		t.Errorf("after the delete the referrers are %v", got)
	}
	if got := collect(t, reg, "a", digest.FromString("nobody"), ""); len(got) != 0 {
		t.Errorf("the referrers of nothing are %v", got)
	}
}

func referrersFiltered(t *testing.T, reg registry.Registry) {
	subject := PushImage(t, reg, "a", "v1")
	refer(t, reg, "a", "application/x-signature", Descriptor(subject), "one")
	bom := refer(t, reg, "a", "application/x-sbom", Descriptor(subject), "two")
	if got := collect(t, reg, "a", subject.Digest, "application/x-sbom"); len(got) != 1 || got[0].Digest != bom.Digest {
		t.Errorf("filtered: %v", got)
	}
	if got := collect(t, reg, "a", subject.Digest, "application/x-none"); len(got) != 0 {
		t.Errorf("filtered for nothing: %v", got)
	}
	if got := collect(t, reg, "other", subject.Digest, ""); len(got) != 0 {
		t.Errorf("in another repository: %v", got)
	}
}

func referrersFallback(t *testing.T, reg registry.Registry) {
	subject := PushImage(t, reg, "a", "v1")
	direct := refer(t, reg, "a", "application/x-sbom", Descriptor(subject), "direct")
	listed := PushImage(t, reg, "a", "attached")
	entry := Descriptor(listed)
	entry.ArtifactType = "application/x-old"
	_, err := reg.PutManifest(t.Context(), "a", Index(t, entry, Descriptor(direct)), "sha256-"+subject.Digest.Encoded())
	must(t, "push fallback tag", err)
	got := collect(t, reg, "a", subject.Digest, "")
	found := map[registry.Digest]bool{}
	for _, desc := range got {
		found[desc.Digest] = true
	}
	if len(got) != 2 || !found[direct.Digest] || !found[listed.Digest] {
		t.Errorf("got %v, want %s and %s, each once", got, direct.Digest, listed.Digest)
	}
}

func referrers512(t *testing.T, reg registry.Registry) {
	subject := Image(t, reg, "a", "subject")
	subject.Digest = digest.SHA512.FromBytes(subject.Content)
	_, err := reg.PutManifest(t.Context(), "a", subject, "v1")
	must(t, "push by sha512", err)
	direct := refer(t, reg, "a", "application/x-sbom", Descriptor(subject), "direct")
	listed := PushImage(t, reg, "a", "attached")
	// A tag has no room for all of the digest.
	_, err = reg.PutManifest(t.Context(), "a", Index(t, Descriptor(listed)), "sha512-"+subject.Digest.Encoded()[:64])
	must(t, "push fallback tag", err)
	got := map[registry.Digest]bool{}
	for _, desc := range collect(t, reg, "a", subject.Digest, "") {
		got[desc.Digest] = true
	}
	if len(got) != 2 || !got[direct.Digest] || !got[listed.Digest] {
		t.Errorf("got %v, want %s and %s", got, direct.Digest, listed.Digest)
	}
	if got := collect(t, reg, "a", digest.FromBytes(subject.Content), ""); len(got) != 0 {
		t.Errorf("under another digest of the subject: %v", got)
	}
}

// referrersFallbackStale has a fallback tag that nobody looked after.
func referrersFallbackStale(t *testing.T, reg registry.Registry) {
	subject := PushImage(t, reg, "a", "v1")
	kept := refer(t, reg, "a", "application/x-sbom", registry.Descriptor{MediaType: dockerManifest, Digest: digest.FromString("another subject"), Size: 1}, "kept")
	gone := PushImage(t, reg, "a", "gone")
	entry := Descriptor(kept)
	entry.ArtifactType, entry.Annotations = "", nil // as old clients wrote it
	_, err := reg.PutManifest(t.Context(), "a", Index(t, Descriptor(gone), entry, entry), "sha256-"+subject.Digest.Encoded())
	must(t, "push fallback tag", err)
	must(t, "delete", reg.DeleteManifest(t.Context(), "a", gone.Digest))
	for _, artifactType := range []string{"", "application/x-sbom"} {
		got := collect(t, reg, "a", subject.Digest, artifactType)
		if len(got) != 1 || got[0].Digest != kept.Digest || got[0].ArtifactType != "application/x-sbom" || got[0].Annotations["note"] != "kept" {
			t.Errorf("of type %q: got %v, want %s as it describes itself", artifactType, got, kept.Digest)
		}
	}
	if got := collect(t, reg, "a", subject.Digest, "application/x-other"); len(got) != 0 {
		t.Errorf("of another type: %v", got)
	}
}
