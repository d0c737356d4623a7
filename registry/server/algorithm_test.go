package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/registrytest"
	"berth/registry/server"
)

// listening remembers which algorithm an upload was started for.
type listening struct {
	registry.Registry
	got digest.Algorithm
}

func (l *listening) StartUpload(ctx context.Context, repo string) (registry.Upload, error) {
	l.got = registry.AlgorithmFrom(ctx)
	return l.Registry.StartUpload(ctx, repo)
}

func TestAnUploadIsHashedAsTheClientIntends(t *testing.T) {
	t.Parallel()
	content := "hello"
	for query, want := range map[string]digest.Algorithm{
		"":                         digest.SHA256,
		"?digest-algorithm=sha512": digest.SHA512,
		"?digest=" + digest.SHA512.FromString(content).String():                            digest.SHA512,
		"?mount=" + digest.SHA512.FromString("not there").String() + "&from=library/other": digest.SHA512,
	} {
		reg := &listening{Registry: registrytest.NewFake()}
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/v2/a/blobs/uploads/"+query, strings.NewReader(content))
		server.New(reg, server.Options{}).ServeHTTP(w, r)
		if w.Code >= 300 || reg.got != want {
			t.Errorf("%s: status %d, algorithm %s, want %s", query, w.Code, reg.got, want)
		}
	}
}
