package server

import (
	"net/http"

	"berth/registry/internal/route"
)

var (
	pingBody   = []byte("{}")
	pingLength = []string{"2"}
)

func (s *server) ping(w http.ResponseWriter, _ *http.Request, _ *route.Request) error {
	header := w.Header()
	header["Content-Type"] = contentJSON
	header["Content-Length"] = pingLength
	_, _ = w.Write(pingBody)
	return nil
}

// extensions is the answer of _oci/ext/discover
// (distribution-spec, extensions/_oci.md).
const extensions = `{"extensions":[` +
	`{"name":"_oci","url":"https://github.com/opencontainers/distribution-spec/blob/main/extensions/_oci.md",` +
	`"description":"discovery of extensions","endpoints":["_oci/ext/discover"]},` +
	`{"name":"_catalog","url":"https://github.com/opencontainers/distribution-spec/tree/main/extensions",` +
	`"description":"list of repositories","endpoints":["_catalog"]}]}` + "\n"

func (s *server) discover(w http.ResponseWriter, _ *http.Request, _ *route.Request) error {
	writeJSON(w, contentJSON, []byte(extensions))
	return nil
}
