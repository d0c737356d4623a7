package control_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"berth/app"
	"berth/app/apptest"
	"berth/app/control"
)

// folder is a short path, so that the socket fits into it.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "b")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func serve(t *testing.T, s app.Service) (*control.Client, context.CancelFunc) {
	t.Helper()
	data := folder(t)
	l, err := control.Listen(data)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- control.Serve(ctx, l, s) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("serve ended with %v", err)
		}
	})
	c, err := control.Dial(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, cancel
}

func TestEveryMethodOfTheServiceCrossesTheSocket(t *testing.T) {
	t.Parallel()
	fake := apptest.New()
	client, _ := serve(t, fake)
	service := reflect.TypeFor[app.Service]()
	for i := range service.NumMethod() {
		name := service.Method(i).Name
		method := reflect.ValueOf(client).MethodByName(name)
		request := reflect.New(method.Type().In(1)).Elem()
		for f := range request.NumField() {
			if field := request.Field(f); field.Kind() == reflect.String {
				field.SetString("probe-" + request.Type().Field(f).Name)
			}
		}
		out := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), request})
		if name == "Watch" {
			for range client.Watch(t.Context(), app.WatchRequest{}) {
				break
			}
		}
		_ = out
		calls := fake.Calls(name)
		if len(calls) != 1 {
			t.Errorf("%s arrived %d times", name, len(calls))
			continue
		}
		if !reflect.DeepEqual(calls[0].Request, request.Interface()) {
			t.Errorf("%s: sent %+v, arrived %+v", name, request.Interface(), calls[0].Request)
		}
	}
}

func TestAReplyArrivesWhole(t *testing.T) {
	t.Parallel()
	fake := apptest.New()
	client, _ := serve(t, fake)
	want, err := fake.Tags(t.Context(), app.TagsRequest{Repository: "acme/checkout"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.Tags(t.Context(), app.TagsRequest{Repository: "acme/checkout"})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestAProblemCrossesTheSocketWhole(t *testing.T) {
	t.Parallel()
	fake := apptest.New()
	client, _ := serve(t, fake)
	want := &app.Problem{Code: "c", Severity: "warning", Title: "t", Text: "x", Fix: "f", Command: "cmd", Exit: 4}
	fake.Fail("Delete", want)
	_, err := client.Delete(t.Context(), app.DeleteRequest{})
	var got *app.Problem
	if !errors.As(err, &got) || *got != *want {
		t.Errorf("got %#v, want %#v", err, want)
	}
	fake.Fail("Tags", errors.New("plain"))
	if _, err = client.Tags(t.Context(), app.TagsRequest{}); !errors.As(err, &got) || !strings.Contains(got.Text, "plain") {
		t.Errorf("a plain error arrived as %#v", err)
	}
}

func TestNoticesArriveAndTheStreamEndsWithTheInstance(t *testing.T) {
	t.Parallel()
	fake := apptest.New()
	client, stop := serve(t, fake)
	var kinds []app.NoticeKind
	var last error
	for n, err := range client.Watch(t.Context(), app.WatchRequest{Window: true}) {
		if last = err; err != nil {
			break
		}
		kinds = append(kinds, n.Kind)
		switch n.Kind {
		case app.NoticeHello:
			if r, err := client.OpenWindow(t.Context(), app.OpenWindowRequest{}); err != nil || !r.Raised {
				t.Errorf("raise: %+v %v", r, err)
			}
		case app.NoticeRaise:
			stop()
		}
	}
	if len(kinds) != 2 || kinds[1] != app.NoticeRaise {
		t.Errorf("notices %v", kinds)
	}
	if !errors.Is(last, control.ErrNotRunning) {
		t.Errorf("the stream ended with %v", last)
	}
}

func TestACancelledCallGivesTheContextsError(t *testing.T) {
	t.Parallel()
	fake := apptest.New()
	client, _ := serve(t, fake)
	defer fake.Hold("Status")()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := client.Status(ctx, app.StatusRequest{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestNobodyThereIsErrNotRunningAtOnce(t *testing.T) {
	t.Parallel()
	data := folder(t)
	if _, err := control.Dial(t.Context(), data); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("no socket: %v", err)
	}
	l, err := control.Listen(data)
	if err != nil {
		t.Fatal(err)
	}
	left := control.Path(data) + ".left"
	// A crash leaves the file behind; a closing listener would remove it.
	if err := os.Rename(control.Path(data), left); err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := os.Rename(left, control.Path(data)); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, err := control.Dial(t.Context(), data); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("dead socket: %v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("it took %v to notice a dead socket", d)
	}
	l, err = control.Listen(data)
	if err != nil {
		t.Fatalf("listening where a dead socket lies: %v", err)
	}
	_ = l.Close()
}

func TestTheSocketIsForThisUserOnlyAndItsPathFits(t *testing.T) {
	t.Parallel()
	data := folder(t)
	l, err := control.Listen(data)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{control.Path(data): 0o600, filepath.Dir(control.Path(data)): 0o700} {
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v %v, want %v", path, info.Mode(), err, want)
			}
		}
	}
	deep := filepath.Join(data, strings.Repeat("folder/", 30))
	if p := control.Path(deep); len(p) >= 104 || p == control.Path(deep+"x") {
		t.Errorf("path %q of %d bytes", p, len(p))
	}
}

func TestAnotherProgramOnTheSocketIsAProblem(t *testing.T) {
	t.Parallel()
	data := folder(t)
	l, err := control.Listen(data)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	answers := []string{"404 Not Found\r\nContent-Length: 4", "404 Not Found\r\nContent-Length: 4", "200 OK\r\nContent-Length: 4"}
	next := func() string {
		first := answers[0]
		answers = answers[1:]
		return first
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			answer(c, next())
		}
	}()
	c, err := control.Dial(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err = c.Status(t.Context(), app.StatusRequest{})
		var p *app.Problem
		if !errors.As(err, &p) || p.Code != "other_version" {
			t.Errorf("got %v", err)
		}
	}
	_ = l.Close()
	<-done
}

func answer(c net.Conn, status string) {
	buffer := make([]byte, 4096)
	_, _ = c.Read(buffer)
	_, _ = c.Write([]byte("HTTP/1.1 " + status + "\r\nConnection: close\r\n\r\nwhat"))
	_ = c.Close()
}
