//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestAFullDiskRefusesPushesAndGivesBackWhatWasSent(t *testing.T) {
	t.Parallel()
	d := newDisk(t, 24)
	b := serveOn(t, d.data())
	s := &shelf{t: t, b: b}
	s.fill("app", false)
	content := layer(t, 9200, 32<<20)
	location := b.open(t, "app")
	r := b.call(t, "PATCH", location, octets, bytes.NewReader(content))
	wantRefused(t, "a layer", r, http.StatusInsufficientStorage, "no space left")
	s.pulls(b, "Berth on a full disk")
	s.lists(b, "Berth on a full disk")

	b.expect(t, 404, "GET", location, nil, nil)
	if left, err := filepath.Glob(filepath.Join(d.data(), "docker/registry/v2/repositories/app/_uploads/*")); err != nil || len(left) > 0 {
		t.Errorf("of the layer %v is left, %v", left, err)
	}
	// A delete gives nothing back yet, but it must not need what is not there.
	b.expect(t, 202, "DELETE", "/v2/shared/app/manifests/latest", nil, nil)
	d.mount(syscall.MS_REMOUNT, "size=96m")
	next := b.expect(t, 202, "PATCH", b.open(t, "app"), octets, bytes.NewReader(content))
	b.expect(t, 201, "PUT", with(b.located(next), "digest="+digestOf(content)), nil, nil)
	if r := b.expect(t, 200, "GET", "/v2/app/blobs/"+digestOf(content), nil, nil); !bytes.Equal(r.body, content) {
		t.Error("what came back is not what was sent")
	}
	for i, p := range s.all {
		if p.repo == "shared/app" && p.tag == "latest" {
			s.all[i].tag = ""
		}
	}
	s.fill("more", false)
	s.pulls(b, "Berth on a larger disk")
	s.lists(b, "Berth on a larger disk")
}

// TestAFullDiskIsEmptied deletes from a disk that pushes have filled, and that
// they try to fill again after each delete.
func TestAFullDiskIsEmptied(t *testing.T) {
	t.Parallel()
	for _, megabytes := range []int{8, 24} {
		d := newDisk(t, megabytes)
		b, err := startBerthWith(d.data(), []string{"REGISTRY_BERTH_CLEANUP_GRACE=0s"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.proc.end)
		s := &shelf{t: t, b: b}
		const images = 20
		for n := range images {
			s.image("app", fmt.Sprintf("v%d", n), mediaManifest)
		}
		push := func(n int) {
			t.Helper()
			r := b.call(t, "POST", "/v2/app/blobs/uploads/", nil, nil)
			if r.status == http.StatusAccepted {
				r = b.call(t, "PATCH", b.located(r), octets, bytes.NewReader(layer(t, uint64(9300+n), megabytes<<20)))
			}
			wantRefused(t, "a layer", r, http.StatusInsufficientStorage, "no space left")
			small := layer(t, uint64(9400+n), 200<<10)
			for range 3 {
				b.call(t, "POST", "/v2/app/blobs/uploads/?digest="+digestOf(small), octets, bytes.NewReader(small))
			}
		}
		fill := 0
		for ; ; fill++ {
			content := layer(t, uint64(9500+fill), 60<<10)
			if r := b.call(t, "POST", "/v2/app/blobs/uploads/?digest="+digestOf(content), octets, bytes.NewReader(content)); r.status != http.StatusCreated {
				wantRefused(t, "a small layer", r, http.StatusInsufficientStorage, "no space left")
				break
			}
		}
		// It may have met the full disk, and tries again.
		if err := until(10*time.Second, "the index", func() bool { return slices.Contains(b.names(t), "app:v0") }); err != nil {
			t.Fatal(err)
		}
		for n := range images {
			if code, out, errs := b.exit(t, "rm", fmt.Sprintf("app:v%d", n)); code != 0 {
				t.Fatalf("%d MB: delete %d on a full disk: %d\n%s%s", megabytes, n, code, out, errs)
			}
			push(n)
		}
		b.cli(t, nil, "trash", "empty", "--yes")
		b.cli(t, nil, "cleanup", "--now", "--grace", "0s")
		s.all = nil
		s.image("app", "again", mediaManifest)
		s.pulls(b, "Berth on a disk with room")
	}
}
