package server_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry/driver/memory"
	"berth/registry/server"
	"berth/registry/store"
)

// uploadModel is what a few uploads must be like after any sequence of
// requests: their content, the newest and the first Location of each, or gone.
type uploadModel struct {
	s     *site
	steps []string
	ups   []modelUpload
	next  byte // of the content that is made up
}

type modelUpload struct {
	content    []byte
	now, first string // locations
	gone       bool
}

// FuzzUploadsAreLikeTheirModel reads each byte as a request, and the next as
// its argument.
func FuzzUploadsAreLikeTheirModel(f *testing.F) {
	for _, script := range [][]byte{
		{1, 0, 2, 0, 3, 0, 7, 0},
		{6, 0, 6, 0, 4, 3, 5, 0, 9, 0, 2, 0, 7, 1},
		{0, 0, 0, 0, 1, 0, 2, 1, 3, 2, 10, 1, 8, 0, 7, 2, 1, 0, 1, 1},
		{8, 0, 1, 0, 0, 0, 9, 0, 4, 200, 7, 1, 7, 1},
	} {
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		st, err := store.Open(t.Context(), memory.New(), nil, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = st.Close() }()
		m := &uploadModel{s: &site{t: t, handler: server.New(st, server.Options{Secret: []byte("s")}), reg: st}}
		m.start()
		for i := 0; i+1 < len(script) && i < 60; i += 2 {
			m.step(script[i], int(script[i+1]))
		}
		if t.Failed() {
			t.Logf("after %s", strings.Join(m.steps, ", "))
		}
	})
}

func (m *uploadModel) start() {
	path := m.s.ask("POST", "/v2/a/blobs/uploads/", nil).has("start", 202, "Range", "0-0").location()
	m.ups = append(m.ups, modelUpload{now: path, first: path})
}

// chunk makes n bytes up.
func (m *uploadModel) chunk(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		m.next++
		b[i] = m.next
	}
	return b
}

func (m *uploadModel) step(op byte, arg int) {
	u := &m.ups[arg%len(m.ups)]
	b := m.chunk(arg%7 + 1)
	size := len(u.content)
	right := fmt.Sprintf("%d-%d", size, size+len(b)-1)
	bare, _, _ := strings.Cut(u.now, "?")
	kind := op % 11
	m.steps = append(m.steps, fmt.Sprintf("%d of %d", kind, arg%len(m.ups)))
	if u.gone && kind != 0 && kind != 9 {
		for _, method := range []string{"GET", "PATCH", "PUT", "DELETE"} {
			m.s.ask(method, with(u.now, "digest="+absent), b).fails(method+" of what is gone", 404, "BLOB_UPLOAD_UNKNOWN")
		}
		return
	}
	switch kind {
	case 0:
		if len(m.ups) < 3 {
			m.start()
		}
	case 1:
		m.took(u, b, m.s.ask("PATCH", u.now, b))
	case 2:
		m.took(u, b, m.s.ask("PATCH", u.now, b, "Content-Range", right))
	case 3:
		m.took(u, b, m.s.ask("PATCH", bare, b, "Content-Range", right))
	case 4:
		m.refused(u, 416, "RANGE_INVALID", m.s.ask("PATCH", u.now, b, "Content-Range", fmt.Sprintf("%d-%d", size+1+arg, size+arg+len(b))))
	case 5:
		m.refused(u, 400, "SIZE_INVALID", m.s.ask("PATCH", u.now, b, "Content-Range", fmt.Sprintf("%d-%d", size, size+len(b))))
	case 6:
		if a := m.s.ask("PATCH", u.first, b); size == 0 {
			m.took(u, b, a)
		} else {
			m.refused(u, 416, "RANGE_INVALID", a)
		}
	case 7:
		m.commit(u, b, arg%2 == 0, right)
	case 8:
		m.s.ask("PUT", with(u.now, "digest="+absent), b).fails("a wrong digest", 400, "DIGEST_INVALID")
		u.gone = true
	case 9:
		m.s.handler = server.New(m.s.reg, server.Options{Secret: []byte("s")})
	case 10:
		m.s.ask("DELETE", u.now, nil).has("cancel", 204)
		u.gone = true
	}
	if !u.gone && kind != 0 {
		u.now = m.s.ask("GET", bare, nil).has("status", 204, "Range", u.span()).location()
	}
}

// span is the Range header of an upload.
func (u *modelUpload) span() string { return fmt.Sprintf("0-%d", max(len(u.content)-1, 0)) }

func (m *uploadModel) took(u *modelUpload, b []byte, a answer) {
	u.content = append(u.content, b...)
	u.now = a.has("patch", 202, "Range", u.span()).location()
}

// refused has taken nothing, and says where to go on.
func (m *uploadModel) refused(u *modelUpload, status int, code string, a answer) {
	u.now = a.fails("patch", status, code).has("patch", status, "Range", u.span()).location()
}

func (m *uploadModel) commit(u *modelUpload, b []byte, ranged bool, span string) {
	u.content, u.gone = append(u.content, b...), true
	d := digest.FromBytes(u.content)
	header := []string{}
	if ranged {
		header = []string{"Content-Range", span}
	}
	a := m.s.ask("PUT", with(u.now, "digest="+string(d)), b, header...).has("commit", 201, "Docker-Content-Digest", string(d))
	if got := m.s.ask("GET", a.location(), nil).has("the blob", 200); !bytes.Equal(got.body, u.content) {
		m.s.t.Errorf("the blob has %x, want %x", got.body, u.content)
	}
}
