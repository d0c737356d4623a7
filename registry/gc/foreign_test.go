package gc_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/faulty"
	"berth/registry/driver/memory"
	"berth/registry/gc"
	"berth/registry/manifest"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

func blobPath(d registry.Digest) string {
	return v2 + "blobs/sha256/" + d.Encoded()[:2] + "/" + d.Encoded() + "/data"
}

func linkPath(repo, kind string, d registry.Digest) string {
	return v2 + "repositories/" + repo + "/" + kind + "/sha256/" + d.Encoded() + "/link"
}

func (w *world) file(key, content string) {
	w.t.Helper()
	if err := w.drv.Put(context.Background(), key, []byte(content)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) drop(key string) {
	w.t.Helper()
	if err := w.drv.Delete(context.Background(), key); err != nil {
		w.t.Fatal(err)
	}
}

// damage is what is wrong with the folder of repo, in which v1 names an image
// and a loose blob is linked. clean says whether the loose blob may go.
var damage = map[string]struct {
	do    func(w *world, image registry.Manifest)
	clean bool
	says  string
}{
	"nothing": {do: func(*world, registry.Manifest) {}, clean: true},
	"the link of the tagged manifest is missing": {
		do:    func(w *world, m registry.Manifest) { w.drop(linkPath(repo, "_manifests/revisions", m.Digest)) },
		clean: true,
	},
	"the link of a layer is missing": {
		do:    func(w *world, m registry.Manifest) { w.drop(linkPath(repo, "_layers", layerOf(w, m))) },
		clean: true,
	},
	"a layer is truncated": {
		do:    func(w *world, m registry.Manifest) { w.file(blobPath(layerOf(w, m)), "lay") },
		clean: true,
	},
	"the tagged manifest is truncated": {
		do:   func(w *world, m registry.Manifest) { w.file(blobPath(m.Digest), string(m.Content[:40])) },
		says: "cannot be read",
	},
	"the tagged manifest is gone": {
		do:   func(w *world, m registry.Manifest) { w.drop(blobPath(m.Digest)) },
		says: "cannot be read",
	},
	"a tag names what never was": {
		do: func(w *world, _ registry.Manifest) {
			w.file(v2+"repositories/"+repo+"/_manifests/tags/lost/current/link", digest.FromString("never").String())
		},
		says: "is not there",
	},
	"a tag cannot be read": {
		do: func(w *world, _ registry.Manifest) {
			w.file(v2+"repositories/"+repo+"/_manifests/tags/odd/current/link", "sha256:abc")
		},
		says: "the tag odd",
	},
	"an index lacks a child": {
		do: func(w *world, _ registry.Manifest) {
			child := registrytest.Image(w.t, w.st, repo, "child")
			w.put(child)
			w.put(registrytest.Index(w.t, registrytest.Descriptor(child)), "multi")
			w.drop(linkPath(repo, "_manifests/revisions", child.Digest))
			w.drop(blobPath(child.Digest))
		},
		says: "is needed is not there",
	},
	"a link of a blob leads nowhere": {
		do: func(w *world, _ registry.Manifest) {
			d := digest.FromString("nowhere")
			w.file(linkPath(repo, "_layers", d), d.String())
		},
		clean: true,
	},
	"a link of a manifest leads nowhere": {
		do: func(w *world, _ registry.Manifest) {
			d := digest.FromString("nowhere")
			w.file(linkPath(repo, "_manifests/revisions", d), d.String())
		},
		says: "is not there",
	},
	"there are files of somebody else": {
		do: func(w *world, _ registry.Manifest) {
			for _, key := range []string{
				"repositories/README", "repositories/" + repo + "/notes.txt", "repositories/" + repo + "/_layers/sha256/x/link",
				"blobs/sha256/ab/notes", "blobs/blake3/ab/abcd/data", "repositories/" + repo + "/_layers/junk",
			} {
				w.file(v2+key, "mine")
			}
		},
		clean: true,
	},
	"an upload is not finished": {
		do: func(w *world, _ registry.Manifest) {
			w.file(v2+"repositories/"+repo+"/_uploads/0f/data", "half")
		},
		clean: true,
	},
}

func layerOf(w *world, m registry.Manifest) registry.Digest {
	w.t.Helper()
	p, err := manifest.Parse("", m.Content)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Blobs[1].Digest
}

func TestNothingIsTakenOnDoubtAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	for name, c := range damage {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := rash(t)
			m := w.image("a")
			w.put(m, "v1")
			loose := registrytest.PushBlob(t, w.st, repo, []byte("loose")).Digest
			other := registrytest.PushBlob(t, w.st, "other", []byte("other")).Digest
			c.do(w, m)
			had := w.files()
			p := w.plan(all)
			told := ""
			for _, problem := range p.Problems {
				told += problem.String() + "\n"
			}
			if c.says == "" && told != "" || !strings.Contains(told, c.says) || c.says != "" && !strings.Contains(told, repo) {
				t.Errorf("problems: %q, want %q", told, c.says)
			}
			w.execute(p)
			for key := range had {
				if mayGo(key, c.clean, loose, other) {
					continue
				}
				if _, err := w.drv.Stat(t.Context(), key); err != nil {
					t.Errorf("%s is gone", key)
				}
			}
			if _, err := w.drv.Stat(t.Context(), blobPath(other)); err == nil {
				t.Error("what is loose in another repository stayed")
			}
			if _, err := w.drv.Stat(t.Context(), blobPath(loose)); (err != nil) != c.clean {
				t.Errorf("the loose blob: %v", err)
			}
		})
	}
}

// mayGo: what is loose, and a link that leads nowhere.
func mayGo(key string, clean bool, loose, other registry.Digest) bool {
	nowhere := digest.FromString("nowhere").Encoded()
	return strings.Contains(key, other.Encoded()) ||
		clean && (strings.Contains(key, loose.Encoded()) || strings.Contains(key, nowhere))
}

func (w *world) files() map[string]bool {
	w.t.Helper()
	walker, _ := driver.As[driver.Walker](w.drv)
	out := map[string]bool{}
	for info, err := range walker.Walk(context.Background(), "") {
		if err != nil {
			w.t.Fatal(err)
		}
		out[info.Key] = true
	}
	return out
}

func TestAManifestOfAnOldFormatKeepsItsLayers(t *testing.T) {
	t.Parallel()
	w := rash(t)
	layer := registrytest.PushBlob(t, w.st, repo, []byte("layer of 2014")).Digest
	loose := registrytest.PushBlob(t, w.st, repo, []byte("loose")).Digest
	old := `{"schemaVersion":1,"name":"team/app","fsLayers":[{"blobSum":"` + layer.String() + `"}],"signatures":[]}`
	d := digest.FromString(old)
	w.file(blobPath(d), old)
	w.file(linkPath(repo, "_manifests/revisions", d), d.String())
	w.file(v2+"repositories/"+repo+"/_manifests/tags/old/current/link", d.String())
	w.clean(all)
	for _, d := range []registry.Digest{layer, d} {
		if _, err := w.drv.Stat(t.Context(), blobPath(d)); err != nil {
			t.Error(err)
		}
	}
	if _, err := w.drv.Stat(t.Context(), blobPath(loose)); err == nil {
		t.Error("the loose blob stayed")
	}
}

func TestAnIndexMayLackTheChildrenThatTheOptionsAllow(t *testing.T) {
	t.Parallel()
	arm := func(c registry.Descriptor) bool { return c.Size == 77 }
	w := newWorld(t, memory.New(), store.Options{Grace: -1, Optional: arm})
	missing := registry.Descriptor{MediaType: manifest.OCIManifest, Digest: digest.FromString("arm"), Size: 77}
	index := w.put(registrytest.Index(t, w.put(w.image("amd")), missing), "v1")
	registrytest.PushBlob(t, w.st, repo, []byte("loose"))
	o := all
	o.Sparse = arm
	if r := w.clean(o); r.Freed.Bytes != 5 {
		t.Errorf("freed %+v", r.Freed)
	}
	if _, err := w.st.Manifest(t.Context(), repo, index.Digest); err != nil {
		t.Error(err)
	}
	if p := w.plan(all); len(p.Problems) != 1 {
		t.Errorf("problems %v", p.Problems)
	}
}

func TestAnIndexOfLayersIsNoDoubt(t *testing.T) {
	t.Parallel()
	w := rash(t)
	layer := registrytest.PushBlob(t, w.st, repo, []byte("cached layer"))
	cache := w.put(registrytest.Index(t, layer), "buildcache")
	if r := w.clean(all); r.Freed.Blobs != 0 {
		t.Errorf("freed %+v", r.Freed)
	}
	if err := hashes(w.st, repo, layer.Digest); err != nil {
		t.Error(err)
	}
	_ = cache
}

func TestAFolderUnderAStrangeNameKeepsEveryBlob(t *testing.T) {
	t.Parallel()
	w := rash(t)
	loose := registrytest.PushBlob(t, w.st, repo, []byte("loose")).Digest
	w.file(linkPath("Team/App", "_layers", loose), loose.String())
	p := w.plan(all)
	if len(p.Problems) != 1 || !strings.Contains(p.Problems[0].Text, "Team/App") || p.Doubtful.Bytes != 5 {
		t.Errorf("problems %v, %+v in doubt", p.Problems, p.Doubtful)
	}
	if r := w.execute(p); r.Links != 1 || r.Freed.Blobs != 0 {
		t.Errorf("receipt %+v", r)
	}
}

// TestAnErrorOfTheDiskTakesNothing has one operation of the marking fail after
// the other.
func TestAnErrorOfTheDiskTakesNothing(t *testing.T) {
	t.Parallel()
	for at, fired := 1, true; fired; at++ {
		disk := memory.New()
		w := newWorld(t, disk, store.Options{Grace: -1})
		m := w.put(w.image("a"), "v1")
		index := w.put(registrytest.Index(t, w.put(w.image("b"))), "v2")
		registrytest.PushBlob(t, w.st, repo, []byte("loose"))
		broken := faulty.New(disk, faulty.Plan{At: at, Effect: faulty.None, Once: true, Err: errors.New("input/output error")})
		b := newWorld(t, broken, store.Options{Grace: -1})
		p, err := gc.NewPlan(t.Context(), b.st, []registry.Rooter{b.bin}, all)
		if fired = broken.Fired(); !fired && at < 20 {
			t.Fatalf("only %d operations", at)
		}
		if err == nil {
			if _, err := p.Execute(t.Context(), nil); err != nil {
				t.Logf("operation %d: %v", at, err)
			}
		}
		w.whole(m.Digest)
		w.whole(index.Digest)
		w.clean(all)
		w.stored(7)
	}
}
