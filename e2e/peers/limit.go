//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// recorded is a response that the limit gives again, byte for byte.
type recorded struct {
	Method, Target string
	Header         [][2]string
	Body           []byte
}

// limit starts this program again, as the server that does only what must be
// done.
func (o *options) limit(p *peer) (args, env []string, err error) {
	self, err := os.Executable()
	return []string{self, "limit", p.addr, p.data}, nil, err
}

// record lets a registry answer, for the limit to repeat.
func record(from *peer, data string, requests [][2]string) error {
	c, err := dial(from.addr)
	if err != nil {
		return err
	}
	defer c.close()
	var all []recorded
	for _, q := range requests {
		r, err := c.do(request(q[0], q[1], accept), q[0] == "HEAD")
		if err != nil || r.status != 200 {
			return errors.Join(err, fmt.Errorf("%s %s gives %d", q[0], q[1], r.status))
		}
		one := recorded{Method: q[0], Target: q[1], Body: append([]byte(nil), r.body...)}
		for line := range strings.Lines(string(r.header)) {
			k, v, _ := strings.Cut(strings.TrimSpace(line), ": ")
			if k != "Date" {
				one.Header = append(one.Header, [2]string{k, v})
			}
		}
		all = append(all, one)
	}
	b, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(data, "recorded.json"), b, 0o644)
}

// bare is the limit: net/http with the least that keeps the promise.
type bare struct {
	dir     string
	answers map[string]recorded
	count   atomic.Int64
	open    sync.Map // target → *upload
	buffers sync.Pool
}

type upload struct {
	file *os.File
	sum  []byte
}

// runLimit serves until it is told to end.
func runLimit(addr, dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	b := &bare{dir: dir, answers: map[string]recorded{}}
	b.buffers.New = func() any { return new([mib]byte) }
	content, err := os.ReadFile(filepath.Join(dir, "recorded.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var all []recorded
	if err == nil {
		if err := json.Unmarshal(content, &all); err != nil {
			return err
		}
	}
	for _, r := range all {
		b.answers[r.Method+" "+r.Target] = r
	}
	s := &http.Server{Addr: addr, Handler: b}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (b *bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var err error
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		b.answer(w, r)
	case r.Method == http.MethodPost && r.URL.Query().Has("mount"):
		err = b.keep(strings.NewReader(r.URL.Query().Get("mount")))
		if err == nil {
			w.Header().Set("Location", r.URL.Path)
			w.WriteHeader(http.StatusCreated)
		}
	case r.Method == http.MethodPost:
		w.Header().Set("Location", "/sink/"+strconv.FormatInt(b.count.Add(1), 10))
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPatch:
		err = b.patch(w, r)
	case strings.HasPrefix(r.URL.Path, "/sink/"):
		err = b.commit(w, r)
	default: // a manifest
		if err = b.keep(r.Body); err == nil {
			w.WriteHeader(http.StatusCreated)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (b *bare) answer(w http.ResponseWriter, r *http.Request) {
	a, ok := b.answers[r.Method+" "+r.RequestURI]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	for _, kv := range a.Header {
		h[kv[0]] = append(h[kv[0]], kv[1])
	}
	_, _ = w.Write(a.Body)
}

// patch hashes and writes in one pass.
func (b *bare) patch(w http.ResponseWriter, r *http.Request) error {
	f, err := os.Create(filepath.Join(b.dir, strings.ReplaceAll(r.URL.Path, "/", "-")))
	if err != nil {
		return err
	}
	buffer, _ := b.buffers.Get().(*[mib]byte)
	defer b.buffers.Put(buffer)
	h := sha256.New()
	// The writer hides the file's ReadFrom, which would take no buffer.
	if _, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(f, h)}, r.Body, buffer[:]); err != nil {
		return errors.Join(err, f.Close())
	}
	b.open.Store(r.URL.Path, &upload{f, h.Sum(nil)})
	w.Header().Set("Location", r.URL.Path)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// commit ends an upload, or takes a small blob at once.
func (b *bare) commit(w http.ResponseWriter, r *http.Request) error {
	if u, ok := b.open.LoadAndDelete(r.URL.Path); ok {
		u, _ := u.(*upload)
		if "sha256:"+hex.EncodeToString(u.sum) != r.URL.Query().Get("digest") {
			return errors.Join(errors.New("another digest"), u.file.Close())
		}
		if err := errors.Join(u.file.Sync(), u.file.Close(), os.Rename(u.file.Name(), u.file.Name()+".done")); err != nil {
			return err
		}
	} else if err := b.keep(r.Body); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

// keep writes a small file: hash, write, sync, rename.
func (b *bare) keep(body io.Reader) error {
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	name := filepath.Join(b.dir, fmt.Sprintf("small-%d-%x", b.count.Add(1), sum[:4]))
	f, err := os.Create(name + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close(), os.Rename(name+".new", name))
}
