package app

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"berth/registry"
)

// suggestName gives the name that a local image gets here, "repository:tag", or
// "" when it cannot have one. The rule:
//
//  1. The registry's host goes: ghcr.io/acme/app:v1 becomes acme/app:v1.
//  2. A name with a namespace stays as it is.
//  3. The bare name of an official image goes where Docker Hub has it:
//     postgres:16 becomes library/postgres:16.
//  4. Any other bare name stays bare.
func suggestName(i EngineImage, name string, here []string) string {
	repo, tag, ok := splitName(name)
	if !ok {
		return ""
	}
	repo, host := withoutHost(repo)
	if !strings.Contains(repo, "/") && !slices.Contains(here, repo) && isOfficial(i, repo, host) {
		repo = "library/" + repo
	}
	if registry.ParseName(repo) != nil || registry.ParseTag(tag) != nil {
		return ""
	}
	return repo + ":" + tag
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
// address in front that Berth has. Another registry's host is refused: what
// was typed is never changed in silence.
func (c *Core) parseAs(as string) (repo, tag string, err error) {
	repo, tag, ok := splitName(strings.TrimSpace(as))
	if first, rest, deep := strings.Cut(repo, "/"); ok && deep && (first == "localhost" || strings.ContainsAny(first, ".:")) {
		if !c.isOwnAddress(first) {
			return "", "", badName("a name for an image here", as, fmt.Sprintf(
				"Berth answers at %s, not at %s. Leave that out, as in %s:%s.", c.addressForPeople(), first, rest, tag))
		}
		repo = rest
	}
	if !ok || registry.ParseName(repo) != nil || registry.ParseTag(tag) != nil || strings.Contains(as, "@") {
		return "", "", badName("a name for an image", as, "Use lower-case letters and digits, as in team/app:v1.")
	}
	return repo, tag, nil
}

// isOwnAddress reports whether names may begin with the address because it is
// Berth's: the one people use, a loopback with its port, the configured one.
func (c *Core) isOwnAddress(address string) bool {
	own := c.addressForPeople()
	if address == own || address == c.cfg.HTTP.Addr {
		return true
	}
	if u, err := url.Parse(c.cfg.HTTP.Host); err == nil && u.Host != "" && u.Host == address {
		return true
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || port != strconv.Itoa(portOf(own)) && port != strconv.Itoa(portOf(c.cfg.HTTP.Addr)) {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
