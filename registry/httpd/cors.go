package httpd

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/handlers"
)

// CORS says what pages of other origins may do. The zero value lets them do
// what a page that shows a registry needs.
type CORS struct {
	// Methods they may use; none means all that a registry has.
	Methods []string
	// Headers they may send, and Exposed those that they may read, beside those
	// that a registry has. "*" are all of Headers.
	Headers, Exposed []string
	// Credentials lets them send what a browser knows of the user.
	Credentials bool
	// MaxAge is for how many seconds a browser need not ask again, 600 at most;
	// 0 means 600.
	MaxAge int
	// Others are further headers of answers to pages.
	Others http.Header
}

// handler gives the whole chain. CORS stands outside, so that a preflight is
// answered before anybody asks for a password.
func (c *chain) handler() http.Handler {
	if len(c.o.Origins) == 0 {
		return c
	}
	cors, anyHeader := c.cors(nil), slices.Contains(c.o.CORS.Headers, "*")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") == "" { // nobody's page: OPTIONS is then a question about the endpoint
			c.ServeHTTP(w, r)
			return
		}
		maps.Copy(w.Header(), c.o.CORS.Others)
		w.Header().Add("Vary", "Origin")
		if anyHeader && r.Method == http.MethodOptions {
			c.cors(strings.Split(r.Header.Get("Access-Control-Request-Headers"), ",")).ServeHTTP(w, r)
			return
		}
		cors.ServeHTTP(w, r)
	})
}

// cors lets pages send headers, beside those that are let in anyway.
func (c *chain) cors(headers []string) http.Handler {
	how := c.o.CORS
	if len(how.Methods) == 0 {
		how.Methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
	}
	if how.MaxAge == 0 {
		how.MaxAge = 600
	}
	headers = slices.Concat([]string{
		"Accept", "Authorization", "Content-Type", "Content-Range", "If-None-Match", "Range", "Cache-Control",
	}, how.Headers, headers)
	exposed := slices.Concat([]string{
		"Docker-Content-Digest", "Docker-Distribution-Api-Version", "Docker-Upload-Uuid", "Link", "Location", "Range", "Etag",
		"Oci-Subject", "Oci-Filters-Applied", "Oci-Tag", "Oci-Chunk-Min-Length", "Warning", "Www-Authenticate",
	}, how.Exposed)
	options := []handlers.CORSOption{
		handlers.AllowedOrigins(c.o.Origins), handlers.AllowedMethods(how.Methods), handlers.AllowedHeaders(headers),
		handlers.ExposedHeaders(exposed), handlers.MaxAge(how.MaxAge),
	}
	if how.Credentials {
		options = append(options, handlers.AllowCredentials())
	}
	return handlers.CORS(options...)(c)
}
