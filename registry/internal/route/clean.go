package route

import (
	"path"
	"strings"
)

// Clean gives the one spelling of a path that distribution redirects to: no
// empty and no dot segments, a slash after /v2, and none after an endpoint that
// has none.
func Clean(prefix, p string) string {
	slash := strings.HasSuffix(p, "/")
	p = path.Clean("/" + p)
	if p == prefix+"/v2" {
		return p + "/"
	}
	if !slash || p == "/" {
		return p
	}
	if rest, ok := strings.CutPrefix(p, prefix+"/v2/"); ok {
		var r Request
		if e, _ := split(rest, &r); e != nil && e != &uploadsEndpoint {
			return p
		}
	}
	return p + "/"
}
