package app

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"berth/app/config"
	"berth/registry/httpd"
)

// TestTheEndDoesNotWaitForASilentClient has a client that began an upload and
// sends nothing more, and one that goes on sending.
func TestTheEndDoesNotWaitForASilentClient(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ sending bool }{"silent": {false}, "sending": {true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := config.Load("", []string{"REGISTRY_HTTP_DRAINTIMEOUT=20s"}, config.Flags{Data: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			c := newCore(Options{Config: cfg})
			c.silence = 200 * time.Millisecond
			begun, received := make(chan struct{}), make(chan int64, 1)
			api := httpd.New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				close(begun)
				n, _ := io.Copy(io.Discard, r.Body)
				received <- n
			}), httpd.Options{})
			ls, err := httpd.Listen(t.Context(), "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- api.Serve(ls...) }()
			body, in := io.Pipe()
			asked := make(chan struct{})
			go func() {
				defer close(asked)
				r, _ := http.NewRequest(http.MethodPatch, "http://"+ls[0].Addr().String()+"/v2/a/blobs/uploads/x", body)
				if response, err := http.DefaultTransport.RoundTrip(r); err == nil {
					_ = response.Body.Close()
				}
			}()
			_, _ = in.Write([]byte("a"))
			<-begun
			if tc.sending {
				go trickle(in)
			}
			start := time.Now()
			c.drain(context.Background(), api)
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("it took %v", took)
			}
			if n := <-received; tc.sending && n != 11 || !tc.sending && n != 1 {
				t.Errorf("%d bytes arrived", n)
			}
			_ = in.Close()
			<-asked
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}

// trickle sends ten bytes, slowly, and ends.
func trickle(in *io.PipeWriter) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 10 {
		<-tick.C
		_, _ = in.Write([]byte("a"))
	}
	_ = in.Close()
}
