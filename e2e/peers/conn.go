//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"syscall"
)

// conn is one keep-alive connection. It blocks in the system call, without the
// poller of the runtime, so that a round trip costs two wake-ups and no more.
type conn struct {
	fd   int
	in   []byte
	r, w int // in[r:w] is read and not used
}

// response is valid until the next call on its conn.
type response struct {
	status int
	header []byte // without the status line
	length int64  // -1 when chunked
	body   []byte
}

var errClosed = errors.New("the server closed the connection")

func dial(addr string) (*conn, error) {
	a, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	// A server that hangs must fail the run, not hang it.
	limit := syscall.Timeval{Sec: 60}
	err = errors.Join(
		syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}),
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &limit),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect to %s: %w", addr, err), syscall.Close(fd))
	}
	return &conn{fd: fd, in: make([]byte, 16<<10)}, nil
}

func (c *conn) close() { _ = syscall.Close(c.fd) }

func (c *conn) send(b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Write(c.fd, b)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("send: %w", err)
		}
		b = b[n:]
	}
	return nil
}

// fill reads once, into a buffer that grows with the response.
func (c *conn) fill() error {
	if c.r == c.w {
		c.r, c.w = 0, 0
	}
	if c.w == len(c.in) {
		if c.r > 0 {
			c.w = copy(c.in, c.in[c.r:c.w])
			c.r = 0
		} else {
			c.in = append(c.in, make([]byte, len(c.in))...)
		}
	}
	n, err := c.read(c.in[c.w:])
	c.w += n
	return err
}

func (c *conn) read(b []byte) (int, error) {
	for {
		n, err := syscall.Read(c.fd, b)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return 0, fmt.Errorf("receive: %w", err)
		case n == 0:
			return 0, errClosed
		}
		return n, nil
	}
}

// do sends a request and gives its response, with the body.
func (c *conn) do(request []byte, head bool) (*response, error) {
	if err := c.send(request); err != nil {
		return nil, err
	}
	return c.receive(head)
}

func (c *conn) receive(head bool) (*response, error) {
	for {
		r, used, err := parse(c.in[c.r:c.w], head)
		if err != nil {
			return nil, err
		}
		if used > 0 {
			c.r += used
			return &r, nil
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// discard sends a request and reads the body away, through sink if there is one.
func (c *conn) discard(request, buffer []byte, sink io.Writer) (int64, error) {
	if err := c.send(request); err != nil {
		return 0, err
	}
	var r response
	var used int
	var err error
	for {
		if r, used, err = parse(c.in[c.r:c.w], true); err != nil {
			return 0, err
		}
		if used > 0 {
			break
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
	if r.status != 200 || r.length < 0 {
		return 0, fmt.Errorf("status %d, length %d", r.status, r.length)
	}
	c.r += used
	left, length := r.length, r.length
	first := c.in[c.r:min(c.w, c.r+int(left))]
	c.r += len(first)
	left -= int64(len(first))
	if sink != nil {
		_, _ = sink.Write(first)
	}
	for left > 0 {
		n, err := c.read(buffer[:min(int64(len(buffer)), left)])
		if err != nil {
			return 0, err
		}
		if sink != nil {
			_, _ = sink.Write(buffer[:n])
		}
		left -= int64(n)
	}
	return length, nil
}

// parse finds one whole response at the start of b; used is 0 while it is not
// whole. With head there is no body, or the caller reads it.
func parse(b []byte, head bool) (r response, used int, err error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return r, 0, nil
	}
	if len(b) < 12 || !bytes.HasPrefix(b, []byte("HTTP/1.1 ")) {
		return r, 0, fmt.Errorf("no HTTP response: %.40q", b)
	}
	r.status = int(b[9]-'0')*100 + int(b[10]-'0')*10 + int(b[11]-'0')
	r.header = b[bytes.IndexByte(b, '\n')+1 : end+2]
	body := b[end+4:]
	if v := r.get("Content-Length"); v != nil {
		if r.length, err = strconv.ParseInt(string(v), 10, 64); err != nil {
			return r, 0, fmt.Errorf("content length %q", v)
		}
	} else if r.get("Transfer-Encoding") != nil {
		r.length = -1
	}
	switch {
	case head || r.status == 204 || r.status == 304:
		return r, end + 4, nil
	case r.length < 0:
		var n int
		if r.body, n, err = unchunk(body); n == 0 || err != nil {
			return r, 0, err
		}
		return r, end + 4 + n, nil
	case int64(len(body)) < r.length:
		return r, 0, nil
	}
	r.body = body[:r.length]
	return r, end + 4 + int(r.length), nil
}

// get gives the value of a header, nil when it is not there.
func (r *response) get(name string) []byte {
	for rest := r.header; len(rest) > 0; {
		line := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if len(line) > len(name) && line[len(name)] == ':' && bytes.EqualFold(line[:len(name)], []byte(name)) {
			return bytes.TrimSpace(line[len(name)+1:])
		}
	}
	return nil
}

// unchunk gives the body of a chunked response; used is 0 while it is not whole.
func unchunk(b []byte) (body []byte, used int, err error) {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return nil, 0, nil
		}
		size, err := strconv.ParseUint(string(bytes.TrimSpace(b[at:at+i])), 16, 31)
		if err != nil {
			return nil, 0, fmt.Errorf("chunk size: %w", err)
		}
		at += i + 1
		if len(b) < at+int(size)+2 {
			return nil, 0, nil
		}
		body = append(body, b[at:at+int(size)]...)
		at += int(size) + 2
		if size == 0 {
			return body, at, nil
		}
	}
}
