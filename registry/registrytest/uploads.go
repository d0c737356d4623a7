package registrytest

import (
	"bytes"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry"
)

func uploadInvisible(t *testing.T, reg registry.Registry) {
	content := []byte("not yet")
	up, err := reg.StartUpload(t.Context(), "a")
	must(t, "start upload", err)
	_, err = up.Write(content)
	must(t, "write", err)
	_, err = reg.StatBlob(t.Context(), "a", digest.FromBytes(content))
	wantErr(t, "stat before commit", err, registry.ErrBlobUnknown, registry.ErrNameUnknown)
	for name, err := range reg.Repositories(t.Context(), "") {
		t.Errorf("listed %q, %v", name, err)
	}
	_, err = up.Commit(t.Context(), digest.FromBytes(content))
	must(t, "commit", err)
	must(t, "close after commit", up.Close())
	_, err = reg.ResumeUpload(t.Context(), "a", up.ID())
	wantErr(t, "resume after commit", err, registry.ErrBlobUploadUnknown)
}

func uploadResumed(t *testing.T, reg registry.Registry) {
	content := Bytes(6, 300_000)
	up, err := reg.StartUpload(t.Context(), "a")
	must(t, "start upload", err)
	id := up.ID()
	if id == "" || up.Size() != 0 {
		t.Fatalf("a new upload has id %q and %d bytes", id, up.Size())
	}
	for _, cut := range []int{0, 1, 64, 99_936, 199_999} {
		must(t, "close", up.Close())
		up, err = reg.ResumeUpload(t.Context(), "a", id)
		must(t, "resume", err)
		at := int(up.Size())
		if up.ID() != id {
			t.Fatalf("resumed as %q", up.ID())
		}
		n, err := up.Write(content[at : at+cut])
		must(t, "write", err)
		if n != cut || up.Size() != int64(at+cut) {
			t.Fatalf("wrote %d of %d at %d, the size is %d", n, cut, at, up.Size())
		}
	}
	desc, err := up.Commit(t.Context(), digest.FromBytes(content))
	must(t, "commit", err)
	if !bytes.Equal(readBlob(t, reg, "a", desc.Digest), content) {
		t.Error("the content is another")
	}
}

func uploadOneHolder(t *testing.T, reg registry.Registry) {
	up, err := reg.StartUpload(t.Context(), "a")
	must(t, "start upload", err)
	_, err = up.Write([]byte("x"))
	must(t, "write", err)
	_, err = reg.ResumeUpload(t.Context(), "a", up.ID())
	wantErr(t, "resume what is held", err, registry.ErrBlobUploadInvalid)
	_, err = reg.ResumeUpload(t.Context(), "b", up.ID())
	wantErr(t, "resume in another repository", err, registry.ErrBlobUploadUnknown)
	must(t, "close", up.Close())
	again, err := reg.ResumeUpload(t.Context(), "a", up.ID())
	must(t, "resume what was closed", err)
	must(t, "cancel", again.Cancel(t.Context()))
}

func uploadCancelled(t *testing.T, reg registry.Registry) {
	up, err := reg.StartUpload(t.Context(), "a")
	must(t, "start upload", err)
	_, err = up.Write([]byte("x"))
	must(t, "write", err)
	must(t, "cancel", up.Cancel(t.Context()))
	must(t, "close after cancel", up.Close())
	_, err = reg.ResumeUpload(t.Context(), "a", up.ID())
	wantErr(t, "resume", err, registry.ErrBlobUploadUnknown)
}

func uploadSmallWrites(t *testing.T, reg registry.Registry) {
	content := Bytes(7, 2000)
	up, err := reg.StartUpload(t.Context(), "a")
	must(t, "start upload", err)
	for i := range content {
		if _, err := up.Write(content[i : i+1]); err != nil {
			t.Fatalf("write byte %d: %v", i, err)
		}
	}
	desc, err := up.Commit(t.Context(), digest.FromBytes(content))
	must(t, "commit", err)
	if !bytes.Equal(readBlob(t, reg, "a", desc.Digest), content) {
		t.Error("the content is another")
	}
}
