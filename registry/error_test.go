package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"berth/registry"

	"github.com/opencontainers/go-digest"
)

func TestAnErrorIsItsSentinelWhateverItCarries(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("open: %w", registry.ErrBlobUnknown.WithDetail("d").WithMessage("no %s", "luck"))
	if !errors.Is(err, registry.ErrBlobUnknown) || errors.Is(err, registry.ErrNameUnknown) {
		t.Error("codes are not what is compared")
	}
	if registry.ErrBlobUnknown.Detail != nil || registry.ErrBlobUnknown.Message == "no luck" {
		t.Error("the sentinel was changed")
	}
	if got := err.Error(); got != "open: blob unknown: no luck" {
		t.Errorf("says %q", got)
	}
	if es := registry.AsErrors(err); len(es) != 1 || es[0].Detail != "d" {
		t.Errorf("found %+v", es)
	}
	if es := registry.AsErrors(io.EOF); es != nil {
		t.Errorf("found %+v in a plain error", es)
	}
}

func TestErrorsKeepTheirMeaningAcrossTheWire(t *testing.T) {
	t.Parallel()
	sent := registry.Errors{
		registry.ErrManifestBlobUnknown.WithDetail("sha256:1"),
		registry.ErrManifestInvalid,
	}
	body, err := json.Marshal(sent)
	if err != nil || !strings.HasPrefix(string(body), `{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":`) {
		t.Fatalf("%s, %v", body, err)
	}
	var got registry.Errors
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	wrapped := fmt.Errorf("push: %w", got)
	if len(got) != 2 || got[0].Detail != "sha256:1" || !errors.Is(wrapped, registry.ErrManifestBlobUnknown) ||
		!errors.Is(wrapped, registry.ErrManifestInvalid) || errors.Is(wrapped, registry.ErrDenied) {
		t.Errorf("got %+v", got)
	}
	if es := registry.AsErrors(wrapped); len(es) != 2 {
		t.Errorf("found %d", len(es))
	}
}

func FuzzErrors(f *testing.F) {
	f.Add([]byte(`{"errors":[{"code":"DENIED","message":"m","detail":{"a":[1]}}]}`))
	f.Add([]byte(`{"errors":null}`))
	f.Add([]byte(`{"errors":[null]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var es registry.Errors
		if json.Unmarshal(body, &es) != nil {
			return
		}
		_ = es.Error()
		_ = errors.Is(es, registry.ErrDenied)
		if _, err := json.Marshal(es); err != nil {
			t.Fatalf("%q cannot be written again: %v", body, err)
		}
	})
}

func TestTheContextCarriesWhoAsksAndWhat(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	if registry.CallerFrom(ctx) != (registry.Caller{}) || registry.TagFrom(ctx) != "" || registry.AlgorithmFrom(ctx) != digest.SHA256 {
		t.Error("an empty context says something")
	}
	ctx = registry.WithAlgorithm(registry.WithTag(registry.WithCaller(ctx, registry.Caller{User: "anna"}), "v1"), digest.SHA512)
	if registry.CallerFrom(ctx).User != "anna" || registry.TagFrom(ctx) != "v1" || registry.AlgorithmFrom(ctx) != digest.SHA512 {
		t.Error("lost on the way")
	}
}

type wrapping struct{ io.ReadSeekCloser }

func (w wrapping) Unwrap() io.ReadSeekCloser { return w.ReadSeekCloser }

func TestFileFindsThePlainFileBehindABlob(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "blob"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, ok := registry.File(wrapping{wrapping{f}}); !ok || got != f {
		t.Errorf("got %v, %v", got, ok)
	}
	if _, ok := registry.File(wrapping{}); ok {
		t.Error("found a file in nothing")
	}
	if _, ok := registry.File(strings.NewReader("")); ok {
		t.Error("found a file in memory")
	}
}

func TestUnsupportedFailsClosed(t *testing.T) {
	t.Parallel()
	ctx, d := context.Background(), digest.FromString("")
	var u registry.Unsupported
	var errs []error
	add := func(err error) { errs = append(errs, err) }
	_, err := u.OpenBlob(ctx, "a", d)
	add(err)
	_, err = u.StatBlob(ctx, "a", d)
	add(err)
	_, err = u.Manifest(ctx, "a", d)
	add(err)
	_, err = u.StatManifest(ctx, "a", d)
	add(err)
	_, err = u.ResolveTag(ctx, "a", "v1")
	add(err)
	_, err = u.StartUpload(ctx, "a")
	add(err)
	_, err = u.ResumeUpload(ctx, "a", "id")
	add(err)
	_, err = u.MountBlob(ctx, "a", "b", d)
	add(err)
	_, err = u.PutManifest(ctx, "a", registry.Manifest{})
	add(err)
	add(u.DeleteTag(ctx, "a", "v1"))
	add(u.DeleteManifest(ctx, "a", d))
	add(u.DeleteBlob(ctx, "a", d))
	for _, err := range u.Repositories(ctx, "") {
		add(err)
	}
	for _, err := range u.Tags(ctx, "a", "") {
		add(err)
	}
	for _, err := range u.Referrers(ctx, "a", d, "") {
		add(err)
	}
	for i, err := range errs {
		if !errors.Is(err, registry.ErrUnsupported) {
			t.Errorf("method %d: %v", i, err)
		}
	}
	if len(errs) != 15 {
		t.Errorf("%d methods answered", len(errs))
	}
}
