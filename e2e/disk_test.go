//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// disk is a small file system of its own. It needs root, as the whole suite
// does.
type disk struct {
	t    testing.TB
	path string
}

func newDisk(t testing.TB, megabytes int) disk {
	t.Helper()
	d := disk{t, filepath.Join(t.TempDir(), "disk")}
	if err := os.Mkdir(d.path, 0o700); err != nil {
		t.Fatal(err)
	}
	d.mount(0, fmt.Sprintf("size=%dm", megabytes))
	t.Cleanup(func() { _ = syscall.Unmount(d.path, syscall.MNT_DETACH) })
	return d
}

func (d disk) mount(flags uintptr, options string) {
	d.t.Helper()
	if err := syscall.Mount("tmpfs", d.path, "tmpfs", flags, options); err != nil {
		d.t.Fatalf("mount a disk for the test, which needs root: %v", err)
	}
}

func (d disk) data() string { return filepath.Join(d.path, "data") }

// refused is the code and the message of an error's body.
func refused(t testing.TB, r reply) (code, message string) {
	t.Helper()
	var body struct {
		Errors []struct{ Code, Message string }
	}
	if err := json.Unmarshal(r.body, &body); err != nil || len(body.Errors) == 0 {
		t.Errorf("%d with a body that says nothing: %s", r.status, r.body)
		return "", ""
	}
	return body.Errors[0].Code, body.Errors[0].Message
}

// wantRefused checks that a server says what is wrong.
func wantRefused(t testing.TB, what string, r reply, status int, words string) {
	t.Helper()
	if _, message := refused(t, r); r.status != status || !strings.Contains(message, words) {
		t.Errorf("%s: %d %s; want %d and «%s»", what, r.status, r.body, status, words)
	}
}

var octets = map[string]string{"Content-Type": "application/octet-stream"}

func TestAReadOnlyDiskIsServed(t *testing.T) {
	t.Parallel()
	d := newDisk(t, 64)
	b, err := startBerth(d.data())
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{t: t, b: b}
	s.fill("app", false)
	b.proc.end()
	d.mount(syscall.MS_REMOUNT|syscall.MS_RDONLY, "size=64m")
	b, err = startBerth(d.data())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.proc.end)
	s.pulls(b, "Berth on a read-only disk")
	s.lists(b, "Berth on a read-only disk")
	wantRefused(t, "an upload", b.call(t, "POST", "/v2/app/blobs/uploads/", nil, nil), http.StatusMethodNotAllowed, "read-only")
	wantRefused(t, "a manifest", b.call(t, "PUT", "/v2/app/manifests/again", map[string]string{"Content-Type": dockerManifest}, bytes.NewReader(s.all[0].content)),
		http.StatusMethodNotAllowed, "read-only")
	wantRefused(t, "a delete", b.call(t, "DELETE", "/v2/app/manifests/v1", nil, nil), http.StatusMethodNotAllowed, "read-only")
	s.pulls(b, "Berth on a read-only disk")
	if said := b.proc.tail(); strings.Contains(said, "temporary") {
		t.Errorf("it tries to clear the disk: %s", said)
	}
}

func TestWhoHasAReadOnlyFolderIsNotGuessed(t *testing.T) {
	t.Parallel()
	d := newDisk(t, 64)
	b, err := startBerth(d.data())
	if err != nil {
		t.Fatal(err)
	}
	b.kill(t) // its note of who it is stays
	d.mount(syscall.MS_REMOUNT|syscall.MS_RDONLY, "size=64m")
	if b, err = startBerth(d.data()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.proc.end)
	code, _, said := b.exit(t, "serve", "--addr", "127.0.0.1:0")
	if code != 4 || !strings.Contains(said, "Another process uses this data folder.") {
		t.Errorf("a second instance: exit %d, %s", code, said)
	}
}

// ext4 is a disk of its own in a file, on which accidents can be played that a
// whole system would have.
type ext4 struct {
	t                 testing.TB
	image, path, loop string
}

func newExt4(t testing.TB, options string) *ext4 {
	t.Helper()
	dir := t.TempDir()
	d := &ext4{t: t, image: filepath.Join(dir, "image"), path: filepath.Join(dir, "disk")}
	if err := os.Mkdir(d.path, 0o700); err != nil {
		t.Fatal(err)
	}
	must(t, nil, "truncate", "-s", "96M", d.image)
	must(t, nil, "mkfs.ext4", "-q", "-F", d.image)
	d.loop = strings.TrimSpace(must(t, nil, "losetup", "--find", "--show", d.image))
	t.Cleanup(func() {
		_ = syscall.Unmount(d.path, syscall.MNT_DETACH)
		_, _, _ = execute(context.Background(), nil, "losetup", "-d", d.loop)
	})
	d.mount(options)
	return d
}

func (d *ext4) mount(options string) {
	d.t.Helper()
	must(d.t, nil, "mount", "-t", "ext4", "-o", options, d.loop, d.path)
}

func (d *ext4) data() string { return filepath.Join(d.path, "data") }

func TestADiskThatBecomesReadOnlyIsServedOn(t *testing.T) {
	t.Parallel()
	d := newExt4(t, "errors=remount-ro")
	b := serveOn(t, d.data())
	s := &shelf{t: t, b: b}
	s.fill("app", false)
	// What the kernel does when it finds that the disk is broken.
	if err := os.WriteFile(filepath.Join("/sys/fs/ext4", filepath.Base(d.loop), "trigger_fs_error"), []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	s.pulls(b, "Berth on a disk that has become read-only")
	s.lists(b, "Berth on a disk that has become read-only")
	wantRefused(t, "a manifest", b.call(t, "PUT", "/v2/app/manifests/again", map[string]string{"Content-Type": dockerManifest}, bytes.NewReader(s.all[0].content)),
		http.StatusMethodNotAllowed, "read-only")
	wantRefused(t, "an upload", b.call(t, "POST", "/v2/app/blobs/uploads/?digest="+digestOf([]byte("x")), octets, strings.NewReader("x")),
		http.StatusMethodNotAllowed, "read-only")
	wantRefused(t, "a delete", b.call(t, "DELETE", "/v2/shared/app/manifests/latest", nil, nil), http.StatusMethodNotAllowed, "read-only")
	s.pulls(b, "Berth on a disk that has become read-only")
}

// TestAPowerCutLosesNothingThatWasAnswered cuts a real file system off its disk
// while images are pushed: nothing that was not flushed is there afterwards.
func TestAPowerCutLosesNothingThatWasAnswered(t *testing.T) {
	t.Parallel()
	d := newExt4(t, "defaults")
	for round := range 3 {
		b, err := startBerth(d.data())
		if err != nil {
			t.Fatal(err)
		}
		var (
			mu    sync.Mutex // guards acked
			acked []string
			wg    sync.WaitGroup
		)
		for worker := range 4 {
			wg.Go(func() {
				for n := 0; ; n++ {
					name := fmt.Sprintf("round%d/app-%d:v%d", round, worker, n)
					if !pushQuietly(b.addr, name, bytes.Repeat([]byte{byte(round), byte(worker), byte(n)}, 5<<10)) {
						return
					}
					mu.Lock()
					acked = append(acked, name)
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(400+200*round) * time.Millisecond)
		if err := cutOff(d.path); err != nil {
			t.Fatalf("cut the file system off its disk: %v", err)
		}
		wg.Wait()
		b.proc.kill()
		if err := syscall.Unmount(d.path, 0); err != nil {
			t.Fatal(err)
		}
		d.mount("defaults")
		if len(acked) == 0 {
			t.Fatal("nothing was pushed before the cut")
		}
		t.Logf("round %d: %d images were answered before the cut", round, len(acked))
		b = serveOn(t, d.data())
		for _, name := range acked {
			b.whole(t, name)
		}
		seen := b.names(t)
		if before := len(seen); before < len(acked) {
			t.Errorf("%d images are seen, %d were answered", before, len(acked))
		}
		for _, name := range seen {
			b.whole(t, name)
		}
		b.proc.end()
	}
}

// cutOff has a file system do nothing any more, as if the power had gone: what
// is not on the disk is lost (EXT4_IOC_SHUTDOWN, no flush of the log).
func cutOff(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	const shutdown, noFlush = 0x8004587d, 2
	how := uint32(noFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		return errno
	}
	return nil
}

// TestAFolderThatIsTakenAwayIsNotMadeAnew takes the data folder away under the
// running program, by its name and as a disk that is unplugged.
func TestAFolderThatIsTakenAwayIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"renamed", "unplugged"} {
		d := newDisk(t, 64)
		b := serveOn(t, d.data())
		s := &shelf{t: t, b: b}
		s.fill("app", false)
		away, back := func() error { return os.Rename(d.data(), d.data()+"-away") }, func() error { return os.Rename(d.data()+"-away", d.data()) }
		if how == "unplugged" {
			aside := filepath.Join(t.TempDir(), "aside")
			if err := os.Mkdir(aside, 0o700); err != nil {
				t.Fatal(err)
			}
			move := func(from, to string) error { return syscall.Mount(from, to, "", syscall.MS_MOVE, "") }
			t.Cleanup(func() { _ = syscall.Unmount(aside, syscall.MNT_DETACH) })
			away, back = func() error { return move(d.path, aside) }, func() error { return move(aside, d.path) }
			// Some systems share mounts, and then a mount cannot be moved.
			_ = syscall.Mount("", filepath.Dir(d.path), "", syscall.MS_PRIVATE|syscall.MS_REC, "")
		}
		if err := away(); err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		p := s.all[0]
		for what, r := range map[string]reply{
			"a manifest by tag":    b.call(t, "GET", "/v2/"+p.repo+"/manifests/"+p.tag, map[string]string{"Accept": everyManifest}, nil),
			"a manifest by digest": b.call(t, "GET", "/v2/"+p.repo+"/manifests/"+p.digest, map[string]string{"Accept": everyManifest}, nil),
			"a blob":               b.call(t, "GET", "/v2/"+p.repo+"/blobs/"+digestOf([]byte("never pushed")), nil, nil),
			"an upload":            b.call(t, "POST", "/v2/app/blobs/uploads/?digest="+digestOf([]byte("x")), octets, strings.NewReader("x")),
			"a push":               b.call(t, "PUT", "/v2/"+p.repo+"/manifests/again", map[string]string{"Content-Type": p.mediaType}, bytes.NewReader(p.content)),
		} {
			if r.status == 200 {
				continue // from memory: a manifest cannot have changed
			}
			wantRefused(t, how+": "+what, r, http.StatusServiceUnavailable, "folder")
		}
		if left, err := os.ReadDir(d.path); err != nil || how == "unplugged" && len(left) > 0 {
			t.Errorf("%s: in its place there is %v (%v)", how, left, err)
		}
		if _, err := os.Stat(d.data()); err == nil {
			t.Errorf("%s: the folder was made anew", how)
		}
		if err := back(); err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		s.pulls(b, how+" and back")
		s.fill("more", false)
		s.pulls(b, how+" and back")
		s.lists(b, how+" and back")
	}
}

// TestATruncatedBlobIsReplacedByTheNextPush: the disk has lost the end of a
// layer. The push of an image that refers to it is refused once, and then the
// client, which is told that the layer is not there, sends it again.
func TestATruncatedBlobIsReplacedByTheNextPush(t *testing.T) {
	t.Parallel()
	b := serve(t)
	s := &shelf{t: t, b: b}
	s.image("app", "v1", mediaManifest)
	p := s.all[0]
	var digest string
	for d, content := range p.blobs {
		if len(content) > 20<<10 {
			digest = d
		}
	}
	path := filepath.Join(b.data, "docker/registry/v2/blobs/sha256", digest[7:9], digest[7:], "data")
	if err := os.Truncate(path, 10<<10); err != nil {
		t.Fatal(err)
	}
	r := b.call(t, "PUT", "/v2/app/manifests/v2", map[string]string{"Content-Type": p.mediaType}, bytes.NewReader(p.content))
	if code, _ := refused(t, r); r.status != 400 && r.status != 404 || code != "MANIFEST_BLOB_UNKNOWN" {
		t.Errorf("an image on a truncated layer: %d %s", r.status, r.body)
	}
	b.expect(t, 404, "HEAD", "/v2/app/blobs/"+digest, nil, nil)
	b.expect(t, 404, "GET", "/v2/app/blobs/"+digest, nil, nil)
	s.blob("app", p.blobs[digest])
	b.expect(t, 201, "PUT", "/v2/app/manifests/v2", map[string]string{"Content-Type": p.mediaType}, bytes.NewReader(p.content))
	s.pulls(b, "Berth after the layer was sent again")
}
