//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

func TestTheCommandLineWorksWithAndWithoutARunningInstance(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	b, err := startBerth(data)
	if err != nil {
		t.Fatal(err)
	}
	must(t, nil, tool("crane"), "push", dockerArchive(t, "app:v1", layer(t, 80, 1<<20)), b.addr+"/team/app:v1")
	b.cli(t, nil, "tag", "team/app:v1", "stable")
	if code, out, errs := b.exit(t, "rm", "team/app:v1"); code != 0 || !strings.Contains(out, "stays: stable") {
		t.Errorf("rm: exit %d, %q, %q", code, out, errs)
	}
	b.proc.end()

	// The same verbs on the folder itself.
	if got := strings.Join(b.names(t), " "); got != "team/app:stable" {
		t.Errorf("without an instance the folder lists %q", got)
	}
	if code, out, errs := b.exit(t, "restore", "team/app:v1"); code != 0 || out != "Restored team/app:v1\n" {
		t.Errorf("restore: exit %d, %q, %q", code, out, errs)
	}
	for line, want := range map[string]int{
		"ls": 0, "status": 0, "trash": 0, "health": 0, "version": 0, "completion bash": 0,
		"nothing": 2, "ls --nothing": 2, "tags": 2, "inspect team/app:nope": 3, "tags team/none": 3, "rm team/app:nope": 3,
		"restore team/app:never": 3, "quit": 1,
	} {
		if code, out, errs := b.exit(t, strings.Fields(line)...); code != want {
			t.Errorf("berth %s: exit %d, want %d: %q %q", line, code, want, out, errs)
		}
	}
}

func TestASecondInstanceOnTheSameFolderIsRefused(t *testing.T) {
	t.Parallel()
	b := serve(t)
	code, out, errs := b.exit(t, "serve", "--addr", "127.0.0.1:0")
	if code != 4 || out != "" || !strings.Contains(errs, b.data) {
		t.Errorf("exit %d, %q, %q; want exit 4 and the folder named", code, out, errs)
	}
}

func TestPushWithoutAnEngineSaysHowToGetOne(t *testing.T) {
	t.Parallel()
	b := serve(t)
	code, out, errs := b.exit(t, "push", "app:v1", "--context", "default")
	if code != 5 || out != "" || strings.Count(errs, "\n") < 2 {
		t.Errorf("exit %d, %q, %q; want exit 5 with a cause and a fix", code, out, errs)
	}
}

func TestPushTakesAnImageFromTheEngine(t *testing.T) {
	t.Parallel()
	e := docker(t)
	b, err := startBerthWith(t.TempDir(), e.env())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.proc.end)
	id := e.load(t, "pushed-by-berth:v1", layer(t, 81, 2<<20), layer(t, 82, 1<<20))
	var job struct{ State, Digest, Title string }
	b.cli(t, &job, "push", "pushed-by-berth:v1", "team/pushed:v1")
	if job.State != "done" || job.Title != "team/pushed:v1" {
		t.Errorf("the job ended as %+v", job)
	}
	name := b.addr + "/team/pushed:v1"
	if left := e.run(t, "images", "-q", name); left != "" {
		t.Error("the tag that was made for the push is still there")
	}
	e.run(t, "rmi", "-f", "pushed-by-berth:v1")
	e.run(t, "pull", "-q", name)
	if got := e.id(t, name); got != id {
		t.Errorf("pulled %s, pushed %s", got, id)
	}
}
