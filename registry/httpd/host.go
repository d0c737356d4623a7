package httpd

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"berth/registry"
)

// hostNames are the names by which a server on a loopback address may be asked.
type hostNames map[string]bool

func newHostNames(more []string) hostNames {
	h := hostNames{}
	for _, host := range append([]string{"localhost", "host.docker.internal", "host.containers.internal"}, more...) {
		h[hostOnly(host)] = true
	}
	return h
}

// allow guards against DNS rebinding: a page that points its own name at
// 127.0.0.1 comes with that name. A literal address cannot be rebound, and the
// top-level domain localhost belongs to nobody (RFC 6761).
func (h hostNames) allow(r *http.Request) bool {
	if r.Host == "" && !r.ProtoAtLeast(1, 1) {
		return true // a health check of a proxy; no browser speaks so
	}
	host := hostOnly(r.Host)
	if h[host] || strings.HasSuffix(host, ".localhost") {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

func denyHost(w http.ResponseWriter, r *http.Request) {
	deny(w, registry.ErrDenied.WithMessage("this registry does not answer to the host name %q: it listens on this machine only, "+
		"and a web page could have made that name up; use localhost, or, behind a proxy, say https:// and the name in http.host of Berth's configuration", clip(r.Host)))
}

// allLoopback reports whether only this machine reaches the listeners by
// addresses that a page in its browser reaches too.
func allLoopback(listeners []net.Listener) bool {
	for _, l := range listeners {
		if tcp, ok := l.Addr().(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
			return false
		}
	}
	return len(listeners) > 0
}

// hostOnly takes scheme, port and brackets off, in lower case.
func hostOnly(host string) string {
	if _, rest, ok := strings.Cut(host, "://"); ok {
		host, _, _ = strings.Cut(rest, "/")
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
}
