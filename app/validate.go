package app

import (
	"context"
	"net/url"
	"regexp"
	"slices"
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

// withURLRules gives reg as it is when there are no rules. Load has made of
// «nothing is allowed» a pattern.
func withURLRules(reg registry.Registry, v config.Validation) registry.Registry {
	allow, deny := v.Manifests.URLs.Allow, v.Manifests.URLs.Deny
	if v.Disabled || len(allow)+len(deny) == 0 {
		return reg
	}
	return &urlRules{reg, anyOf(allow), anyOf(deny)}
}

// optionalChildren says which children of an index need not be there when it
// is pushed; nil: all must. As in distribution, a child without a platform is
// on no list.
func optionalChildren(v config.Validation) func(registry.Descriptor) bool {
	indexes := v.Manifests.Indexes
	switch {
	case v.Disabled || indexes.Platforms == "none":
		return func(registry.Descriptor) bool { return true }
	case indexes.Platforms == "list" && len(indexes.PlatformList) > 0:
		return func(child registry.Descriptor) bool {
			return child.Platform == nil || !slices.Contains(indexes.PlatformList, config.Platform{
				Architecture: child.Platform.Architecture, OS: child.Platform.OS,
			})
		}
	}
	return nil
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
		for _, address := range b.URLs {
			if !fetchable(address) || u.allow != nil && !u.allow.MatchString(address) || u.deny != nil && u.deny.MatchString(address) {
				return registry.Descriptor{}, registry.ErrManifestInvalid.WithMessage(
					"the layer %s is to be fetched from %q, which validation.manifests.urls does not allow", b.Digest, address)
			}
		}
	}
	return u.Registry.PutManifest(ctx, repo, m, tags...)
}

// fetchable is what distribution demands of an address in any case.
func fetchable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Fragment == ""
}
