package server

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// net/http decides what is sent, and would refuse with plain text: that must be
// refused beforehand, with an error of the protocol, and nothing else.
func FuzzRangesAreRefusedWhenNetHTTPWould(f *testing.F) {
	for _, header := range []string{
		"bytes=0-0", "bytes=5-", "bytes=-5", "bytes=0-999", "bytes=10-", "bytes=9-3", "bytes=", "bytes=,", "bytes=0-1,20-30", "bytes= 1 - 2 , 3-4",
		"bytes=-0", "lines=1-2", "bytes=a-b", "bytes=1", "bytes=+1-2", "bytes=--1", "bytes=99999999999999999999-", "bytes=20-5,0-1",
	} {
		f.Add(header, uint8(10))
	}
	f.Fuzz(func(t *testing.T, header string, size uint8) {
		if header == "" || size == 0 {
			return
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Range"] = []string{header}
		w := httptest.NewRecorder()
		http.ServeContent(w, r, "x", time.Time{}, bytes.NewReader(make([]byte, size)))
		refuses := w.Code == http.StatusRequestedRangeNotSatisfiable
		if refuses == satisfiable(header, int64(size)) && (refuses || !emptySuffix(header)) {
			t.Errorf("%q of %d bytes: net/http answers %d, satisfiable is %v", header, size, w.Code, refuses)
		}
	})
}

// emptySuffix reports whether a header asks for the last no bytes.
func emptySuffix(header string) bool {
	for spec := range strings.SplitSeq(strings.TrimPrefix(header, "bytes="), ",") {
		if last, ok := strings.CutPrefix(trim(spec), "-"); ok && strings.Trim(trim(last), "+0") == "" {
			return true
		}
	}
	return false
}

func FuzzContentRange(f *testing.F) {
	for _, s := range []string{"0-0", "5-4", "0-", "-1", "bytes 0-9/10", "1-2-3", "+1-2", "99999999999999999999-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if first, last, ok := parseContentRange(s); ok && (first < 0 || last < first) {
			t.Errorf("%q is read as %d to %d", s, first, last)
		}
	})
}
