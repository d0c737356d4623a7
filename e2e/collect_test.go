//go:build e2e

package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestGarbageCollectSaysAndDoesWhatDistributionsDoes runs the three programs on
// copies of one folder: what they print and what they leave is the same.
func TestGarbageCollectSaysAndDoesWhatDistributionsDoes(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	b, err := startBerth(data)
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{t: t, b: b}
	for n, tag := range []string{"v1", "v1", "v2"} { // the second overwrites the first
		config, content := fmt.Appendf(nil, `{"os":"linux","architecture":"amd64","n":%d}`, n), layer(t, uint64(n), 4<<10)
		s.manifest("team/app", tag, mediaManifest, fmt.Appendf(nil,
			`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":%d},"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
			mediaManifest, mediaConfig, s.blob("team/app", config), len(config), mediaLayer, s.blob("team/app", content), len(content)), nil)
	}
	s.blob("team/app", []byte("nothing uses this"))
	s.blob("layers/only", []byte("its manifest never came"))
	b.proc.end()
	// What Berth keeps beside the images distribution does not know.
	if err := os.RemoveAll(filepath.Join(data, "berth")); err != nil {
		t.Fatal(err)
	}
	for _, flags := range [][]string{{"-d"}, {"-d", "-m"}, {"-q", "-d"}, {}, {"-m"}, {"-m", "-q"}} {
		ours, left := collected(t, peer{"berth", headless()}, data, flags)
		for _, p := range peers(t) {
			if p.name == "distribution 2" && slices.Contains(flags, "-q") {
				continue // it has no such flag
			}
			theirs, leaves := collected(t, p, data, flags)
			ours := ours
			if p.name == "distribution 2" {
				ours = asTwo(ours)
			} else {
				ours = asThree(ours)
			}
			// The blobs come from a map there.
			if inOrder(ours) != inOrder(theirs) {
				t.Errorf("%v: we print\n%s\n%s prints\n%s", flags, ours, p.name, theirs)
			}
			if left != leaves {
				t.Errorf("%v: we leave\n%s\n%s leaves\n%s", flags, left, p.name, leaves)
			}
		}
	}
}

var manifestOfThree = regexp.MustCompile(`\{\S+ (sha256:[0-9a-f]+) \[.*\]\}`)

// asTwo is what version 2 prints: it leaves the links of layers, and names
// neither the repository nor the tags of a manifest.
func asTwo(text string) string {
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return strings.Contains(l, ": layer link eligible") })
	return manifestOfThree.ReplaceAllString(strings.Join(lines, "\n"), "$1")
}

// asThree is what version 3 prints: it frees the blobs of a repository that
// never had a manifest, but leaves its links, and names it nowhere.
func asThree(text string) string {
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(l string) bool { return strings.HasPrefix(l, "layers/only") })
	return strings.Join(lines, "\n")
}

func inOrder(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// collected gives what a program prints and which blobs it leaves, on a copy.
func collected(t *testing.T, p peer, data string, flags []string) (out, left string) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(folder, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	before := inside(t, folder)
	out = must(t, []string{"OTEL_TRACES_EXPORTER=none"}, append(append([]string{p.program, "garbage-collect"}, flags...), p.settings(t, folder, "127.0.0.1:0"))...)
	if after := inside(t, folder); slices.Contains(flags, "-d") && after != before {
		t.Errorf("%s %v: there was\n%s\nthere is\n%s", p.name, flags, before, after)
	}
	found, err := filepath.Glob(filepath.Join(folder, "docker/registry/v2/blobs/sha256/*/*/data"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		left += filepath.Base(filepath.Dir(f)) + "\n"
	}
	return out, left
}

// inside lists what lies in a folder.
func inside(t *testing.T, folder string) (list string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		list += path + "\n"
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
