package record

import (
	"io"
	"net/http"
	"sync"
)

// Response remembers status and length of a response. It hands ReadFrom
// through, which is what keeps sendfile: gorilla's own logging handler does so
// too, but counts nothing of what goes that way.
type Response struct {
	http.ResponseWriter
	// Status is that of the answer; 0 before it began.
	Status int
	// Bytes of the body so far.
	Bytes int64
}

var responses = sync.Pool{New: func() any { return new(Response) }}

// Get gives a Response around w. Who is done with it calls Put.
func Get(w http.ResponseWriter) *Response {
	r := responses.Get().(*Response)
	*r = Response{ResponseWriter: w}
	return r
}

// Put takes a Response back; nobody may use it any more.
func Put(r *Response) {
	*r = Response{}
	responses.Put(r)
}

// WriteHeader notes the status; one of the 1xx is not yet the answer.
func (r *Response) WriteHeader(status int) {
	if r.Status == 0 && status >= http.StatusOK {
		r.Status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts.
func (r *Response) Write(p []byte) (int, error) {
	r.Begin()
	n, err := r.ResponseWriter.Write(p)
	r.Bytes += int64(n)
	return n, err
}

// ReadFrom counts, and lets the connection take src as it is.
func (r *Response) ReadFrom(src io.Reader) (n int64, err error) {
	r.Begin()
	if rf, ok := r.ResponseWriter.(io.ReaderFrom); ok {
		n, err = rf.ReadFrom(src)
	} else {
		n, err = io.Copy(struct{ io.Writer }{r.ResponseWriter}, src)
	}
	r.Bytes += n
	return n, err
}

// Begin makes the status 200 where none was set, as net/http does.
func (r *Response) Begin() {
	if r.Status == 0 {
		r.Status = http.StatusOK
	}
}

// Flush sends what is buffered.
func (r *Response) Flush() {
	r.Begin()
	if f, ok := r.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Unwrap is for http.ResponseController.
func (r *Response) Unwrap() http.ResponseWriter { return r.ResponseWriter }
