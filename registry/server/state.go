package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"

	"berth/registry"
	"berth/registry/internal/route"
)

// state is what an upload carries in its Location, so that a server which
// never saw it can check that a chunk follows the one before. Its form is
// distribution's: base64url(HMAC-SHA256(secret, json) ‖ json).
type state struct {
	Name      string
	UUID      string
	Offset    int64
	StartedAt time.Time
}

func (s *server) seal(st state) string {
	body, _ := json.Marshal(st) // strings, a number and a time always marshal
	return base64.URLEncoding.EncodeToString(append(s.mac(body), body...))
}

// unseal reads the state of a request. A missing one is not an error: uploads
// go on across servers and restarts without it.
func (s *server) unseal(q *route.Request) (st state, present bool, err error) {
	if q.State == "" {
		return state{}, false, nil
	}
	raw, err := base64.URLEncoding.DecodeString(q.State)
	if err != nil || len(raw) < sha256.Size || !hmac.Equal(s.mac(raw[sha256.Size:]), raw[:sha256.Size]) {
		return state{}, true, registry.ErrBlobUploadInvalid.WithMessage("the state of the upload is not this registry's")
	}
	if err := json.Unmarshal(raw[sha256.Size:], &st); err != nil {
		return state{}, true, registry.ErrBlobUploadInvalid.WithMessage("the state of the upload cannot be read")
	}
	if st.Name != q.Repository || st.UUID != q.UploadID {
		return state{}, true, registry.ErrBlobUploadInvalid.WithMessage("the state belongs to another upload")
	}
	return st, true, nil
}

func (s *server) mac(body []byte) []byte {
	h := hmac.New(sha256.New, s.o.Secret)
	h.Write(body)
	return h.Sum(nil)
}
