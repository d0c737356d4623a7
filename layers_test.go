package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// room is a folder with its floor: a file imports rooms of lower floors only.
// The whole part of a floor is the floor of docs/architecture.md; the part
// behind the point is the inner order of a floor.
type room struct {
	path  string
	floor float64
	why   string
}

// rooms is looked up by the longest path that is a prefix.
var rooms = []room{
	{".", 9, "picks a face; nothing imports it"},
	{"e2e", 9, "tests the built binary from outside"},

	{"app/cli", 8.1, "a face: verbs over app.Service"},
	{"app/control", 8, "Service over a local socket; a face may attach through it"},
	{"ui", 8.6, "starts window and tray"},
	{"ui/tray", 8.5, "the tray"},
	{"ui/page", 8.4, "one widget tree per model, no decisions"},
	{"ui/widget", 8.3, "the widgets that pages share"},
	{"ui/theme", 8.2, "colours, sizes, fonts"},
	{"ui/model", 8.1, "all logic of pages and tray, without Fyne"},

	{"app", 7.5, "Service and Core; compose.go alone knows all rooms"},
	{"app/job", 7, "long work"},
	{"app/config", 7, "configuration"},
	{"app/single", 7, "one owner per data folder"},
	{"app/login", 7, "start at login"},

	{"registry/httpd", 6, "everything HTTP that is not /v2"},
	{"dockerbridge/cluster", 6, "cluster wiring"},

	{"registry/server", 5, "/v2 to Registry and back"},
	{"dockerbridge", 5, "the docker client lives only here"},

	{"registry/trash", 4, "over Registry and Keeper, never over store"},
	{"registry/pin", 4, "a Rooter over driver, as trash is: upkeep asks it, it asks nobody"},
	{"registry/gc", 4, "over Registry and Keeper, never over store"},
	{"registry/verify", 4, "over Registry and Keeper, never over store"},
	{"registry/proxy", 4, "over two Registries"},
	{"registry/archive", 4, "an archive is a Registry"},
	{"registry/transfer", 4, "copies between any two Registries"},
	{"registry/scan", 4, "over Registry"},

	{"registry/store", 3, "the truth, over driver and index"},
	{"registry/filter", 3, "decorators of Registry"},
	{"registry/client", 3, "Registry over HTTP"},
	{"registry/notify", 3, "subscribes to events"},
	{"registry/metrics", 3, "subscribes to events"},
	{"registry/index/sqlite", 3, "implements index"},
	{"registry/index/postgres", 3, "implements index"},
	{"registry/driver/drivers", 3, "the explicit table of drivers"},

	{"registry/driver/filesystem", 2, "implements driver"},
	{"registry/driver/filesystem/internal/journal", 1.8, "what is recorded, and when it is durable"},
	{"registry/driver/filesystem/internal/disk", 1.7, "the little of the system that the driver writes with"},
	{"registry/driver/memory", 2, "implements driver"},
	{"registry/driver/s3", 2, "implements driver"},
	{"registry/driver/azure", 2, "implements driver"},
	{"registry/driver/gcs", 2, "implements driver"},
	{"registry/driver/faulty", 2, "implements driver over another"},
	{"registry/driver/portable", 2, "implements driver over another"},
	{"registry/driver/careful", 2, "implements driver over another"},
	{"registry/auth", 2, "who may do what"},

	{"registry/manifest", 1, "pure: bytes to descriptors"},
	{"registry/driver", 1, "contract of storage"},
	{"registry/index", 1, "contract of the index"},
	{"registry/retention", 1, "pure rules"},
	{"registry/internal/route", 1, "pure: URL to request and back"},
	{"registry/internal/record", 1, "what was answered, for the access log and for metrics"},

	{"registry", 0, "the contract; everything may import it"},
	{"registry/event", 0.5, "events speak of descriptors, so they stand on the contract"},
	{"registry/progress", 0, "a contract of one interface"},

	{"assets", 0, "embedded files, imports nothing"},
}

// testRooms hold suites and fakes. They import what they test, and only tests
// and other test rooms import them.
var testRooms = []string{
	"registry/driver/drivertest", "registry/index/indextest", "registry/registrytest",
	"dockerbridge/dockertest", "app/apptest", "ui/uitest", "e2e",
}

// ban forbids imports, and says why. In and But are folders with all below
// them; an empty In means the whole module. Files are single exceptions.
type ban struct {
	imports []string
	in, but []string
	tests   bool // true when tests may
	why     string
}

var bans = []ban{
	{
		imports: []string{"berth/app", "berth/ui", "berth/dockerbridge", "fyne.io", "github.com/docker", "github.com/moby"},
		in:      []string{"registry"},
		why:     "the registry is a library: it stands without faces and without an engine",
	},
	{
		imports: []string{"berth/registry", "berth/dockerbridge"},
		in:      []string{"ui"},
		why:     "faces see only app's types; digests are strings there",
	},
	{
		imports: []string{"berth/registry", "berth/dockerbridge"},
		in:      []string{"app/cli", "app/control"}, tests: true,
		why: "faces see only app's types; digests are strings there",
	},
	{
		imports: []string{"fyne.io", "github.com/dweymouth"},
		but:     []string{"ui", "main.go"},
		why:     "everything but the window builds without cgo and without a display",
	},
	{
		imports: []string{"fyne.io/fyne", "github.com/dweymouth"},
		in:      []string{"ui/model", "ui/tray"},
		why:     "models are tested without a toolkit, and berth --background must not load one",
	},
	{
		imports: []string{"fyne.io/systray"},
		but:     []string{"ui/tray"},
		why:     "one room owns the tray and the quirks of its hosts",
	},
	{
		imports: []string{"os", "net/http"},
		in:      []string{"registry/store"}, tests: true,
		why: "the store knows keys, not files and not requests: a driver is all it writes to",
	},
	{
		imports: []string{"berth/registry/store"},
		in:      []string{"registry/server", "registry/trash", "registry/pin", "registry/gc", "registry/verify", "registry/proxy", "registry/archive", "registry/transfer", "registry/httpd"},
		tests:   true,
		why:     "they stand on the contract, so that every stack of Registries works",
	},
	{
		imports: []string{"github.com/docker/docker", "github.com/docker/cli", "github.com/moby"},
		but:     []string{"dockerbridge"},
		why:     "the docker client changes its home: its move must be a change of one room",
	},
	{
		imports: []string{"github.com/gorilla/handlers"},
		but:     []string{"registry/httpd"},
		why:     "the HTTP envelope is composed in one place",
	},
	{
		imports: []string{"modernc.org/sqlite"},
		but:     []string{"registry/index/sqlite"},
		why:     "the index is replaced through its contract",
	},
	{
		imports: []string{"github.com/spf13/cobra", "github.com/vbauerster/mpb"},
		but:     []string{"app/cli", "tools"},
		why:     "only the command line parses arguments and draws bars",
	},
	{
		imports: []string{"github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "testing"},
		but:     testRooms, tests: true,
		why: "test libraries stay out of the binary",
	},
}

// outsiders are the only foreign modules of the contract's floor.
var outsiders = map[string][]string{
	"registry":          {"github.com/opencontainers/go-digest", "github.com/opencontainers/image-spec"},
	"registry/event":    nil,
	"registry/progress": nil,
}

// source is one parsed Go file.
type source struct {
	path string // with slashes, from the root
	dir  string // "." for the root
	test bool   // a _test.go file, or a file of a test room
	file *ast.File
	fset *token.FileSet
}

func (s source) line(p token.Pos) string {
	return s.path + ":" + strconv.Itoa(s.fset.Position(p).Line)
}

// sources parses every Go file of the module whatever its build tags, so that
// no rule hides behind a tag.
var sources = sync.OnceValues(func() ([]source, error) {
	var all []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		p = filepath.ToSlash(p)
		if d.IsDir() {
			if name := d.Name(); p != "." && (strings.HasPrefix(name, ".") || name == "testdata" || p == "tools" || p == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(p))
		test := strings.HasSuffix(p, "_test.go") || within(dir, testRooms)
		all = append(all, source{path: p, dir: dir, test: test, file: f, fset: fset})
		return nil
	})
	return all, err
})

func parsed(t *testing.T) []source {
	t.Helper()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d Go files found: the test does not see the tree", len(all))
	}
	return all
}

// TestEveryRoomImportsLowerFloorsOnly also fails for a folder that has no
// place in the house yet.
func TestEveryRoomImportsLowerFloorsOnly(t *testing.T) {
	t.Parallel()
	for _, s := range parsed(t) {
		from, ok := roomOf(s.dir)
		if !ok && !within(s.dir, testRooms) {
			t.Errorf("%s: the folder is not in the table of rooms; give it a floor", s.path)
			continue
		}
		for _, spec := range s.file.Imports {
			target, ours := strings.CutPrefix(imported(spec), "berth/")
			if !ours {
				continue
			}
			if within(target, testRooms) {
				if !s.test {
					t.Errorf("%s imports %s: a test room is for tests only", s.line(spec.Pos()), target)
				}
				continue
			}
			to, ok := roomOf(target)
			if !ok {
				t.Errorf("%s imports %s, which is not in the table of rooms", s.line(spec.Pos()), target)
				continue
			}
			if !s.test && to.path != from.path && to.floor >= from.floor {
				t.Errorf("%s: %s (floor %v: %s) imports %s (floor %v: %s)",
					s.line(spec.Pos()), from.path, from.floor, from.why, to.path, to.floor, to.why)
			}
		}
	}
}

func TestForbiddenImportsStayOut(t *testing.T) {
	t.Parallel()
	for _, s := range parsed(t) {
		for _, spec := range s.file.Imports {
			path := imported(spec)
			for _, b := range bans {
				if !within(path, b.imports) || s.test && b.tests {
					continue
				}
				if len(b.in) > 0 && !within(s.path, b.in) || within(s.path, b.but) {
					continue
				}
				// The standard library's short names are whole paths.
				if path != "os" && strings.HasPrefix(path, "os/") && within("os", b.imports) {
					continue
				}
				t.Errorf("%s imports %s: %s", s.line(spec.Pos()), path, b.why)
			}
		}
	}
}

func TestTheContractImportsAlmostNothing(t *testing.T) {
	t.Parallel()
	for _, s := range parsed(t) {
		allowed, ok := outsiders[s.dir]
		if !ok || s.test {
			continue
		}
		for _, spec := range s.file.Imports {
			path := imported(spec)
			foreign := strings.Contains(strings.SplitN(path, "/", 2)[0], ".")
			if foreign && !within(path, allowed) {
				t.Errorf("%s imports %s: the contract stands on the standard library, go-digest and image-spec", s.line(spec.Pos()), path)
			}
		}
	}
}

func imported(spec *ast.ImportSpec) string {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return path
}

// roomOf gives the room of a folder: the longest entry that holds it.
func roomOf(dir string) (room, bool) {
	var best room
	for _, r := range rooms {
		if (dir == r.path || r.path != "." && strings.HasPrefix(dir, r.path+"/")) && len(r.path) > len(best.path) {
			best = r
		}
	}
	return best, best.path != ""
}

// within says whether path is one of the roots or below one.
func within(path string, roots []string) bool {
	for _, r := range roots {
		if path == r || strings.HasPrefix(path, r+"/") {
			return true
		}
	}
	return false
}
