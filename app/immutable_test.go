package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"berth/app"
)

func TestAnImmutableTagIsHeldThroughEveryDoor(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	first := i.push("app", "v1", "one")
	second := i.push("app", "latest", "two")
	apply(t, i, "berth.immutable", "[{name: releases, tags: ['v*'], except: ['*-rc']}]")

	listed, err := i.Tags(t.Context(), app.TagsRequest{Repository: "app", Sort: "name", Ascending: true})
	if err != nil || len(listed.Tags) != 2 || listed.Tags[0].Immutable != "" || listed.Tags[1].Immutable != "releases" {
		t.Errorf("listed as %+v, %v", listed.Tags, err)
	}
	content := i.manifest("app", first)
	i.do("PUT", "/v2/app/manifests/v1", "application/vnd.oci.image.manifest.v1+json", content, http.StatusCreated)
	refused := i.refusal("PUT", "/v2/app/manifests/v1", i.manifest("app", second))
	for _, word := range []string{"v1", "app", "releases", "immutable", first} {
		if !strings.Contains(refused, word) {
			t.Errorf("%q does not say %q", refused, word)
		}
	}
	i.refusal("DELETE", "/v2/app/manifests/v1", nil)
	i.refusal("DELETE", "/v2/app/manifests/"+first, nil)
	for what, err := range map[string]error{
		"retag":  second1(i.Retag(t.Context(), app.RetagRequest{Repository: "app", From: "latest", To: "v1"})),
		"delete": second1(i.Delete(t.Context(), app.DeleteRequest{Repository: "app", Tags: []string{"v1"}})),
	} {
		p, ok := errors.AsType[*app.Problem](err)
		if !ok || p.Code != "immutable" || !strings.Contains(p.Text, "releases") || strings.Contains(p.Fix, "Sign in") {
			t.Errorf("%s: %+v", what, err)
		}
	}
	if _, err := i.Retag(t.Context(), app.RetagRequest{Repository: "app", From: "latest", To: "v2-rc"}); err != nil {
		t.Errorf("an excepted tag: %v", err)
	}
	i.do("HEAD", "/v2/app/manifests/v1", "", nil, http.StatusOK)
	apply(t, i, "berth.immutable", "")
	i.do("PUT", "/v2/app/manifests/v1", "application/vnd.oci.image.manifest.v1+json", i.manifest("app", second), http.StatusCreated)
}

func TestWhatAnImmutableIndexNeedsStaysThroughTheAPI(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	layer := i.pushBlob("app", []byte("a layer of a release"))["digest"].(string)
	child := i.push("app", "building", "a layer of a release")
	i.drop("app", "building")
	content := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":%q,"size":%d}]}`,
		child, len(i.manifest("app", child)))
	i.do("PUT", "/v2/app/manifests/v1", "application/vnd.oci.image.index.v1+json", content, http.StatusCreated)
	apply(t, i, "berth.immutable", "[{name: releases, tags: ['v*']}]")
	for _, path := range []string{"/v2/app/manifests/" + child, "/v2/app/blobs/" + layer} {
		if said := i.refusal("DELETE", path, nil); !strings.Contains(said, "v1") || !strings.Contains(said, "releases") {
			t.Errorf("%s: %s", path, said)
		}
	}
	apply(t, i, "berth.immutable", "[{name: releases, repositories: ['other/**'], tags: ['v*']}]")
	i.do("DELETE", "/v2/app/manifests/"+child, "", nil, http.StatusAccepted)
	i.do("DELETE", "/v2/app/blobs/"+layer, "", nil, http.StatusAccepted)
}

func second1[T any](_ T, err error) error { return err }

func (i *instance) manifest(repo, digest string) []byte {
	i.t.Helper()
	response, err := http.Get(i.base + "/v2/" + repo + "/manifests/" + digest)
	if err != nil {
		i.t.Fatal(err)
	}
	content, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		i.t.Fatal(err)
	}
	return content
}

// refusal wants DENIED, and gives its message.
func (i *instance) refusal(method, path string, body []byte) string {
	i.t.Helper()
	r, err := http.NewRequestWithContext(i.t.Context(), method, i.base+path, bytes.NewReader(body))
	if err != nil {
		i.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var said struct {
		Errors []struct{ Code, Message string }
	}
	err = json.NewDecoder(response.Body).Decode(&said)
	if err != nil || response.StatusCode != http.StatusForbidden || len(said.Errors) != 1 || said.Errors[0].Code != "DENIED" {
		i.t.Fatalf("%s %s: %s, %+v, %v", method, path, response.Status, said, err)
	}
	return said.Errors[0].Message
}
