package app

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"berth/app/config"
	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/index"
	"berth/registry/index/sqlite"
	"berth/registry/manifest"
	"berth/registry/pin"
	"berth/registry/trash"

	"github.com/opencontainers/go-digest"
)

// benchRules are as a team has them.
func benchRules() []Rule {
	return []Rule{
		{Name: "pull requests", Tags: []string{"pr-*"}, Newest: 50, Younger: "14d"},
		{Name: "builds", Repositories: []string{"team/**"}, Except: []string{"latest", "main"}, Newest: 10, Younger: "30d", Pulled: "30d", Always: []string{"keep-*"}},
		{Name: "releases", Tags: []string{"v*", "re:[0-9]+\\..*"}, Versions: 20, Untagged: "7d"},
	}
}

// filled gives a Core whose index, and nothing else, holds repositories of tags:
// an image of two blobs for each tag, and one layer that all share.
func filled(b *testing.B, repos, tags int) *Core {
	b.Helper()
	cfg, err := config.Load("", nil, config.Flags{Data: b.TempDir(), Addr: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	// No store: it would find that nothing of this is on disk.
	c := newCore(Options{Config: cfg})
	ix, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "index.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	drv := memory.New()
	c.ix, c.bin, c.pins = ix, trash.New(drv, 0), pin.New(drv)
	b.Cleanup(func() {
		c.end()
		c.background.Wait()
		_ = ix.Close()
	})
	if err := ix.SetComplete(b.Context(), true); err != nil {
		b.Fatal(err)
	}
	ctx, now, n := context.Background(), time.Now(), 0
	var changes []index.Change
	for r := range repos {
		repo := fmt.Sprintf("team/app%d", r)
		for i := range tags {
			n++
			name := []string{fmt.Sprintf("v1.%d.%d", i/10, i%10), fmt.Sprintf("pr-%d", i), fmt.Sprintf("main-%07x", i*2654435761%(1<<28))}[i%3]
			changes = append(changes, pushOf(repo, name, n, now.Add(-time.Duration(n*37%100000)*time.Minute))...)
			if len(changes) > 5000 {
				if err := c.ix.Apply(ctx, changes...); err != nil {
					b.Fatal(err)
				}
				changes = changes[:0]
			}
		}
	}
	if err := c.ix.Apply(ctx, changes...); err != nil {
		b.Fatal(err)
	}
	if _, err := c.ix.Usage(ctx); err != nil {
		b.Fatal(err)
	}
	return c
}

func pushOf(repo, tag string, n int, at time.Time) []index.Change {
	blob := func(text string, size int64) registry.Descriptor {
		return registry.Descriptor{MediaType: "application/octet-stream", Digest: digest.FromString(text), Size: size}
	}
	config, layer, base := blob(fmt.Sprint("config ", n), 1000), blob(fmt.Sprint("layer ", n), 1e6), blob("base", 5e7)
	m := index.Manifest{
		Descriptor: registry.Descriptor{MediaType: manifest.MediaTypes()[0], Digest: digest.FromString(fmt.Sprint("manifest ", n)), Size: 500},
		Blobs:      []registry.Descriptor{config, layer, base},
	}
	return []index.Change{
		index.PutBlob{Repository: repo, Digest: config.Digest, Size: config.Size, At: at},
		index.PutBlob{Repository: repo, Digest: layer.Digest, Size: layer.Size, At: at},
		index.PutBlob{Repository: repo, Digest: base.Digest, Size: base.Size, At: at},
		index.PutManifest{Repository: repo, Manifest: m, At: at},
		index.PutTag{Repository: repo, Tag: tag, Digest: m.Descriptor.Digest, At: at},
	}
}

// BenchmarkPreview: cold reads everything, warm is asked again, push is asked
// again after a push into one repository, edit after a rule was changed. Exact
// waits for what it frees, to the byte.
func BenchmarkPreview(b *testing.B) {
	for _, shape := range []struct{ repos, tags int }{{1, 10_000}, {1, 100_000}, {1000, 100}} {
		b.Run(fmt.Sprintf("%d of %d", shape.repos, shape.tags), func(b *testing.B) {
			c := filled(b, shape.repos, shape.tags)
			rules, n := benchRules(), 0
			ask := func(b *testing.B, verdicts, exact bool) {
				reply, err := c.PreviewRules(context.Background(), PreviewRulesRequest{Rules: &rules, Verdicts: verdicts, Measured: exact})
				if err != nil || reply.Indexing || reply.All.Tags == 0 || exact && (reply.Measuring || reply.All.Frees == 0) {
					b.Fatal(reply.All, err)
				}
			}
			for _, before := range []struct {
				what string
				do   func()
			}{{"cold", func() {
				c.judge.forget()
				if err := c.ix.SetComplete(context.Background(), true); err != nil { // the index lets go of what it has in memory
					b.Fatal(err)
				}
			}}, {"warm", func() {}}, {"edit", func() {
				n++
				rules[0].Newest = 50 + n%1000 + 1
			}}, {"push", func() {
				n++
				if err := c.ix.Apply(context.Background(), pushOf("team/app0", fmt.Sprint("new-", n), 1e9+n, time.Now())...); err != nil {
					b.Fatal(err)
				}
			}}} {
				for _, exact := range []bool{false, true} {
					b.Run(before.what+map[bool]string{true: " exact"}[exact], func(b *testing.B) {
						for b.Loop() {
							b.StopTimer()
							before.do()
							b.StartTimer()
							ask(b, true, exact)
						}
					})
				}
			}
		})
	}
}
