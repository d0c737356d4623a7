package registrytest

import (
	"bytes"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry"
)

// restarts is what must be the same on both sides of a restart. again closes
// the registry and opens what it left behind.
var restarts = []struct {
	name string
	test func(t *testing.T, reg registry.Registry, again func() registry.Registry)
}{
	{"an upload goes on after a restart", uploadOverRestart},
	{"a cancelled upload stays gone", cancelOverRestart},
	{"what was pushed is there", contentOverRestart},
	{"what was deleted is not", deletesOverRestart},
	{"referrers are found, and fallback tags merged", referrersOverRestart},
}

// RunRestarts checks what a registry keeps over a restart. open gives a new and
// empty registry, and a function that closes it and opens it again; both clean
// up with t.Cleanup.
func RunRestarts(t *testing.T, open func(t *testing.T) (reg registry.Registry, again func() registry.Registry)) {
	t.Helper()
	for _, c := range restarts {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			reg, again := open(t)
			c.test(t, reg, again)
		})
	}
}

// uploadOverRestart cuts small and large uploads, at the block of the hash and
// beside it, and of either algorithm.
func uploadOverRestart(t *testing.T, reg registry.Registry, again func() registry.Registry) {
	for _, algorithm := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
		content := Bytes(8, 700_001)
		up, err := reg.StartUpload(registry.WithAlgorithm(t.Context(), algorithm), "a")
		must(t, "start upload", err)
		id := up.ID()
		for _, cut := range []int{0, 1, 63, 64, 65_000, 300_000, 334_872} {
			n := int(up.Size())
			_, err := up.Write(content[n : n+cut])
			must(t, "write", err)
			must(t, "close", up.Close())
			reg = again()
			up, err = reg.ResumeUpload(t.Context(), "a", id)
			must(t, "resume", err)
			if up.ID() != id || up.Size() != int64(n+cut) {
				t.Fatalf("resumed as %q at %d, want %q at %d", up.ID(), up.Size(), id, n+cut)
			}
		}
		_, err = up.Write(content[up.Size():])
		must(t, "write", err)
		d := algorithm.FromBytes(content)
		_, err = up.Commit(t.Context(), d)
		must(t, "commit", err)
		if !bytes.Equal(readBlob(t, reg, "a", d), content) {
			t.Errorf("%s: the content is another", algorithm)
		}
	}
}

func cancelOverRestart(t *testing.T, reg registry.Registry, again func() registry.Registry) {
	for _, size := range []int{10, 100_000} {
		up, err := reg.StartUpload(t.Context(), "a")
		must(t, "start upload", err)
		_, err = up.Write(Bytes(9, size))
		must(t, "write", err)
		must(t, "close", up.Close())
		reg = again()
		up, err = reg.ResumeUpload(t.Context(), "a", up.ID())
		must(t, "resume", err)
		must(t, "cancel", up.Cancel(t.Context()))
		reg = again()
		_, err = reg.ResumeUpload(t.Context(), "a", up.ID())
		wantErr(t, "resume what was cancelled", err, registry.ErrBlobUploadUnknown)
	}
}

func contentOverRestart(t *testing.T, reg registry.Registry, again func() registry.Registry) {
	one, two := PushImage(t, reg, "team/app", "v1", "latest"), image512(t, reg, "team/app")
	_, err := reg.PutManifest(t.Context(), "team/app", two, "v2", "both", "latest")
	must(t, "push by sha512", err)
	layer := PushBlob(t, reg, "team/app", Bytes(10, 200_000))
	_, err = reg.MountBlob(t.Context(), "", "other", layer.Digest)
	must(t, "mount", err)
	reg = again()
	checkManifest(t, reg, "team/app", one)
	checkManifest(t, reg, "team/app", two)
	checkTag(t, reg, "team/app", "v1", one)
	for _, tag := range []string{"v2", "both", "latest"} {
		checkTag(t, reg, "team/app", tag, two)
	}
	readBlob(t, reg, "other", layer.Digest)
	if got := names(t, reg.Repositories(t.Context(), "")); len(got) != 1 || got[0] != "team/app" {
		t.Errorf("the repositories are %q", got)
	}
	if got := names(t, reg.Tags(t.Context(), "team/app", "both")); len(got) != 3 {
		t.Errorf("the tags after «both» are %q", got)
	}
}

func deletesOverRestart(t *testing.T, reg registry.Registry, again func() registry.Registry) {
	one, two := PushImage(t, reg, "a", "v1", "v1.0"), PushImage(t, reg, "a", "v2", "v2.0")
	layer := PushBlob(t, reg, "a", []byte("deleted"))
	must(t, "delete tag", reg.DeleteTag(t.Context(), "a", "v1.0"))
	must(t, "delete manifest", reg.DeleteManifest(t.Context(), "a", two.Digest))
	must(t, "delete blob", reg.DeleteBlob(t.Context(), "a", layer.Digest))
	reg = again()
	checkTag(t, reg, "a", "v1", one)
	if got := names(t, reg.Tags(t.Context(), "a", "")); len(got) != 1 {
		t.Errorf("the tags are %q", got)
	}
	_, err := reg.Manifest(t.Context(), "a", two.Digest)
	wantErr(t, "read", err, registry.ErrManifestUnknown)
	_, err = reg.StatBlob(t.Context(), "a", layer.Digest)
	wantErr(t, "stat", err, registry.ErrBlobUnknown)
}

func referrersOverRestart(t *testing.T, reg registry.Registry, again func() registry.Registry) {
	subject := PushImage(t, reg, "a", "v1")
	signature := refer(t, reg, "a", "application/x-signature", Descriptor(subject), "one")
	listed := PushImage(t, reg, "a", "attached")
	_, err := reg.PutManifest(t.Context(), "a", Index(t, Descriptor(listed)), "sha256-"+subject.Digest.Encoded())
	must(t, "push fallback tag", err)
	reg = again()
	got := collect(t, reg, "a", subject.Digest, "")
	if len(got) != 2 {
		t.Fatalf("the referrers are %v", got)
	}
	must(t, "delete", reg.DeleteManifest(t.Context(), "a", listed.Digest))
	reg = again()
	if got := collect(t, reg, "a", subject.Digest, ""); len(got) != 1 || got[0].Digest != signature.Digest {
		t.Errorf("after the delete the referrers are %v", got)
	}
}
