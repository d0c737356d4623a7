package registrytest

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry"
)

func readBlob(t *testing.T, reg registry.Registry, repo string, d registry.Digest) []byte {
	t.Helper()
	b, err := reg.OpenBlob(t.Context(), repo, d)
	must(t, "open blob", err)
	content, err := io.ReadAll(b)
	must(t, "read blob", errors.Join(err, b.Close()))
	if desc := b.Descriptor(); desc.Digest != d || desc.Size != int64(len(content)) {
		t.Errorf("the descriptor says %s of %d bytes, the content has %d", desc.Digest, desc.Size, len(content))
	}
	return content
}

func blobRoundTrip(t *testing.T, reg registry.Registry) {
	content := Bytes(1, 100_000)
	desc := PushBlob(t, reg, "team/app", content)
	if desc.Digest != digest.FromBytes(content) || desc.Size != int64(len(content)) {
		t.Errorf("commit describes %s of %d bytes", desc.Digest, desc.Size)
	}
	if !bytes.Equal(readBlob(t, reg, "team/app", desc.Digest), content) {
		t.Error("the content is another")
	}
	stat, err := reg.StatBlob(t.Context(), "team/app", desc.Digest)
	must(t, "stat blob", err)
	if stat.Digest != desc.Digest || stat.Size != desc.Size {
		t.Errorf("stat describes %s of %d bytes", stat.Digest, stat.Size)
	}
}

func blobSeek(t *testing.T, reg registry.Registry) {
	content := Bytes(2, 5000)
	desc := PushBlob(t, reg, "a", content)
	b, err := reg.OpenBlob(t.Context(), "a", desc.Digest)
	must(t, "open blob", err)
	defer func() { must(t, "close blob", b.Close()) }()
	for _, c := range []struct {
		offset int64
		whence int
		at     int64
	}{{0, io.SeekEnd, 5000}, {0, io.SeekStart, 0}, {4000, io.SeekStart, 4000}, {-10, io.SeekEnd, 4990}, {17, io.SeekStart, 17}, {100, io.SeekCurrent, 127}} {
		at, err := b.Seek(c.offset, c.whence)
		if err != nil || at != c.at {
			t.Fatalf("seek %d from %d: at %d, %v", c.offset, c.whence, at, err)
		}
		want := content[at:min(at+10, 5000)]
		got := make([]byte, len(want))
		if _, err := io.ReadFull(b, got); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("at %d: read %x, %v, want %x", at, got, err, want)
		}
	}
}

func emptyBlob(t *testing.T, reg registry.Registry) {
	desc := PushBlob(t, reg, "a", nil)
	if got := readBlob(t, reg, "a", desc.Digest); len(got) != 0 {
		t.Errorf("read %d bytes", len(got))
	}
}

func sha512Blob(t *testing.T, reg registry.Registry) {
	content := Bytes(3, 3000)
	d := digest.SHA512.FromBytes(content)
	desc, err := push(t, reg, "a", content, d)
	must(t, "push by sha512", err)
	if desc.Digest != d {
		t.Errorf("commit describes %s", desc.Digest)
	}
	if !bytes.Equal(readBlob(t, reg, "a", d), content) {
		t.Error("the content is another")
	}
	_, err = push(t, reg, "a", content, digest.SHA512.FromString("other"))
	wantErr(t, "commit by a wrong sha512", err, registry.ErrDigestInvalid)
}

func blobPerRepository(t *testing.T, reg registry.Registry) {
	desc := PushBlob(t, reg, "a", []byte("secret"))
	PushBlob(t, reg, "a/b", []byte("other"))
	_, err := reg.OpenBlob(t.Context(), "a/b", desc.Digest)
	wantErr(t, "open the blob of another repository", err, registry.ErrBlobUnknown)
}

func blobAgain(t *testing.T, reg registry.Registry) {
	content := Bytes(4, 1000)
	first := PushBlob(t, reg, "a", content)
	PushBlob(t, reg, "a", content)
	PushBlob(t, reg, "b", content)
	for _, repo := range []string{"a", "b"} {
		if !bytes.Equal(readBlob(t, reg, repo, first.Digest), content) {
			t.Errorf("%s has other content", repo)
		}
	}
}

func wrongDigest(t *testing.T, reg registry.Registry) {
	up, err := reg.StartUpload(t.Context(), "a")
	must(t, "start upload", err)
	_, err = up.Write([]byte("this"))
	must(t, "write", err)
	wrong := digest.FromString("that")
	_, err = up.Commit(t.Context(), wrong)
	wantErr(t, "commit", err, registry.ErrDigestInvalid)
	must(t, "close after a failed commit", up.Close())
	_, err = reg.ResumeUpload(t.Context(), "a", up.ID())
	wantErr(t, "resume", err, registry.ErrBlobUploadUnknown)
	for _, d := range []registry.Digest{wrong, digest.FromString("this")} {
		_, err = reg.StatBlob(t.Context(), "a", d)
		wantErr(t, "stat", err, registry.ErrBlobUnknown, registry.ErrNameUnknown)
	}
}

func largeBlob(t *testing.T, reg registry.Registry) {
	content := Bytes(5, 3<<20)
	desc := PushBlob(t, reg, "a", content)
	if !bytes.Equal(readBlob(t, reg, "a", desc.Digest), content) {
		t.Error("the content is another")
	}
}

func mountFrom(t *testing.T, reg registry.Registry) {
	content := []byte("shared layer")
	desc := PushBlob(t, reg, "from/here", content)
	got, err := reg.MountBlob(t.Context(), "from/here", "to/there", desc.Digest)
	must(t, "mount", err)
	if got.Digest != desc.Digest {
		t.Errorf("mounted %s", got.Digest)
	}
	if !bytes.Equal(readBlob(t, reg, "to/there", desc.Digest), content) {
		t.Error("the content is another")
	}
}

func mountAnonymous(t *testing.T, reg registry.Registry) {
	desc := PushBlob(t, reg, "somewhere", []byte("shared layer"))
	_, err := reg.MountBlob(t.Context(), "", "to/there", desc.Digest)
	must(t, "mount", err)
	readBlob(t, reg, "to/there", desc.Digest)
}

func mountUnknown(t *testing.T, reg registry.Registry) {
	desc := PushBlob(t, reg, "a", []byte("in a"))
	PushBlob(t, reg, "b", []byte("in b"))
	_, err := reg.MountBlob(t.Context(), "b", "c", desc.Digest)
	wantErr(t, "mount from a repository without it", err, registry.ErrBlobUnknown)
	_, err = reg.MountBlob(t.Context(), "", "c", someDigest)
	wantErr(t, "mount what is nowhere", err, registry.ErrBlobUnknown)
	_, err = reg.MountBlob(t.Context(), "Bad", "c", desc.Digest)
	wantErr(t, "mount from a malformed name", err, registry.ErrNameInvalid)
}
