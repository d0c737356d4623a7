package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// reference is a repository with a tag or a digest, as a person types it.
type reference struct {
	repository, tag, digest string
}

// what gives the part that Inspect and Pull take.
func (r reference) what() string {
	if r.digest != "" {
		return r.digest
	}
	return r.tag
}

// parseReference reads "team/app:v1", "team/app@sha256:…", and the same behind
// the registry's address, which is how people paste it.
func parseReference(cmd *cobra.Command, s string) (reference, error) {
	rest := withoutHost(s)
	name, digest, _ := strings.Cut(rest, "@")
	r := reference{repository: name, digest: digest}
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		r.repository, r.tag = name[:i], name[i+1:]
	}
	if r.repository == "" || strings.HasSuffix(rest, ":") || strings.HasSuffix(rest, "@") {
		return r, usage(cmd, fmt.Sprintf("%q is not a name like team/app:v1", s))
	}
	return r, nil
}

// withoutHost drops a first part that can only be a host.
func withoutHost(s string) string {
	first, rest, ok := strings.Cut(s, "/")
	if ok && (first == "localhost" || strings.ContainsAny(first, ".:")) {
		return rest
	}
	return s
}
