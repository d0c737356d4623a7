package model

import (
	"regexp"
	"strings"
)

var (
	repositoryName = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagName        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	tagSigns       = regexp.MustCompile(`^[A-Za-z0-9._-]*$`)
)

// SplitName parts "acme/app:dev" into repository and tag; a name without a tag
// means latest.
func SplitName(name string) (repository, tag string) {
	repository, tag, ok := strings.Cut(name, ":")
	if !ok {
		return repository, "latest"
	}
	return repository, tag
}

// CheckName says what is wrong with a name such as "acme/app:dev" in words, as
// it is typed; empty means nothing.
func CheckName(name string) string {
	repository, tag, hasTag := strings.Cut(name, ":")
	switch {
	case name == "":
		return "Type a name, such as team/app:dev"
	case strings.Contains(name, "@"):
		return "A name here ends with a tag, not with a digest"
	case repository == "":
		return "The name before the colon is missing"
	case strings.ContainsAny(name, " \t"):
		return "Names have no spaces"
	case repository != strings.ToLower(repository):
		return "Repository names are lower-case: " + strings.ToLower(repository)
	case strings.HasPrefix(repository, "/") || strings.HasSuffix(repository, "/") || strings.Contains(repository, "//"):
		return "A slash needs a name on both sides"
	case len(repository) > 255:
		return "Repository names have at most 255 characters"
	case !repositoryName.MatchString(repository):
		return "Use a–z and 0–9, with single . _ - or / between them"
	case hasTag:
		return CheckTag(tag)
	}
	return ""
}

// CheckTag says what is wrong with a tag in words; empty means nothing.
func CheckTag(tag string) string {
	switch {
	case tag == "":
		return "The tag after the colon is missing"
	case tagName.MatchString(tag):
		return ""
	case len(tag) > 128:
		return "Tags have at most 128 characters"
	case tagSigns.MatchString(tag):
		return "A tag starts with a letter, a digit or _"
	}
	return "Tags are letters, digits, and _ . -"
}
