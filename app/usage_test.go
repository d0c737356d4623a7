package app_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"berth/app"
)

// onDisk is the content that lies in a folder, as du would count it.
type onDisk struct{ blobs, uploads, quarantine int64 }

func walked(t *testing.T, data string) (sum onDisk) {
	t.Helper()
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "journal" {
			return fs.SkipDir // what is on its way out
		}
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		switch {
		case strings.Contains(path, "/v2/blobs/") && d.Name() == "data":
			sum.blobs += info.Size()
		case strings.Contains(path, "/_uploads/") && d.Name() == "data":
			sum.uploads += info.Size()
		case strings.Contains(path, "/berth/quarantine/"):
			sum.quarantine += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// addsUp holds the figures against the folder, to the byte.
func (i *instance) addsUp(when string) app.Usage {
	i.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		reply, err := i.Usage(i.t.Context(), app.UsageRequest{})
		if err != nil {
			i.t.Fatal(err)
		}
		if reply.Indexing {
			<-tick.C
			continue
		}
		u, disk := reply.Usage, walked(i.t, i.data)
		if got := (onDisk{u.Images + u.Shared + u.Trash + u.Loose, u.Uploads, u.Quarantine}); got != disk {
			i.t.Fatalf("%s: the figures say %+v, the folder %+v: %+v", when, got, disk, u)
		}
		if u.Used != disk.blobs+disk.uploads+disk.quarantine || u.Freeable > u.Loose+u.Uploads || u.Young > u.Loose {
			i.t.Fatalf("%s: %+v", when, u)
		}
		return u
	}
}

// busy does what clients and people do, at random.
type busy struct {
	*instance
	r     *rand.Rand
	open  []string // uploads that go on
	repos []string
}

func (b *busy) repo() string { return b.repos[b.r.IntN(len(b.repos))] }

func (b *busy) layer() string {
	n := b.r.IntN(12)
	return strings.Repeat(fmt.Sprint("layer ", n), 1+n*n*200)
}

func (b *busy) step() {
	ctx, repo, tag := b.t.Context(), b.repo(), fmt.Sprint("v", b.r.IntN(4))
	switch b.r.IntN(12) {
	case 0, 1, 2, 3:
		b.push(repo, tag, b.layer(), b.layer())
	case 4:
		_, _ = b.Delete(ctx, app.DeleteRequest{Repository: repo, Tags: []string{tag}}) // it may not be there
	case 5:
		_, _ = b.Restore(ctx, app.RestoreRequest{All: true})
	case 6:
		b.pushBlob(repo, []byte(b.layer()))
	case 7:
		from := b.repo()
		d := b.pushBlob(from, []byte(b.layer()))["digest"].(string)
		b.do("POST", "/v2/"+repo+"/blobs/uploads/?mount="+d+"&from="+from, "", nil, http.StatusCreated)
	case 8:
		start := b.do("POST", "/v2/"+repo+"/blobs/uploads/", "", nil, http.StatusAccepted)
		at := strings.TrimPrefix(start.Header.Get("Location"), b.base)
		next := b.do("PATCH", at, "application/octet-stream", []byte(b.layer()), http.StatusAccepted)
		b.open = append(b.open, strings.TrimPrefix(next.Header.Get("Location"), b.base))
	case 9:
		if n := len(b.open); n > 1 {
			b.do("DELETE", b.open[n-1], "", nil, http.StatusNoContent)
			b.open = b.open[:n-1]
		}
	case 10:
		_, _ = b.DeleteRepository(ctx, app.DeleteRepositoryRequest{Repository: repo})
	case 11:
		if b.r.IntN(2) == 0 {
			_, _ = b.EmptyTrash(ctx, app.EmptyTrashRequest{})
		}
		b.cleanUp(app.RunCleanupRequest{})
	}
}

func TestTheFiguresAreWhatTheFolderHoldsToTheByte(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			b := &busy{instance: withoutGrace(t), r: rand.New(rand.NewPCG(seed, 4)), repos: []string{"team/app", "team/app/sub", "tool"}}
			for n := range 40 {
				b.step()
				if n%4 == 0 {
					b.addsUp(fmt.Sprint("step ", n))
				}
			}
			b.push("tool", "v1", b.layer(), "to be damaged")
			b.damage("to be damaged")
			if u := b.addsUp("damaged"); u.Quarantine == 0 {
				t.Error("nothing is aside")
			}
			was := b.addsUp("before the restart")
			b.again(func() {})
			b.same("restarted", was)
			b.again(func() { remove(t, b.data, "berth/index.db*") })
			b.same("without its index", was)
			b.again(b.foreign)
			b.addsUp("after another program wrote")
			b.cleanUp(app.RunCleanupRequest{})
			if u := b.addsUp("cleaned"); u.Freeable != u.Uploads && u.Freeable != 0 {
				t.Errorf("after a clean-up there is more to free: %+v", u)
			}
		})
	}
}

// same wants the figures that there were before.
func (b *busy) same(when string, was app.Usage) {
	b.t.Helper()
	is := b.addsUp(when)
	is.Free, was.Free = 0, 0
	if is != was {
		b.t.Errorf("%s: %+v, was %+v", when, is, was)
	}
}

// again restarts, and does something while nothing runs.
func (b *busy) again(meanwhile func()) {
	b.t.Helper()
	if err := b.end(); err != nil {
		b.t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		b.t.Fatal(err)
	}
	meanwhile()
	o := options(b.t, b.data, "127.0.0.1:0")
	o.Config.Berth.Cleanup.Grace = 0
	b.instance = start(b.t, o)
}

// damage changes a blob on disk, and has it found.
func (b *busy) damage(content string) {
	b.t.Helper()
	d := digestOf([]byte(content))[len("sha256:"):]
	path := filepath.Join(b.data, "docker/registry/v2/blobs/sha256", d[:2], d, "data")
	if err := os.WriteFile(path, []byte(strings.ToUpper(content)), 0o600); err != nil {
		b.t.Fatal(err)
	}
	reply, err := b.Verify(b.t.Context(), app.VerifyRequest{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.finished(reply.ID)
}

// foreign is another program: it copies a repository, leaves a blob that nobody
// links and an upload, and removes an upload of ours.
func (b *busy) foreign() {
	root := filepath.Join(b.data, "docker/registry/v2")
	if err := os.CopyFS(filepath.Join(root, "repositories/copied"), os.DirFS(filepath.Join(root, "repositories/tool"))); err != nil {
		b.t.Fatal(err)
	}
	d := digestOf([]byte("stray"))[len("sha256:"):]
	for path, content := range map[string]string{
		"blobs/sha256/" + d[:2] + "/" + d + "/data": "stray",
		"repositories/other/_uploads/one/data":      "begun",
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	ours, err := filepath.Glob(filepath.Join(root, "repositories/*/_uploads/*"))
	if err != nil {
		b.t.Fatal(err)
	}
	slices.Sort(ours)
	if err := os.RemoveAll(ours[0]); err != nil {
		b.t.Fatal(err)
	}
}

// remove deletes the files that match.
func remove(t *testing.T, data, pattern string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, pattern))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatATagSharesIsWhatStaysWhenItGoes(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	for _, repo := range []string{"a", "a/b", "a/b/c", "ab"} {
		i.push(repo, "v1", "same")
	}
	i.push("a", "also", "same")
	i.push("a", "own", "mine")
	i.push("a", "gone", "nobody needs this")
	i.drop("a", "gone")
	reply, err := i.Tags(t.Context(), app.TagsRequest{Repository: "a", Sort: "name", Measured: true})
	if err != nil || len(reply.Tags) != 3 {
		t.Fatal(reply, err)
	}
	own := reply.Tags[1]
	for _, tag := range reply.Tags {
		if tag.Size != tag.Shared+tag.Frees || tag.Size == 0 {
			t.Errorf("%s takes %d, shares %d, frees %d", tag.Name, tag.Size, tag.Shared, tag.Frees)
		}
		elsewhere, frees := 3, int64(0)
		if tag.Name == "own" {
			elsewhere, frees = 0, own.Size
		}
		if tag.Elsewhere != elsewhere || tag.Frees != frees {
			t.Errorf("%s frees %d, and is in %d places elsewhere", tag.Name, tag.Frees, tag.Elsewhere)
		}
	}
	r := reply.Repository
	if r.Size != r.Shared+r.Frees || r.Shared != reply.Tags[0].Size || r.Loose <= 0 || r.Frees != own.Size+r.Loose {
		t.Errorf("the repository: %+v, the tag of its own takes %d", r, own.Size)
	}
	i.pin("a", "own", false)
	reply, err = i.Tags(t.Context(), app.TagsRequest{Repository: "a", Sort: "name"})
	if own := reply.Tags[1]; err != nil || own.Frees != 0 || own.Shared != own.Size || reply.Repository.Loose != 0 {
		t.Errorf("pinned: %+v, %v", own, err)
	}
}
