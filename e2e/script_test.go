//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/*.txtar: the command line as a person types it.
// Beside the commands of testscript they have
//
//	image FILE SEED    writes a docker archive of one layer
//	serve              starts a registry on $BERTH_DATA; its address is $ADDR
//	stop               ends it
//	code N COMMAND...  runs a command that must exit with N
func TestScripts(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	for name, program := range map[string]string{"berth": headless(), "crane": tool("crane")} {
		if err := os.Symlink(program, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join(root, "e2e", "testdata"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+":"+os.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("BERTH_DATA", filepath.Join(env.WorkDir, "data"))
			env.Setenv("DOCKER_HOST", "unix://"+filepath.Join(env.WorkDir, "nothing.sock"))
			env.Values["t"] = env.T().(testing.TB)
			env.Values["running"] = map[string]*berth{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"image": scriptImage, "serve": scriptServe, "stop": scriptStop, "code": scriptCode,
		},
	})
}

func scriptImage(ts *testscript.TestScript, _ bool, args []string) {
	seed, err := strconv.ParseUint(args[1], 10, 64)
	ts.Check(err)
	content, err := os.ReadFile(dockerArchive(ts.Value("t").(testing.TB), "app:v1", layer(ts.Value("t").(testing.TB), seed, 256<<10)))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o600))
}

func scriptServe(ts *testscript.TestScript, _ bool, _ []string) {
	b, err := startBerth(ts.Getenv("BERTH_DATA"))
	ts.Check(err)
	ts.Setenv("ADDR", b.addr)
	running := ts.Value("running").(map[string]*berth)
	running[""] = b
	ts.Defer(b.proc.end)
}

func scriptStop(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Value("running").(map[string]*berth)[""].proc.end()
}

// scriptCode compares an exit code; testscript itself knows success only.
func scriptCode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit %s, want %s", got, args[0])
	}
}
