package app

import (
	"slices"
	"strings"

	"berth/registry"
)

// suggestName gives the name that a local image gets here, "repository:tag", or
// "" when it cannot have one. The rule:
//
//  1. The registry's host goes: ghcr.io/acme/app:v1 becomes acme/app:v1.
//  2. A name with a namespace stays as it is.
//  3. A bare name that Berth has exactly one repository for, by its last part,
//     goes there: checkout:dev becomes acme/checkout:dev. The library does not
//     count, nor do mirrors.
//  4. The bare name of an official image goes where Docker Hub has it:
//     postgres:16 becomes library/postgres:16.
//  5. Any other bare name stays bare.
func suggestName(i EngineImage, name string, here []string) string {
	repo, tag, ok := splitName(name)
	if !ok {
		return ""
	}
	repo, host := withoutHost(repo)
	if !strings.Contains(repo, "/") && !slices.Contains(here, repo) {
		switch official := isOfficial(i, repo, host); {
		case official && !slices.ContainsFunc(here, func(r string) bool { return placeFor(r, repo) }):
			repo = "library/" + repo
		default:
			repo = knownPlace(repo, here)
		}
	}
	if registry.ParseName(repo) != nil || registry.ParseTag(tag) != nil {
		return ""
	}
	return repo + ":" + tag
}

// placeFor reports whether a repository is a project's own place for a name.
func placeFor(repo, name string) bool {
	return strings.HasSuffix(repo, "/"+name) && !strings.HasSuffix(repo, "library/"+name) && !strings.HasPrefix(repo, "mirror/")
}

func knownPlace(name string, here []string) string {
	found := ""
	for _, repo := range here {
		if !placeFor(repo, name) {
			continue
		}
		if found != "" {
			return name
		}
		found = repo
	}
	if found == "" {
		return name
	}
	return found
}

// splitName takes "repository:tag" apart; the tag is latest when there is none.
func splitName(name string) (repo, tag string, ok bool) {
	name, _, _ = strings.Cut(name, "@")
	repo, tag = name, "latest"
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		repo, tag = name[:i], name[i+1:]
	}
	return repo, tag, repo != "" && repo != "<none>" && tag != "" && tag != "<none>"
}

// withoutHost takes the registry's host off: the first part, when it looks like
// one (distribution/reference does the same).
func withoutHost(repo string) (rest, host string) {
	first, rest, ok := strings.Cut(repo, "/")
	if ok && (strings.ContainsAny(first, ".:") || first == "localhost" || strings.ToLower(first) != first) {
		return rest, first
	}
	return repo, ""
}

// isOfficial reports whether a bare name is that of an image of Docker Hub's
// library. The classic image store tells by the digest that a pull leaves
// behind; the containerd store gives every image such a digest, so there only
// the well-known names count.
func isOfficial(i EngineImage, name, host string) bool {
	if host != "" {
		return false
	}
	if i.Containerd {
		return slices.Contains(wellKnown, name)
	}
	return slices.ContainsFunc(i.Digests, func(d string) bool {
		repo, _, _ := strings.Cut(d, "@")
		return repo == name || repo == "docker.io/library/"+name
	})
}

var wellKnown = []string{
	"alpine", "amazonlinux", "archlinux", "busybox", "caddy", "cassandra", "consul", "couchdb", "debian", "eclipse-temurin",
	"elasticsearch", "elixir", "erlang", "fedora", "ghost", "golang", "gradle", "haproxy", "hello-world", "httpd", "influxdb",
	"kibana", "kong", "logstash", "mariadb", "maven", "memcached", "mongo", "mysql", "nats", "neo4j", "nextcloud", "nginx",
	"node", "openjdk", "perl", "php", "postgres", "python", "rabbitmq", "redis", "registry", "rockylinux", "ruby", "rust",
	"solr", "sonarqube", "swift", "tomcat", "traefik", "ubuntu", "vault", "wordpress", "zookeeper",
}

// parseAs reads a name that a person gave: "team/app:v1", also with the
// address in front that Berth has.
func (c *Core) parseAs(as string) (repo, tag string, err error) {
	repo, tag, ok := splitName(strings.TrimSpace(as))
	if ok {
		repo, _ = withoutHost(repo)
	}
	if !ok || registry.ParseName(repo) != nil || registry.ParseTag(tag) != nil || strings.Contains(as, "@") {
		return "", "", badName("a name for an image", as, "Use lower-case letters and digits, as in team/app:v1.")
	}
	return repo, tag, nil
}
