package archive

import (
	"strings"

	"github.com/distribution/reference"

	"berth/registry"
)

// split gives the repository and the tag of a name in an archive: a whole
// reference, or, as OCI layouts have it, a tag alone.
func split(name string) (repo, tag string) {
	if !strings.ContainsAny(name, "/:@") {
		if registry.ParseTag(name) != nil {
			name = ""
		}
		return Unnamed, name
	}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return Unnamed, ""
	}
	repo = reference.Path(named)
	if reference.Domain(named) == "docker.io" {
		repo = reference.FamiliarName(named)
	}
	if registry.ParseName(repo) != nil {
		return Unnamed, ""
	}
	if tagged, ok := named.(reference.Tagged); ok {
		return repo, tagged.Tag()
	}
	if _, digested := named.(reference.Digested); digested {
		return repo, ""
	}
	return repo, "latest"
}
