package app

import (
	"errors"
	"testing"

	"berth/app/config"
	"berth/registry"
	"berth/registry/registrytest"
)

func TestAddressesOfLayersAreCheckedAsConfigured(t *testing.T) {
	t.Parallel()
	foreign := registry.Manifest{MediaType: "application/vnd.oci.image.manifest.v1+json", Content: []byte(`{"schemaVersion":2,` +
		`"mediaType":"application/vnd.oci.image.manifest.v1+json",` +
		`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},` +
		`"layers":[{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar","size":1,"urls":["https://a.example/x"],` +
		`"digest":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}]}`)}
	for name, tc := range map[string]struct {
		set  func(v *config.Validation)
		want bool
	}{
		"no rule":         {func(*config.Validation) {}, true},
		"enabled alone":   {func(v *config.Validation) { v.Enabled = true }, false},
		"allowed":         {func(v *config.Validation) { v.Manifests.URLs.Allow = []string{"^https://b/", `^https://a\.example/`} }, true},
		"another allowed": {func(v *config.Validation) { v.Manifests.URLs.Allow = []string{"^https://b/"} }, false},
		"denied":          {func(v *config.Validation) { v.Manifests.URLs.Deny = []string{"a.example"} }, false},
		"switched off": {func(v *config.Validation) {
			v.Manifests.URLs.Deny, v.Disabled = []string{"a.example"}, true
		}, true},
	} {
		var v config.Validation
		tc.set(&v)
		_, err := withURLRules(registrytest.NewFake(), v).PutManifest(t.Context(), "app", foreign, "v1")
		if refused := errors.Is(err, registry.ErrManifestInvalid); refused == tc.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
