//go:build linux

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAResponseIsParsedOnceItIsWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		head bool
		body string
	}{
		"with a length": {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello", false, "hello"},
		"in chunks":     {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", false, "hello"},
		"of HEAD":       {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", true, ""},
		"without one":   {"HTTP/1.1 204 No Content\r\n\r\n", false, ""},
	} {
		for n := range len(c.text) {
			if _, used, err := parse([]byte(c.text[:n]), c.head); used != 0 || err != nil {
				t.Errorf("%s: %d of %d bytes are taken for whole, %v", name, n, len(c.text), err)
			}
		}
		r, used, err := parse([]byte(c.text+"HTTP/1.1 "), c.head)
		if err != nil || used != len(c.text) || string(r.body) != c.body {
			t.Errorf("%s: body %q, %d of %d bytes, %v", name, r.body, used, len(c.text), err)
		}
	}
	if _, _, err := parse([]byte("SSH-2.0-x\r\n\r\n"), false); err == nil {
		t.Error("what is no HTTP is taken for it")
	}
}

func TestLinksAreFollowedOnTheSameServer(t *testing.T) {
	t.Parallel()
	r := response{header: []byte("Link: </v2/_catalog?last=b&n=100>; rel=\"next\"\r\nlocation: http://127.0.0.1:5000/v2/a/blobs/uploads/1?_state=x\r\n")}
	if got := r.nextPage(); got != "/v2/_catalog?last=b&n=100" {
		t.Error(got)
	}
	if got := withDigest(r.location(), "sha256:0"); got != "/v2/a/blobs/uploads/1?_state=x&digest=sha256:0" {
		t.Error(got)
	}
}

func TestFreshLayersDifferAndHaveTheDigestOfWhatIsSent(t *testing.T) {
	t.Parallel()
	l, err := newLayers(2*tailSize, 1)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for range 3 {
		tail, digest, err := l.fresh()
		if err != nil {
			t.Fatal(err)
		}
		if want := digestOf(append(append([]byte(nil), l.head...), tail...)); digest != want || seen[digest] {
			t.Errorf("digest %s, want %s and a new one", digest, want)
		}
		seen[digest] = true
	}
}

func TestGoalsHoldOrMissByMedians(t *testing.T) {
	t.Parallel()
	berth, limit := &peer{name: "berth"}, &peer{name: "limit"}
	peers := []*peer{berth, limit}
	r := row{workload: workload{unit: "MB/s", limit: "limit", ratio: 0.95, cpu: 1.3}, samples: map[*peer][]sample{
		berth: {{96, 1}, {1, 1.2}, {500, 9}}, limit: {{100, 0}},
	}}
	if _, verdict := r.goals(peers); verdict != "holds" || r.share(peers) != "0.96" {
		t.Error(verdict, r.share(peers))
	}
	r.samples[berth][0].Value = 94
	if _, verdict := r.goals(peers); verdict != "misses" {
		t.Error(verdict)
	}
	r.samples[berth][0] = sample{96, 1.4}
	if must, verdict := r.goals(peers); verdict != "misses" || must != "≥ 0.95 of the limit, ≤ 1.3 s/GB" {
		t.Error(must, verdict)
	}
	r = row{workload: workload{unit: "ms", less: true, bound: 1}, samples: map[*peer][]sample{berth: {{Value: 1.1}}}}
	if _, verdict := r.goals(peers); verdict != "misses" {
		t.Error(verdict)
	}
	r.failed = map[*peer]error{berth: errors.New("status 500")}
	if got := r.cell(berth); got != "failed" {
		t.Error(got)
	}
}

func TestOnlyTheTableBetweenTheMarksIsReplaced(t *testing.T) {
	t.Parallel()
	doc := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(doc, []byte("a\n<!-- bench-peers: begin -->\nold\n<!-- bench-peers: end -->\nb\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := &options{markdown: doc}
	for range 2 {
		if err := o.writeMarkdown([][]string{{"workload", "Berth"}, {"push", number(12345)}}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	if want := "a\n<!-- bench-peers: begin -->\n| workload | Berth |\n|---|---|\n| push | 12,345 |\n<!-- bench-peers: end -->\nb\n"; string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	o.growth = "100"
	if err := o.writeMarkdown(nil); err == nil || !strings.Contains(err.Error(), "marks") {
		t.Errorf("a document without the marks: %v", err)
	}
}
