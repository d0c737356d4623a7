package app

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

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
		validation string
		want       bool
	}{
		"no rule":         {"", false},
		"enabled alone":   {"{enabled: true}", false},
		"allowed":         {`{manifests: {urls: {allow: ['^https://b/', '^https://a\.example/']}}}`, true},
		"another allowed": {`{manifests: {urls: {allow: ['^https://b/']}}}`, false},
		"denied":          {"{manifests: {urls: {deny: [a.example]}}}", false},
		"another denied":  {"{manifests: {urls: {deny: [b.example]}}}", true},
		"switched off":    {"{disabled: true, manifests: {urls: {deny: [a.example]}}}", true},
		"on after all":    {"{disabled: true, enabled: true, manifests: {urls: {deny: [a.example]}}}", false},
	} {
		v := validation(t, "version: 0.1\nstorage: inmemory\nvalidation: "+tc.validation+"\n")
		_, err := withURLRules(registrytest.NewFake(), v).PutManifest(t.Context(), "app", foreign, "v1")
		if refused := errors.Is(err, registry.ErrManifestInvalid); refused == tc.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if cfg, err := config.Load("", nil, config.Flags{Data: t.TempDir()}); err != nil || len(cfg.Validation.Manifests.URLs.Allow) > 0 {
		t.Errorf("a berth that nobody configured has rules: %v", err)
	}
}

func validation(t *testing.T, file string) config.Validation {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(path, nil, config.Flags{})
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Validation
}

func TestOnlyChildrenOnTheListMustBeThere(t *testing.T) {
	t.Parallel()
	child := func(os, arch string) registry.Descriptor {
		return registry.Descriptor{Platform: &ocispec.Platform{OS: os, Architecture: arch}}
	}
	const list = "{manifests: {indexes: {platforms: list, platformlist: [{os: linux, architecture: amd64}]}}}"
	for _, tc := range []struct {
		validation string
		child      registry.Descriptor
		optional   bool
	}{
		{"", child("linux", "amd64"), false},
		{"", registry.Descriptor{}, false},
		{"{manifests: {indexes: {platforms: all}}}", child("linux", "arm64"), false},
		{"{manifests: {indexes: {platforms: none}}}", child("linux", "amd64"), true},
		{"{disabled: true}", child("linux", "amd64"), true},
		{list, child("linux", "amd64"), false},
		{list, child("linux", "arm64"), true},
		{list, child("windows", "amd64"), true},
		{list, registry.Descriptor{}, true},
		{"{manifests: {indexes: {platforms: list}}}", child("linux", "arm64"), false},
	} {
		optional := optionalChildren(validation(t, "version: 0.1\nstorage: inmemory\nvalidation: "+tc.validation+"\n"))
		if got := optional != nil && optional(tc.child); got != tc.optional {
			t.Errorf("%s: the child %+v is optional: %v", tc.validation, tc.child.Platform, got)
		}
	}
}
