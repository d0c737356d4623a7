package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"berth/app/config"
	"berth/app/job"
	"berth/app/single"
	"berth/registry"
	"berth/registry/driver"
)

func TestALocalImageGetsTheNameThatOneExpects(t *testing.T) {
	t.Parallel()
	here := []string{"acme/checkout", "a/twice", "b/twice", "bare", "mirror/library/postgres", "library/redis"}
	pulled := EngineImage{Digests: []string{"postgres@sha256:1", "redis@sha256:1"}}
	for _, tc := range []struct {
		name  string
		image EngineImage
		want  string
	}{
		{"ghcr.io/acme/app:v1", EngineImage{}, "acme/app:v1"},
		{"localhost:5000/team/app:v1", EngineImage{}, "team/app:v1"},
		{"localhost/app:dev", EngineImage{}, "app:dev"},
		{"acme/app:v1", EngineImage{}, "acme/app:v1"},
		{"checkout:dev", EngineImage{}, "checkout:dev"},
		{"checkout:dev", EngineImage{Containerd: true, Digests: []string{"checkout@sha256:1"}}, "checkout:dev"},
		{"twice:1", EngineImage{}, "twice:1"},
		{"bare:1", EngineImage{}, "bare:1"},
		{"postgres:16", pulled, "library/postgres:16"},
		{"redis:7", pulled, "library/redis:7"},
		{"postgres:16", EngineImage{}, "postgres:16"},
		{"nginx:1", EngineImage{Containerd: true, Digests: []string{"nginx@sha256:1"}}, "library/nginx:1"},
		{"new", EngineImage{}, "new:latest"},
		{"<none>:<none>", EngineImage{}, ""},
		{"Bad:1", EngineImage{}, ""},
	} {
		got := suggestName(tc.image, tc.name, here)
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
		if repo, tag, _ := splitName(got); got != "" && (registry.ParseName(repo) != nil || registry.ParseTag(tag) != nil) {
			t.Errorf("%s: %q is no valid name", tc.name, got)
		}
	}
}

func TestAStepOfAHistoryReadsAsInTheDockerfile(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]string{
		`/bin/sh -c #(nop) ADD file:1f2a in / `:                               "ADD file:1f2a in /",
		`/bin/sh -c #(nop)  CMD ["bash"]`:                                     `CMD ["bash"]`,
		`/bin/sh -c apt-get update && apt-get install -y curl`:                "RUN apt-get update && apt-get install -y curl",
		`RUN /bin/sh -c apt-get install -y ca-certificates tzdata # buildkit`: "RUN apt-get install -y ca-certificates tzdata",
		`COPY checkout /usr/local/bin/checkout # buildkit`:                    "COPY checkout /usr/local/bin/checkout",
		`|1 VERSION=3 /bin/sh -c make`:                                        "RUN make",
		`RUN |2 A=1 B="x y" /bin/sh -c make all # buildkit`:                   "RUN make all",
		`RUN /bin/bash -o pipefail -c curl x`:                                 "RUN /bin/bash -o pipefail -c curl x",
		`# debian.sh --arch 'amd64' out/ 'bookworm'`:                          "# debian.sh --arch 'amd64' out/ 'bookworm'",
		"/bin/sh -c set -eux; \tapt-get update; \n rm -rf /x":                 "RUN set -eux; apt-get update; rm -rf /x",
		`cmd /S /C #(nop) ENTRYPOINT ["app.exe"]`:                             `ENTRYPOINT ["app.exe"]`,
		``: "",
	} {
		if got := createdBy(step); got != want {
			t.Errorf("%q\n got %q\nwant %q", step, got, want)
		}
	}
}

func TestEveryErrorHasATextForPeopleAndAnExitCode(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		code string
		exit int
	}{
		"own":         {fmt.Errorf("x: %w", &Problem{Code: "mine", Title: "t", Exit: 5}), "mine", 5},
		"locked":      {&single.HeldError{Data: "/d", PID: 7, Address: "localhost:5000"}, "data_locked", 4},
		"config":      {&config.Error{Kind: config.Unsupported, Key: "auth", Err: errors.New("no")}, "config_unsupported", 2},
		"config file": {&config.Error{Kind: config.Unreadable, Err: errors.New("no")}, "config_unreadable", 2},
		"config bad":  {&config.Error{Kind: config.Invalid, Key: "log.level", Err: errors.New("no")}, "config_invalid", 2},
		"full":        {fmt.Errorf("put: %w", driver.ErrNoSpace), "disk_full", 1},
		"full beside": {&fs.PathError{Op: "write", Path: "/tmp/x", Err: syscall.ENOSPC}, "disk_full", 1},
		"read-only":   {driver.ErrReadOnly, "read_only", 4},
		"permission":  {&fs.PathError{Op: "open", Path: "/x", Err: fs.ErrPermission}, "permission", 1},
		"cancelled":   {context.Canceled, "cancelled", 1},
		"slow":        {context.DeadlineExceeded, "timeout", 1},
		"absent":      {registry.ErrManifestUnknown.WithDetail("v1"), "not_found", 3},
		"bad name":    {registry.ErrNameInvalid, "name_invalid", 2},
		"bad tag":     {registry.ErrTagInvalid, "tag_invalid", 2},
		"denied":      {registry.ErrDenied, "denied", 1},
		"several":     {registry.Errors{registry.ErrManifestBlobUnknown}, "manifest_blob_unknown", 1},
		"no job":      {job.ErrUnknown, "not_found", 3},
		"closing":     {job.ErrClosed, "quitting", 4},
		"other":       {errors.New("what"), "error", 1},
	} {
		p := AsProblem(tc.err)
		if p.Code != tc.code || p.Exit != tc.exit || p.Title == "" {
			t.Errorf("%s: %+v", name, p)
		}
		if p.Fix == "" && name != "own" && name != "cancelled" {
			t.Errorf("%s: %+v says no way out", name, p)
		}
	}
	if AsProblem(nil) != nil {
		t.Error("no error is a problem")
	}
}

func TestLittleRoomIsSaidInTime(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		free, total int64
		want        string
	}{
		{100 << 30, 500 << 30, ""},
		{3 << 30, 500 << 30, ""},
		{1 << 30, 500 << 30, "disk_low"},
		{1 << 30, 8 << 30, ""},
		{100 << 20, 8 << 30, "disk_full"},
		{0, 8 << 30, "disk_full"},
	} {
		p, code := roomProblem(tc.free, tc.total), ""
		if p != nil {
			code = p.Code
		}
		if code != tc.want {
			t.Errorf("%d of %d: %q, want %q", tc.free, tc.total, code, tc.want)
		}
	}
}

func TestWhoHasThePortIsSaidByName(t *testing.T) {
	t.Parallel()
	airplay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "AirTunes/760.20.1")
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(airplay.Close)
	reg := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	}))
	t.Cleanup(reg.Close)
	noEngine := func(context.Context, string, ...string) (string, error) { return "", errors.New("no engine") }
	docker := func(_ context.Context, name string, args ...string) (string, error) {
		if name != "docker" || !slices.Contains(args, "publish="+fmt.Sprint(portOf(reg.Listener.Addr().String()))) {
			return "", errors.New("no")
		}
		return `{"name":"registry","image":"registry:2"}` + "\n", nil
	}
	podman := func(_ context.Context, name string, _ ...string) (string, error) {
		if name == "docker" {
			return "", errors.New("no docker")
		}
		return `{"name":["reg"],"image":"docker.io/library/registry:3"}`, nil
	}
	nobody := func(context.Context, int) (int, string, bool) { return 0, "", false }
	as := func(pid int, name string) func(context.Context, int) (int, string, bool) {
		return func(context.Context, int) (int, string, bool) { return pid, name, true }
	}
	for name, tc := range map[string]struct {
		url     string
		run     func(context.Context, string, ...string) (string, error)
		process func(context.Context, int) (int, string, bool)
		text    string
		command string
	}{
		"airplay":   {airplay.URL, noEngine, nobody, "AirPlay Receiver", ""},
		"container": {reg.URL, docker, nobody, "container “registry” (registry:2)", "docker stop registry"},
		"podman":    {reg.URL, podman, nobody, "container “reg”", "docker stop reg"},
		"registry":  {reg.URL, noEngine, nobody, "another container registry", ""},
		"berth":     {reg.URL, noEngine, as(12, "berth"), "another Berth (process 12)", ""},
		"process":   {reg.URL, noEngine, as(34, "nginx"), "“nginx” (process 34)", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProber()
			p.run, p.process = tc.run, tc.process
			addr := strings.TrimPrefix(tc.url, "http://")
			h := p.find(t.Context(), portOf(addr))
			moved := portTaken(addr, h, "localhost:5001")
			if !strings.Contains(moved.Text, tc.text) || !strings.Contains(moved.Title, "localhost:5001") || moved.Severity != "warning" || moved.Command != tc.command {
				t.Errorf("moved: %+v", moved)
			}
			failed := portTaken(addr, h, "")
			if failed.Exit != 4 || failed.Fix == "" || failed.Command == "" {
				t.Errorf("failed: %+v", failed)
			}
		})
	}
}

func TestTheProcessBehindAPortIsFound(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	pid, name, ok := portProcess(t.Context(), portOf(l.Addr().String()))
	if !ok {
		if _, err := os.Stat("/proc/net/tcp"); err == nil {
			t.Error("this process was not found behind its own port")
		}
		return
	}
	if pid != os.Getpid() || name == "" {
		t.Errorf("found process %d %q, this one is %d", pid, name, os.Getpid())
	}
}

func TestNoticesComeAtOnceThenAtMostTenTimesASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		ctx, cancel := context.WithCancel(t.Context())
		type seen struct {
			n  Notice
			at time.Duration
		}
		var got []seen
		start, done := time.Now(), make(chan struct{})
		go func() {
			defer close(done)
			for n, err := range h.watch(ctx, WatchRequest{}) {
				if err != nil {
					t.Error(err)
				}
				got = append(got, seen{n, time.Since(start)})
			}
		}()
		synctest.Wait()
		time.Sleep(time.Second)
		pushed := time.Since(start)
		for range 1000 {
			h.notify(Notice{Kind: NoticeImages, Repository: "a/b"}, false)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		cancel()
		<-done
		if got[0].n.Kind != NoticeHello || got[0].at != 0 {
			t.Errorf("first %+v", got[0])
		}
		if got[1].at != pushed {
			t.Errorf("the first change waited %v", got[1].at-pushed)
		}
		if n := len(got) - 1; n < 9 || n > 12 {
			t.Errorf("%d notices in a second", n)
		}
	})
}

func TestManyNoticesBecomeOneThatSaysLookAtAll(t *testing.T) {
	t.Parallel()
	h := newHub()
	w := h.join(false)
	for i := range 200 {
		h.notify(Notice{Kind: NoticeImages, Repository: fmt.Sprint(i)}, false)
	}
	h.notify(Notice{Kind: NoticeJobEnd, Job: "j"}, false)
	queue, _ := h.take(w)
	if len(queue) != 3 || queue[1] != (Notice{Kind: NoticeImages}) || queue[2].Job != "j" {
		t.Errorf("queue %v", queue)
	}
}

func TestOnlyWindowsAreRaised(t *testing.T) {
	t.Parallel()
	h := newHub()
	if h.notify(Notice{Kind: NoticeRaise}, true) != 0 {
		t.Error("raised nobody's window")
	}
	window, other := h.join(true), h.join(false)
	if n := h.notify(Notice{Kind: NoticeRaise}, true); n != 1 || h.windows() != 1 {
		t.Errorf("raised %d of %d windows", n, h.windows())
	}
	if q, _ := h.take(other); len(q) != 1 {
		t.Errorf("another watcher got %v", q)
	}
	if q, _ := h.take(window); len(q) != 2 {
		t.Errorf("the window got %v", q)
	}
}

func TestTheAddressIsSaidAsPeopleTypeIt(t *testing.T) {
	t.Parallel()
	for _, tc := range [][3]string{
		{"localhost:5000", "127.0.0.1:5000", "localhost:5000"},
		{"localhost:0", "127.0.0.1:40001", "localhost:40001"},
		{":5000", "[::]:5000", "localhost:5000"},
		{"0.0.0.0:5000", "0.0.0.0:5000", "localhost:5000"},
		{"127.0.0.1:0", "127.0.0.1:40001", "127.0.0.1:40001"},
		{"[::1]:5000", "[::1]:5000", "[::1]:5000"},
		{"reg.lan:5000", "192.168.1.5:5000", "reg.lan:5000"},
	} {
		if got := peopleAddress(tc[0], []string{tc[1]}); got != tc[2] {
			t.Errorf("%s bound to %s: %s, want %s", tc[0], tc[1], got, tc[2])
		}
	}
	if got := next("localhost:5000", 2); got != "localhost:5002" {
		t.Errorf("next is %s", got)
	}
}

func TestALockedFolderIsNamedInTheCommandThatHelps(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		config.DefaultData(): "berth status",
		"/srv/registry":      "berth status --data /srv/registry",
		"/srv/it's here":     `berth status --data '/srv/it'\''s here'`,
	} {
		if p := AsProblem(&single.HeldError{Data: data}); p.Command != want {
			t.Errorf("%s: %s", data, p.Command)
		}
	}
}

func TestWhatHelpsAgainstAnAddressThatCannotBeHad(t *testing.T) {
	t.Parallel()
	for fix, err := range map[string]error{
		"below 1024":      fmt.Errorf("listen: %w", syscall.EACCES),
		"of this machine": fmt.Errorf("listen: %w", syscall.EADDRNOTAVAIL),
	} {
		if p := cannotListen("127.0.0.1:80", err); !strings.Contains(p.Fix, fix) || p.Exit != exitError {
			t.Errorf("%v: %q, exit %d", err, p.Fix, p.Exit)
		}
	}
}

func TestTheEndDoesNotWaitLongForASilentMailServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // it takes connections, and says nothing
	var said bytes.Buffer
	m := startMailer(config.LogHook{MailOptions: config.MailOptions{SMTP: config.SMTP{Addr: l.Addr().String()}}}, slog.New(slog.NewTextHandler(&said, nil)))
	m.grace = 10 * time.Millisecond
	for range 3 {
		m.take(letter{})
	}
	began := time.Now()
	if err := m.close(); err != nil || time.Since(began) > mailTime/2 {
		t.Errorf("it ended after %v: %v", time.Since(began), err)
	}
	lost := 0
	for line := range strings.Lines(said.String()) {
		var n int
		if _, counts, ok := strings.Cut(line, "count="); ok {
			_, _ = fmt.Sscan(counts, &n)
		}
		lost += n
	}
	if lost != 3 {
		t.Errorf("%d are said to be lost: %s", lost, said.String())
	}
}
