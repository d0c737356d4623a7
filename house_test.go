package main

import (
	"go/ast"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"berth/app"
)

const (
	maxFile     = 400
	maxFunction = 60
)

// tooLong are the files and functions that may be longer, each with its
// reason. The list only shrinks.
var tooLong = map[string]string{}

// standardMethods need no comment: their contract is the standard library's.
var standardMethods = []string{
	"Error", "Unwrap", "Is", "As", "String", "GoString", "Close", "Read", "Write", "Seek", "WriteTo", "ReadFrom",
	"Len", "Less", "Swap", "MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText", "UnmarshalYAML", "MarshalYAML",
	"ServeHTTP", "Header", "WriteHeader", "Flush", "Name", "Size", "Mode", "ModTime", "IsDir", "Sys", "LogValue",
	"Enabled", "Handle", "WithAttrs", "WithGroup", "RoundTrip", "Temporary", "Timeout",
}

func TestEveryPackageHasADocFile(t *testing.T) {
	t.Parallel()
	docs := map[string]bool{}
	for _, s := range parsed(t) {
		if s.test && !strings.HasSuffix(s.path, "doc.go") {
			continue
		}
		docs[s.dir] = docs[s.dir] || s.file.Doc != nil && len(strings.TrimSpace(s.file.Doc.Text())) > 40
	}
	for dir, ok := range docs {
		if !ok {
			t.Errorf("%s: no package comment; write doc.go: what the room is for, what it may import, its locks", dir)
		}
	}
}

func TestEveryExportedNameHasADocComment(t *testing.T) {
	t.Parallel()
	for _, s := range parsed(t) {
		if strings.HasSuffix(s.path, "_test.go") {
			continue
		}
		for _, d := range s.file.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s is exported and has no comment that states its contract", s.line(d.Pos()), name)
			}
		}
	}
}

// undocumented gives the exported names that a declaration leaves bare. A
// comment on a group of constants or variables holds for the group.
func undocumented(d ast.Decl) []string {
	var names []string
	switch d := d.(type) {
	case *ast.FuncDecl:
		if !d.Name.IsExported() || d.Doc != nil {
			return nil
		}
		if d.Recv == nil || ast.IsExported(receiver(d)) && !slices.Contains(standardMethods, d.Name.Name) {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && spec.Doc == nil && d.Doc == nil {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					if n.IsExported() && spec.Doc == nil && spec.Comment == nil && d.Doc == nil {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

func receiver(d *ast.FuncDecl) string {
	x := d.Recv.List[0].Type
	for {
		switch y := x.(type) {
		case *ast.StarExpr:
			x = y.X
		case *ast.IndexExpr:
			x = y.X
		case *ast.IndexListExpr:
			x = y.X
		case *ast.Ident:
			return y.Name
		default:
			return ""
		}
	}
}

func TestFilesAndFunctionsStayShort(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, s := range parsed(t) {
		if n := s.fset.File(s.file.Pos()).LineCount(); n > maxFile {
			used[s.path] = true
			if tooLong[s.path] == "" {
				t.Errorf("%s has %d lines, more than %d: it has two subjects", s.path, n, maxFile)
			}
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			if n <= maxFunction {
				continue
			}
			key := s.path + " " + f.Name.Name
			used[key] = true
			if tooLong[key] == "" {
				t.Errorf("%s: %s has %d lines, more than %d", s.line(f.Pos()), f.Name.Name, n, maxFunction)
			}
		}
	}
	for key := range tooLong {
		if !used[key] {
			t.Errorf("%q is short enough now: strike it from the list, which only shrinks", key)
		}
	}
}

func TestNothingRunsBeforeMain(t *testing.T) {
	t.Parallel()
	for _, s := range parsed(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" && !within(s.dir, []string{"assets"}) {
				t.Errorf("%s: init() runs where nobody sees it; call it from main or a constructor", s.line(f.Pos()))
			}
		}
	}
}

func TestOnlyFacesPrint(t *testing.T) {
	t.Parallel()
	for _, s := range parsed(t) {
		if s.test || s.path == "main.go" || within(s.dir, []string{"app/cli"}) {
			continue
		}
		for _, spec := range s.file.Imports {
			if imported(spec) == "log" {
				t.Errorf("%s imports log: return the error, or log through the slog.Logger that was injected", s.line(spec.Pos()))
			}
		}
		calls(s.file, func(pkg, name string, pos token.Pos) {
			if pkg == "fmt" && strings.HasPrefix(name, "Print") {
				t.Errorf("%s: fmt.%s outside main and app/cli", s.line(pos), name)
			}
			if pkg == "slog" && slices.Contains([]string{"Debug", "Info", "Warn", "Error", "Default", "SetDefault"}, name) {
				t.Errorf("%s: slog.%s uses the global logger; take one as an argument", s.line(pos), name)
			}
		})
	}
}

func TestOneFileCallsFyneDo(t *testing.T) {
	t.Parallel()
	for _, s := range parsed(t) {
		calls(s.file, func(pkg, name string, pos token.Pos) {
			if pkg == "fyne" && strings.HasPrefix(name, "Do") && s.path != "ui/dispatch.go" {
				t.Errorf("%s: fyne.%s outside ui/dispatch.go; use the dispatcher that was injected", s.line(pos), name)
			}
		})
	}
}

func TestPackagesAreNamedForWhatTheyHold(t *testing.T) {
	t.Parallel()
	for _, s := range parsed(t) {
		if slices.Contains([]string{"util", "utils", "common", "helpers", "helper", "types", "base", "misc"}, s.file.Name.Name) {
			t.Errorf("%s: package %s says nothing", s.path, s.file.Name.Name)
		}
	}
}

func TestNoTestSkips(t *testing.T) {
	t.Parallel()
	for _, s := range parsed(t) {
		if !s.test {
			continue
		}
		calls(s.file, func(pkg, name string, pos token.Pos) {
			if (pkg == "t" || pkg == "b" || pkg == "tb" || pkg == "f") && strings.HasPrefix(name, "Skip") {
				t.Errorf("%s: a test that skips proves nothing", s.line(pos))
			}
			if pkg == "time" && name == "Sleep" && !within(s.dir, []string{"e2e"}) && !importsSynctest(s) {
				t.Errorf("%s: time.Sleep in a test; use testing/synctest, or wait for what you wait for", s.line(pos))
			}
		})
	}
}

func importsSynctest(s source) bool {
	return slices.ContainsFunc(s.file.Imports, func(spec *ast.ImportSpec) bool { return imported(spec) == "testing/synctest" })
}

// TestEveryServiceMethodHasEveryFace is what makes a method of the Service a
// feature: a route and a client on the control socket, a verb, and a line in
// the documentation.
func TestEveryServiceMethodHasEveryFace(t *testing.T) {
	t.Parallel()
	inControl, inCLI := names(t, "app/control"), names(t, "app/cli")
	page, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	service := reflect.TypeFor[app.Service]()
	for i := range service.NumMethod() {
		m := service.Method(i).Name
		if inControl[m] < 2 {
			t.Errorf("app/control names Service.%s %d times: it needs a route and a client", m, inControl[m])
		}
		if inCLI[m] == 0 {
			t.Errorf("no verb in app/cli calls Service.%s", m)
		}
		if !strings.Contains(string(page), "`"+m+"`") {
			t.Errorf("docs/architecture.md does not name Service.%s", m)
		}
	}
}

// TestEveryInvariantIsTested keeps docs/invariants.md honest.
func TestEveryInvariantIsTested(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/invariants.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, s := range parsed(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				there[f.Name.Name] = true
			}
		}
	}
	sections := strings.Split(string(page), "\n**I")[1:]
	if len(sections) != 9 {
		t.Errorf("docs/invariants.md has %d invariants, want 9", len(sections))
	}
	for i, section := range sections {
		named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(section, -1)
		if len(named) == 0 {
			t.Errorf("I%d names no test", i+1)
		}
		for _, n := range named {
			if !there[n[1]] {
				t.Errorf("I%d: there is no %s", i+1, n[1])
			}
		}
	}
}

// names counts the identifiers in the files of a folder that are not tests.
func names(t *testing.T, dir string) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, s := range parsed(t) {
		if s.dir != dir || s.test {
			continue
		}
		ast.Inspect(s.file, func(x ast.Node) bool {
			if id, ok := x.(*ast.Ident); ok {
				n[id.Name]++
			}
			return true
		})
	}
	if len(n) == 0 {
		t.Fatalf("%s has no source", dir)
	}
	return n
}

// calls visits every call of the form pkg.name(…).
func calls(f *ast.File, visit func(pkg, name string, pos token.Pos)) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok {
				visit(id.Name, sel.Sel.Name, call.Pos())
			}
		}
		return true
	})
}
