package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"berth/app"
	"berth/app/apptest"
	"berth/app/control"
)

var update = flag.Bool("update", false, "write the golden files anew")

// run executes one command line against a running fake.
func run(t *testing.T, f *apptest.Fake, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	d, out, errs := depsFor(f)
	code = Run(t.Context(), d, args)
	return code, out.String(), errs.String()
}

func depsFor(f *apptest.Fake) (Deps, *bytes.Buffer, *bytes.Buffer) {
	var out, errs bytes.Buffer
	return Deps{
		Version: Version{Version: "1.2.3", Go: "go1.26", OS: "linux", Arch: "amd64", Window: true},
		Dial: func(context.Context, Where) (app.Service, func() error, error) {
			return f, func() error { return nil }, nil
		},
		Open: func(context.Context, Where) (app.Service, func() error, error) {
			return nil, nil, errors.New("opened beside a running instance")
		},
		Serve: func(ctx context.Context, w Where, ready func(app.Status)) error {
			s, err := f.Status(ctx, app.StatusRequest{})
			s.Address = orDefault(w.Addr, s.Address)
			ready(s)
			return err
		},
		Out: &out, Err: &errs,
		Now: func() time.Time { return apptest.Now },
	}, &out, &errs
}

// golden compares with testdata/NAME.txt, which -update writes.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); run with -update if it is meant:\n%s", path, diff)
	}
}

func TestOutputForPeopleStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"ls":               "ls",
		"ls_search":        "ls acme --sort name",
		"tags":             "tags acme/checkout",
		"tags_pasted":      "tags localhost:5000/acme/checkout --sort size --search v2.4",
		"inspect":          "inspect acme/checkout:v2.4.1",
		"inspect_raw":      "inspect acme/checkout:v2.4.1 --raw",
		"tag":              "tag acme/checkout:v2.4.1 stable",
		"rm":               "rm acme/checkout:v2.4.1 localhost:5000/acme/checkout:pr-318",
		"rm_all":           "rm --all tools/migrate",
		"trash":            "trash",
		"restore":          "restore acme/checkout:pr-302",
		"restore_as":       "restore trash-pr-301 --as old",
		"local":            "local",
		"status":           "status",
		"health":           "health",
		"version":          "version",
		"serve":            "serve --addr 127.0.0.1:4711",
		"usage_unknown":    "tgas",
		"usage_flag":       "ls --nothing",
		"usage_few":        "tags",
		"usage_many":       "status now",
		"usage_sort":       "ls --sort colour",
		"usage_rm_notag":   "rm acme/checkout",
		"usage_rm_digest":  "rm acme/checkout@sha256:00",
		"usage_as":         "restore a b --as c",
		"not_found":        "inspect acme/nothing:v1",
		"rm_unknown":       "rm acme/checkout:v2.4.1 acme/checkout:nope",
		"push_unknown":     "push nothing:v1",
		"open_no_window":   "open",
		"jobs_none":        "jobs",
		"quit":             "quit",
		"help":             "--help",
		"help_push":        "push --help",
		"help_rm":          "help rm",
		"help_restore":     "restore --help",
		"help_serve":       "serve --help",
		"complete_repos":   "__complete tags acme/",
		"complete_images":  "__complete inspect acme/checkout:v2.4",
		"complete_restore": "__complete restore acme",
		"complete_local":   "__complete push ch",
		"complete_sort":    "__complete ls --sort p",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := run(t, apptest.New(), strings.Fields(line)...)
			golden(t, name, "$ berth "+line+"\n"+out+"-- stderr --\n"+errs+"-- exit --\n"+string(rune('0'+code))+"\n")
		})
	}
}

func TestEveryVerbSpeaksJSON(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"ls", "tags acme/checkout", "inspect acme/checkout:latest", "tag acme/checkout:latest stable", "rm acme/checkout:latest",
		"trash", "restore trash-pr-302", "local", "jobs", "status", "health", "version", "serve", "open", "quit",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			code, out, errs := run(t, apptest.New(), append(strings.Fields(line), "--json")...)
			if code != 0 || errs != "" {
				t.Errorf("exit %d, standard error %q", code, errs)
			}
			var reply map[string]any
			if err := json.Unmarshal([]byte(out), &reply); err != nil {
				t.Fatalf("%v in %q", err, out)
			}
		})
	}
}

func TestAProblemIsJSONToo(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]int{"tags acme/nothing --json": 3, "--json ls --nothing": 2, "tags --json": 2} {
		code, out, errs := run(t, apptest.New(), strings.Fields(line)...)
		var reply struct{ Problem app.Problem }
		if err := json.Unmarshal([]byte(errs), &reply); err != nil {
			t.Fatalf("%s: %v in %q", line, err, errs)
		}
		if code != want || reply.Problem.Exit != want || reply.Problem.Title == "" || out != "" {
			t.Errorf("%s: exit %d, problem %+v, output %q; want exit %d", line, code, reply.Problem, out, want)
		}
	}
}

func TestATypingErrorDeletesNothing(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	code, _, _ := run(t, f, "rm", "acme/checkout:v2.4.1", "acme/frontend:nope")
	if code != 3 {
		t.Errorf("exit %d, want 3", code)
	}
	if n := len(f.Calls("Delete")); n != 0 {
		t.Errorf("%d deletions although one tag is unknown", n)
	}
}

func TestARestoreOntoATakenTagIsAConflict(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	run(t, f, "rm", "acme/checkout:v2.4.1")
	run(t, f, "tag", "acme/checkout:v2.4.0", "v2.4.1")
	code, out, errs := run(t, f, "restore", "acme/checkout:v2.4.1")
	if code != 4 || out != "" || !strings.Contains(errs, "--as v2.4.1-restored") {
		t.Errorf("exit %d, output %q, error %q; want exit 4 and another name", code, out, errs)
	}
}

func TestExitCodesFollowTheProblem(t *testing.T) {
	t.Parallel()
	for want, err := range map[int]error{
		1: errors.New("anything"),
		4: &app.Problem{Code: "data_locked", Title: "Locked", Exit: 4},
		5: &app.Problem{Code: "docker_absent", Title: "No engine", Exit: 5},
	} {
		f := apptest.New()
		f.Fail("Snapshot", err)
		if code, _, errs := run(t, f, "ls"); code != want || errs == "" {
			t.Errorf("exit %d with %q for %v, want %d", code, errs, err, want)
		}
	}
}

func TestAnInstanceThatEndsMeanwhileIsSaidToHave(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Fail("Snapshot", fmt.Errorf("%w: EOF", control.ErrNotRunning))
	code, _, errs := run(t, f, "ls")
	if code != 1 || !strings.Contains(errs, "Berth ended meanwhile") || !strings.Contains(errs, "try again") {
		t.Errorf("exit %d with %q", code, errs)
	}
}

func TestAnAbsentEngineExitsWithFive(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) {
		d.Local.Problem = &app.Problem{Code: "docker_absent", Title: "Docker is not running"}
	})
	code, out, errs := run(t, f, "local")
	if code != 5 || out != "" || !strings.Contains(errs, "Docker is not running") {
		t.Errorf("exit %d, output %q, error %q", code, out, errs)
	}
}

func TestWithoutAnInstanceTheFolderIsOpened(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	d, out, _ := depsFor(f)
	opened, closed := 0, 0
	d.Dial = func(context.Context, Where) (app.Service, func() error, error) { return nil, nil, ErrNoInstance }
	d.Open = func(_ context.Context, w Where) (app.Service, func() error, error) {
		if w.Data != "/somewhere" {
			t.Errorf("opened %q", w.Data)
		}
		opened++
		return f, func() error { closed++; return nil }, nil
	}
	if code := Run(t.Context(), d, []string{"ls", "--data", "/somewhere"}); code != 0 {
		t.Fatalf("exit %d", code)
	}
	if opened != 1 || closed != 1 || !strings.Contains(out.String(), "acme/checkout") {
		t.Errorf("opened %d times, closed %d times, output %q", opened, closed, out)
	}
	if code := Run(t.Context(), d, []string{"quit"}); code != 1 || opened != 1 {
		t.Errorf("quit without an instance: exit %d, opened %d times", code, opened)
	}
}

func TestNoArgumentShowsTheWindow(t *testing.T) {
	t.Parallel()
	d, _, _ := depsFor(apptest.New())
	var got []bool
	d.Window = func(_ context.Context, w Where, background bool) error {
		if w.Addr != "127.0.0.1:0" {
			t.Errorf("address %q", w.Addr)
		}
		got = append(got, background)
		return nil
	}
	Run(t.Context(), d, []string{"--addr", "127.0.0.1:0"})
	Run(t.Context(), d, []string{"--background", "--addr", "127.0.0.1:0"})
	if diff := cmp.Diff([]bool{false, true}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEveryVerbHasHelpAndAGroup(t *testing.T) {
	t.Parallel()
	p := &program{}
	root := p.root()
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Short == "" || c.Args == nil {
			t.Errorf("%s has no short help, or does not check its arguments", c.CommandPath())
		}
		if c.Parent() == root && c.GroupID == "" {
			t.Errorf("%s is in no group of the help", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(root)
}
