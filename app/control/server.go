package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"berth/app"
)

const (
	// maxRequest is far above any request: thousands of tag names.
	maxRequest = 4 << 20
	// drain is how long answers under way may take once serving ends.
	drain = 5 * time.Second
)

// Serve answers on l until ctx ends, then finishes what is being answered,
// ends the watch streams, and closes l. It returns nil after a clean end.
func Serve(ctx context.Context, l net.Listener, s app.Service) error {
	server := &http.Server{
		Handler:           handler(ctx, s),
		ReadHeaderTimeout: 10 * time.Second,
		// A reply on its way, Quit's own among them, outlives ctx.
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := server.Shutdown(late)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	<-ended
	return err
}

// handler has a route for each method of the Service. Watch streams end with
// life.
func handler(life context.Context, s app.Service) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	handle(mux, "Snapshot", s.Snapshot)
	handle(mux, "Tags", s.Tags)
	handle(mux, "Inspect", s.Inspect)
	handle(mux, "Retag", s.Retag)
	handle(mux, "Delete", s.Delete)
	handle(mux, "Trash", s.Trash)
	handle(mux, "Restore", s.Restore)
	handle(mux, "LocalImages", s.LocalImages)
	handle(mux, "Push", s.Push)
	handle(mux, "Pull", s.Pull)
	handle(mux, "Import", s.Import)
	handle(mux, "Health", s.Health)
	handle(mux, "Jobs", s.Jobs)
	handle(mux, "Cancel", s.Cancel)
	handle(mux, "Status", s.Status)
	handle(mux, "OpenWindow", s.OpenWindow)
	handle(mux, "Quit", s.Quit)
	upkeep(mux, s)
	mux.HandleFunc("POST /v1/Watch", func(w http.ResponseWriter, r *http.Request) { watch(life, w, r, s) })
	return mux
}

func upkeep(mux *http.ServeMux, s app.Service) {
	handle(mux, "DeleteRepository", s.DeleteRepository)
	handle(mux, "EmptyTrash", s.EmptyTrash)
	handle(mux, "Pin", s.Pin)
	handle(mux, "Pins", s.Pins)
	handle(mux, "Usage", s.Usage)
	handle(mux, "PlanCleanup", s.PlanCleanup)
	handle(mux, "RunCleanup", s.RunCleanup)
	handle(mux, "Cleanups", s.Cleanups)
	handle(mux, "Rules", s.Rules)
	handle(mux, "SetRules", s.SetRules)
	handle(mux, "PreviewRules", s.PreviewRules)
	handle(mux, "ApplyRules", s.ApplyRules)
	handle(mux, "Verify", s.Verify)
	handle(mux, "Verification", s.Verification)
	handle(mux, "Repair", s.Repair)
	handle(mux, "Settings", s.Settings)
	handle(mux, "Apply", s.Apply)
}

func handle[Req, Reply any](mux *http.ServeMux, name string, call func(context.Context, Req) (Reply, error)) {
	mux.HandleFunc("POST /v1/"+name, func(w http.ResponseWriter, r *http.Request) {
		var request Req
		if err := decode(r, &request); err != nil {
			fail(w, err)
			return
		}
		reply, err := call(r.Context(), request)
		if err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// A caller that has gone away is all that can fail here.
		_ = json.NewEncoder(w).Encode(reply)
	})
}

func decode(r *http.Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxRequest))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return app.BadRequest(err)
	}
	return nil
}

func fail(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	_ = json.NewEncoder(w).Encode(app.AsProblem(err))
}

// line is one line of a watch stream: a notice, or the error that ends it.
type line struct {
	Notice  *app.Notice  `json:"notice,omitempty"`
	Problem *app.Problem `json:"problem,omitempty"`
}

func watch(life context.Context, w http.ResponseWriter, r *http.Request, s app.Service) {
	var request app.WatchRequest
	if err := decode(r, &request); err != nil {
		fail(w, err)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(life, cancel)()
	w.Header().Set("Content-Type", "application/x-ndjson")
	flush := http.NewResponseController(w)
	encoder := json.NewEncoder(w)
	for n, err := range s.Watch(ctx, request) {
		l := line{Notice: &n}
		if err != nil {
			l = line{Problem: app.AsProblem(err)}
		}
		if encoder.Encode(l) != nil || flush.Flush() != nil || err != nil {
			return
		}
	}
}
