package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"time"

	"berth/app"
)

// ErrNotRunning means that no instance answers for the data folder.
var ErrNotRunning = errors.New("berth is not running for this data folder")

// patience is how long an instance may take to say that it is there.
const patience = 2 * time.Second

// Client is the Service of the instance that runs. It is safe for concurrent
// use. A call that loses the instance fails with [ErrNotRunning].
type Client struct{ http *http.Client }

var _ app.Service = (*Client)(nil)

// Dial finds the instance of a data folder. Errors: [ErrNotRunning], also for a
// socket that nobody serves, or where nothing answers in time.
func Dial(ctx context.Context, data string) (*Client, error) {
	path := Path(data)
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialOwn(ctx, path)
		},
		MaxIdleConnsPerHost: 4,
	}
	c := &Client{&http.Client{Transport: transport}}
	asked, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(asked, http.MethodGet, "http://berth/v1", nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, lost(ctx, err)
	}
	_ = response.Body.Close()
	return c, nil
}

// dialOwn reaches the socket only when this user, or root, answers there: a path
// in a shared folder may be anybody's.
func dialOwn(ctx context.Context, path string) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if uid, known := peer(c); !trusted(uid, known) {
		return nil, errors.Join(fmt.Errorf("user %d answers on the control socket %s", uid, path), c.Close())
	}
	return c, nil
}

// Close lets go of idle connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

func lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", ErrNotRunning, err)
}

func (c *Client) post(ctx context.Context, method string, request any) (*http.Response, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode the request of %s: %w", method, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://berth/v1/"+method, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(r)
	if err != nil {
		return nil, lost(ctx, err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }()
	problem := &app.Problem{}
	if err := json.NewDecoder(response.Body).Decode(problem); err != nil || problem.Title == "" {
		return nil, app.OtherVersion(method, response.Status)
	}
	return nil, problem
}

func call[Req, Reply any](ctx context.Context, c *Client, method string, request Req) (Reply, error) {
	var reply Reply
	response, err := c.post(ctx, method, request)
	if err != nil {
		return reply, err
	}
	defer func() { _ = response.Body.Close() }()
	err = json.NewDecoder(response.Body).Decode(&reply)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax), errors.As(err, &kind):
		return reply, app.OtherVersion(method, "what this program does not understand")
	case err != nil:
		return reply, lost(ctx, err)
	}
	return reply, nil
}

// Watch yields the notices of the instance; losing it yields [ErrNotRunning].
func (c *Client) Watch(ctx context.Context, r app.WatchRequest) iter.Seq2[app.Notice, error] {
	return func(yield func(app.Notice, error) bool) {
		response, err := c.post(ctx, "Watch", r)
		if err != nil {
			if ctx.Err() == nil {
				yield(app.Notice{}, err)
			}
			return
		}
		defer func() { _ = response.Body.Close() }()
		for decoder := json.NewDecoder(response.Body); ; {
			var l line
			switch err := decoder.Decode(&l); {
			case ctx.Err() != nil:
				return
			case errors.Is(err, io.EOF), err != nil:
				yield(app.Notice{}, lost(ctx, err))
				return
			case l.Problem != nil:
				yield(app.Notice{}, l.Problem)
				return
			case l.Notice != nil && !yield(*l.Notice, nil):
				return
			}
		}
	}
}
