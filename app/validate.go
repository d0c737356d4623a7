package app

import (
	"context"
	"regexp"
	"strings"

	"berth/app/config"
	"berth/registry"
	"berth/registry/manifest"
)

// urlRules refuses manifests whose layers are fetched from addresses that
// validation.manifests.urls does not allow.
type urlRules struct {
	registry.Registry
	allow, deny *regexp.Regexp // nil: no rule
}

// withURLRules gives reg as it is when there are no rules. As in distribution,
// «enabled» without a rule allows no address at all.
func withURLRules(reg registry.Registry, v config.Validation) registry.Registry {
	allow, deny := v.Manifests.URLs.Allow, v.Manifests.URLs.Deny
	if v.Enabled && len(allow)+len(deny) == 0 {
		allow = []string{"^$"}
	}
	if v.Disabled || len(allow)+len(deny) == 0 {
		return reg
	}
	return &urlRules{reg, anyOf(allow), anyOf(deny)}
}

// anyOf needs patterns that Load has checked.
func anyOf(patterns []string) *regexp.Regexp {
	if len(patterns) == 0 {
		return nil
	}
	return regexp.MustCompile("(?:" + strings.Join(patterns, ")|(?:") + ")")
}

// PutManifest checks the addresses first. What is no manifest is refused below.
func (u *urlRules) PutManifest(ctx context.Context, repo string, m registry.Manifest, tags ...string) (registry.Descriptor, error) {
	parsed, err := manifest.Parse(m.MediaType, m.Content)
	if err != nil {
		return u.Registry.PutManifest(ctx, repo, m, tags...)
	}
	for _, b := range parsed.Blobs {
		for _, url := range b.URLs {
			if u.allow != nil && !u.allow.MatchString(url) || u.deny != nil && u.deny.MatchString(url) {
				return registry.Descriptor{}, registry.ErrManifestInvalid.WithMessage(
					"the layer %s is to be fetched from %q, which validation.manifests.urls does not allow", b.Digest, url)
			}
		}
	}
	return u.Registry.PutManifest(ctx, repo, m, tags...)
}
