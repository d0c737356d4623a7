package registrytest

import (
	"fmt"
	"iter"
	"slices"
	"testing"

	"berth/registry"
)

func names(t *testing.T, seq iter.Seq2[string, error]) []string {
	t.Helper()
	var out []string
	for name, err := range seq {
		must(t, "list", err)
		out = append(out, name)
	}
	return out
}

func checkNames(t *testing.T, what string, seq iter.Seq2[string, error], want ...string) {
	t.Helper()
	if got := names(t, seq); !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func deleteTag(t *testing.T, reg registry.Registry) {
	m := PushImage(t, reg, "a", "v1", "v2", "v3")
	must(t, "delete", reg.DeleteTag(t.Context(), "a", "v2"))
	_, err := reg.ResolveTag(t.Context(), "a", "v2")
	wantErr(t, "resolve", err, registry.ErrManifestUnknown)
	wantErr(t, "delete again", reg.DeleteTag(t.Context(), "a", "v2"), registry.ErrManifestUnknown)
	checkTag(t, reg, "a", "v1", m)
	checkNames(t, "tags", reg.Tags(t.Context(), "a", ""), "v1", "v3")
	must(t, "delete", reg.DeleteTag(t.Context(), "a", "v1"))
	must(t, "delete", reg.DeleteTag(t.Context(), "a", "v3"))
	checkManifest(t, reg, "a", m)
	checkNames(t, "tags", reg.Tags(t.Context(), "a", ""))
}

func deleteManifest(t *testing.T, reg registry.Registry) {
	m := PushImage(t, reg, "a", "v1", "v2")
	other := PushImage(t, reg, "a", "other")
	must(t, "delete", reg.DeleteManifest(t.Context(), "a", m.Digest))
	_, err := reg.Manifest(t.Context(), "a", m.Digest)
	wantErr(t, "read", err, registry.ErrManifestUnknown)
	_, err = reg.ResolveTag(t.Context(), "a", "v1")
	wantErr(t, "resolve", err, registry.ErrManifestUnknown)
	wantErr(t, "delete again", reg.DeleteManifest(t.Context(), "a", m.Digest), registry.ErrManifestUnknown)
	checkNames(t, "tags", reg.Tags(t.Context(), "a", ""), "other")
	checkTag(t, reg, "a", "other", other)
}

func deleteBlob(t *testing.T, reg registry.Registry) {
	desc := PushBlob(t, reg, "a", []byte("shared"))
	PushBlob(t, reg, "b", []byte("shared"))
	PushBlob(t, reg, "a", []byte("other"))
	must(t, "delete", reg.DeleteBlob(t.Context(), "a", desc.Digest))
	_, err := reg.OpenBlob(t.Context(), "a", desc.Digest)
	wantErr(t, "open", err, registry.ErrBlobUnknown)
	wantErr(t, "delete again", reg.DeleteBlob(t.Context(), "a", desc.Digest), registry.ErrBlobUnknown)
	readBlob(t, reg, "b", desc.Digest)
}

func deleteThenPush(t *testing.T, reg registry.Registry) {
	m := PushImage(t, reg, "a", "v1")
	must(t, "delete manifest", reg.DeleteManifest(t.Context(), "a", m.Digest))
	PushImage(t, reg, "a", "v1")
	checkTag(t, reg, "a", "v1", m)
	must(t, "delete tag", reg.DeleteTag(t.Context(), "a", "v1"))
	_, err := reg.PutManifest(t.Context(), "a", m, "v1")
	must(t, "push", err)
	checkTag(t, reg, "a", "v1", m)
}

func listRepositories(t *testing.T, reg registry.Registry) {
	for _, repo := range []string{"b", "a0", "a", "a/b", "a-b", "a/b/c", "a/b-c", "z_z"} {
		PushImage(t, reg, repo, "v1")
	}
	all := []string{"a", "a-b", "a/b", "a/b-c", "a/b/c", "a0", "b", "z_z"}
	checkNames(t, "all", reg.Repositories(t.Context(), ""), all...)
	for i, repo := range all {
		checkNames(t, "after "+repo, reg.Repositories(t.Context(), repo), all[i+1:]...)
	}
	checkNames(t, "after a name that is not there", reg.Repositories(t.Context(), "a/a"), all[2:]...)
	checkNames(t, "after everything", reg.Repositories(t.Context(), "zz"))
}

func listEmptyRepository(t *testing.T, reg registry.Registry) {
	PushBlob(t, reg, "only/blobs", []byte("x"))
	m := PushImage(t, reg, "emptied", "v1")
	PushImage(t, reg, "full", "v1")
	must(t, "delete", reg.DeleteManifest(t.Context(), "emptied", m.Digest))
	checkNames(t, "all", reg.Repositories(t.Context(), ""), "full")
}

func listTags(t *testing.T, reg registry.Registry) {
	m := Image(t, reg, "a", "x")
	_, err := reg.PutManifest(t.Context(), "a", m, "b", "a", "B", "_x", "1.0", "1.0-rc.1", "a.b", "a-b")
	must(t, "push", err)
	PushImage(t, reg, "a/b", "elsewhere")
	all := []string{"1.0", "1.0-rc.1", "B", "_x", "a", "a-b", "a.b", "b"}
	checkNames(t, "all", reg.Tags(t.Context(), "a", ""), all...)
	for i, tag := range all {
		checkNames(t, "after "+tag, reg.Tags(t.Context(), "a", tag), all[i+1:]...)
	}
	checkNames(t, "after a tag that is not there", reg.Tags(t.Context(), "a", "C"), all[3:]...)
}

func listManyTags(t *testing.T, reg registry.Registry) {
	m := PushImage(t, reg, "a")
	want := make([]string, 130)
	for i := range want {
		want[i] = fmt.Sprintf("v%03d", i)
	}
	for part := range slices.Chunk(want, 50) {
		_, err := reg.PutManifest(t.Context(), "a", m, part...)
		must(t, "push", err)
	}
	checkNames(t, "all", reg.Tags(t.Context(), "a", ""), want...)
	n := 0
	for range reg.Tags(t.Context(), "a", "") {
		if n++; n == 7 {
			break
		}
	}
	if n != 7 {
		t.Errorf("left after %d", n)
	}
}

func reservedNames(t *testing.T, reg registry.Registry) {
	for _, repo := range []string{"con", "nul/aux", "team/com1", "x/lpt9.y"} {
		m := PushImage(t, reg, repo, "CON", "nul", "x.")
		checkTag(t, reg, repo, "CON", m)
		checkNames(t, repo, reg.Tags(t.Context(), repo, ""), "CON", "nul", "x.")
	}
	checkNames(t, "all", reg.Repositories(t.Context(), ""), "con", "nul/aux", "team/com1", "x/lpt9.y")
}
