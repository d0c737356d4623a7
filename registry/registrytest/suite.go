package registrytest

import (
	"context"
	"errors"
	"testing"

	"berth/registry"
)

// contract is every promise that is checked, under its name.
var contract = []struct {
	name string
	test func(t *testing.T, reg registry.Registry)
}{
	{"malformed names are refused by every method", malformedNames},
	{"malformed tags are refused", malformedTags},
	{"malformed digests are refused", malformedDigests},
	{"a cancelled context ends a call", cancelledContext},
	{"what is not there has its error", unknownThings},
	{"a blob comes back as it went in", blobRoundTrip},
	{"a blob can be read from anywhere", blobSeek},
	{"an empty blob is a blob", emptyBlob},
	{"a blob is addressed by sha512 too", sha512Blob},
	{"a blob belongs to its repository only", blobPerRepository},
	{"a blob may be pushed again", blobAgain},
	{"a wrong digest loses the upload and makes no blob", wrongDigest},
	{"an upload is invisible until it is committed", uploadInvisible},
	{"an upload goes on after it was closed", uploadResumed},
	{"an upload has one holder", uploadOneHolder},
	{"a cancelled upload is gone", uploadCancelled},
	{"an upload takes many small writes", uploadSmallWrites},
	{"a large blob passes through", largeBlob},
	{"a blob is mounted from a repository", mountFrom},
	{"a blob is mounted from anywhere", mountAnonymous},
	{"what cannot be mounted is unknown", mountUnknown},
	{"a manifest comes back byte for byte", manifestRoundTrip},
	{"every format of manifest is taken", manifestFormats},
	{"a media type is read from the content", manifestInferred},
	{"a manifest is addressed by sha512 too", sha512Manifest},
	{"an image is of sha512 throughout", sha512Throughout},
	{"each missing part of a manifest is named", manifestMissing},
	{"what is no manifest is refused", manifestInvalid},
	{"a manifest must have the digest that was asked for", manifestDigest},
	{"four MiB of manifest are taken and no more", manifestSize},
	{"one push sets several tags", manifestManyTags},
	{"a malformed tag among good ones sets none", manifestBadTag},
	{"an overwritten tag leaves the old manifest", tagOverwrite},
	{"tags that differ by case differ", tagCase},
	{"deleting a tag leaves its siblings", deleteTag},
	{"deleting a manifest takes its tags", deleteManifest},
	{"deleting a blob concerns one repository", deleteBlob},
	{"what was deleted may be pushed again", deleteThenPush},
	{"repositories are listed in byte order", listRepositories},
	{"a repository without a manifest is not listed", listEmptyRepository},
	{"tags are listed in byte order after any name", listTags},
	{"many tags are listed, and a list may be left early", listManyTags},
	{"names that a file system reserves are names", reservedNames},
	{"referrers are found by their subject", referrers},
	{"referrers are filtered by artifact type", referrersFiltered},
	{"referrers of a fallback tag are merged in", referrersFallback},
	{"referrers of a subject by sha512 are found", referrers512},
	{"a fallback tag lists what is there, as it is", referrersFallbackStale},
	{"many pushes at once do not disturb each other", concurrentPushes},
	{"one blob pushed many times at once is one blob", concurrentSameBlob},
	{"one tag pushed many times at once names one of them", concurrentSameTag},
}

// Run checks the whole contract of [registry.Registry]. open gives a new and
// empty registry for each promise, and cleans up with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) registry.Registry) {
	t.Helper()
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open(t))
		})
	}
}

// wantErr fails unless err is one of the wanted.
func wantErr(t *testing.T, what string, err error, wanted ...error) {
	t.Helper()
	for _, w := range wanted {
		if errors.Is(err, w) {
			return
		}
	}
	t.Errorf("%s: got error %v, want %v", what, err, wanted)
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

const someDigest = registry.Digest("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

// calls are all methods, as far as they take names, with the results dropped.
func calls(ctx context.Context, reg registry.Registry, repo, tag string, d registry.Digest) map[string]error {
	out := map[string]error{}
	blob, err := reg.OpenBlob(ctx, repo, d)
	if out["OpenBlob"] = err; err == nil {
		_ = blob.Close()
	}
	_, out["StatBlob"] = reg.StatBlob(ctx, repo, d)
	_, out["Manifest"] = reg.Manifest(ctx, repo, d)
	_, out["StatManifest"] = reg.StatManifest(ctx, repo, d)
	_, out["ResolveTag"] = reg.ResolveTag(ctx, repo, tag)
	up, err := reg.StartUpload(ctx, repo)
	if out["StartUpload"] = err; err == nil {
		_ = up.Cancel(ctx)
	}
	_, out["ResumeUpload"] = reg.ResumeUpload(ctx, repo, "0191")
	_, out["MountBlob"] = reg.MountBlob(ctx, "", repo, d)
	_, out["PutManifest"] = reg.PutManifest(ctx, repo, registry.Manifest{Digest: d, Content: []byte("{}")}, tag)
	out["DeleteTag"] = reg.DeleteTag(ctx, repo, tag)
	out["DeleteManifest"] = reg.DeleteManifest(ctx, repo, d)
	out["DeleteBlob"] = reg.DeleteBlob(ctx, repo, d)
	for _, err := range reg.Tags(ctx, repo, "") {
		out["Tags"] = err
	}
	for _, err := range reg.Referrers(ctx, repo, d, "") {
		out["Referrers"] = err
	}
	return out
}

func malformedNames(t *testing.T, reg registry.Registry) {
	for _, repo := range []string{"", "Upper", "a//b", "/a", "a/", "../a", "a b", "_layers", "a..b"} {
		for method, err := range calls(t.Context(), reg, repo, "v1", someDigest) {
			wantErr(t, method+" of "+repo, err, registry.ErrNameInvalid)
		}
	}
}

func malformedTags(t *testing.T, reg registry.Registry) {
	PushImage(t, reg, "a", "v1")
	for _, tag := range []string{"", ".hidden", "-x", "a/b", "a b", "sha256:12"} {
		all := calls(t.Context(), reg, "a", tag, someDigest)
		for _, method := range []string{"ResolveTag", "PutManifest", "DeleteTag"} {
			wantErr(t, method+" of "+tag, all[method], registry.ErrTagInvalid)
		}
	}
}

func malformedDigests(t *testing.T, reg registry.Registry) {
	PushImage(t, reg, "a", "v1")
	takesDigest := []string{"OpenBlob", "StatBlob", "Manifest", "StatManifest", "MountBlob", "DeleteManifest", "DeleteBlob", "Referrers"}
	for _, d := range []registry.Digest{"", "v1", "sha256:", "sha256:12", "sha256:../../x", "md5:d41d8cd98f00b204e9800998ecf8427e"} {
		all := calls(t.Context(), reg, "a", "v1", d)
		for _, method := range takesDigest {
			wantErr(t, method+" of "+string(d), all[method], registry.ErrDigestInvalid)
		}
	}
}

func cancelledContext(t *testing.T, reg registry.Registry) {
	m := PushImage(t, reg, "a", "v1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	all := calls(ctx, reg, "a", "v1", m.Digest)
	for _, method := range []string{"OpenBlob", "Manifest", "StartUpload", "ResumeUpload", "Tags"} {
		wantErr(t, method, all[method], context.Canceled)
	}
	_, err := reg.PutManifest(ctx, "a", m, "v2")
	wantErr(t, "PutManifest", err, context.Canceled)
}

func unknownThings(t *testing.T, reg registry.Registry) {
	// A repository that nobody has pushed to is unknown, and so is what would be in it.
	all := calls(t.Context(), reg, "nobody/was-here", "v1", someDigest)
	wantErr(t, "Tags", all["Tags"], registry.ErrNameUnknown)
	for _, method := range []string{"OpenBlob", "StatBlob", "DeleteBlob"} {
		wantErr(t, method+" in an unknown repository", all[method], registry.ErrNameUnknown, registry.ErrBlobUnknown)
	}
	for _, method := range []string{"Manifest", "StatManifest", "ResolveTag", "DeleteTag", "DeleteManifest"} {
		wantErr(t, method+" in an unknown repository", all[method], registry.ErrNameUnknown, registry.ErrManifestUnknown)
	}
	wantErr(t, "ResumeUpload", all["ResumeUpload"], registry.ErrBlobUploadUnknown)
	if err := all["Referrers"]; err != nil {
		t.Errorf("referrers of what is not there: %v", err)
	}

	PushImage(t, reg, "a", "v1")
	all = calls(t.Context(), reg, "a", "v2", someDigest)
	for _, method := range []string{"OpenBlob", "StatBlob", "DeleteBlob", "MountBlob"} {
		wantErr(t, method, all[method], registry.ErrBlobUnknown)
	}
	for _, method := range []string{"Manifest", "StatManifest", "ResolveTag", "DeleteTag", "DeleteManifest"} {
		wantErr(t, method, all[method], registry.ErrManifestUnknown)
	}
}
