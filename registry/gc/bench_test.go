package gc_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/gc"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

// vast is a store of any size that takes no room: repositories of 100 images
// of 9 layers each, of which a share is garbage. What it lists it makes up.
type vast struct {
	images  int
	garbage int // every how-manieth image is not tagged; 0: none
	first   int // so many images of the first repository are not tagged
	swept   atomic.Int64
	linked  atomic.Int64
}

const (
	perRepo = 100
	layers  = 9
)

func (v *vast) blob(image, n int) registry.Digest {
	var number [8]byte
	binary.LittleEndian.PutUint64(number[:], uint64(image*(layers+1)+n)) //nolint:gosec // a number
	sum := sha256.Sum256(number[:])
	copy(sum[24:], number[:]) // so that Content can tell
	return registry.Digest("sha256:" + hex.EncodeToString(sum[:]))
}

func (v *vast) manifest(image int) registry.Digest { return v.blob(image, layers) }

func (v *vast) untagged(image int) bool {
	return image < v.first || v.garbage > 0 && image%v.garbage == 0
}

func (v *vast) AllRepositories(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for i := range (v.images + perRepo - 1) / perRepo {
			if !yield(fmt.Sprintf("team/app-%06d", i), nil) {
				return
			}
		}
	}
}

func (v *vast) Contents(_ context.Context, repo string) iter.Seq2[registry.Link, error] {
	var n int
	_, _ = fmt.Sscanf(repo, "team/app-%06d", &n)
	long := time.Now().Add(-24 * time.Hour)
	return func(yield func(registry.Link, error) bool) {
		last := min((n+1)*perRepo, v.images)
		for i := n * perRepo; i < last; i++ {
			d := v.manifest(i)
			if !v.untagged(i) && !yield(registry.Link{Kind: registry.TagLink, Tag: fmt.Sprint("v", i), Digest: d, Target: d}, nil) {
				return
			}
		}
		for i := n * perRepo; i < last; i++ {
			d := v.manifest(i)
			if !yield(registry.Link{Kind: registry.ManifestLink, Digest: d, Target: d, Linked: long}, nil) {
				return
			}
		}
		for i := n * perRepo; i < last; i++ {
			for l := range layers {
				d := v.blob(i, l)
				if !yield(registry.Link{Kind: registry.BlobLink, Digest: d, Target: d, Linked: long}, nil) {
					return
				}
			}
		}
	}
}

func (v *vast) Stored(context.Context) iter.Seq2[registry.Stored, error] {
	long := time.Now().Add(-24 * time.Hour)
	return func(yield func(registry.Stored, error) bool) {
		for i := range v.images {
			for n := range layers + 1 {
				if !yield(registry.Stored{Digest: v.blob(i, n), Size: 1000, Modified: long}, nil) {
					return
				}
			}
		}
	}
}

func (v *vast) Content(_ context.Context, d registry.Digest) ([]byte, error) {
	sum, err := hex.DecodeString(d.Encoded())
	if err != nil {
		return nil, err
	}
	number := int(binary.LittleEndian.Uint64(sum[24:])) //nolint:gosec // a number
	image := number / (layers + 1)
	if number%(layers+1) != layers || v.manifest(image) != d {
		return nil, registry.ErrManifestUnknown
	}
	out := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",`+
		`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":1000},"layers":[`, v.blob(image, 0))
	for l := 1; l < layers; l++ {
		if l > 1 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, `{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":%q,"size":1000}`, v.blob(image, l))
	}
	return append(out, `]}`...), nil
}

func (v *vast) Census(context.Context) (registry.Census, error) { return &vastCensus{v: v}, nil }

func (v *vast) Strays(context.Context) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

func (v *vast) Trim(context.Context, string) error { return nil }

func (v *vast) Forget(context.Context, string) (int, error) { return 0, nil }

// vastStore is a vast store as gc needs it; whatever else is asked of it panics.
type vastStore struct {
	registry.Keeper
	*vast
}

func (v vastStore) AllRepositories(ctx context.Context) iter.Seq2[string, error] {
	return v.vast.AllRepositories(ctx)
}

func (v vastStore) Contents(ctx context.Context, repo string) iter.Seq2[registry.Link, error] {
	return v.vast.Contents(ctx, repo)
}

func (v vastStore) Stored(ctx context.Context) iter.Seq2[registry.Stored, error] {
	return v.vast.Stored(ctx)
}

func (v vastStore) Content(ctx context.Context, d registry.Digest) ([]byte, error) {
	return v.vast.Content(ctx, d)
}

func (v vastStore) Census(ctx context.Context) (registry.Census, error) { return v.vast.Census(ctx) }

func (v vastStore) Strays(ctx context.Context) iter.Seq2[string, error] { return v.vast.Strays(ctx) }

func (v vastStore) Trim(ctx context.Context, repo string) error { return v.vast.Trim(ctx, repo) }

func (v vastStore) Forget(ctx context.Context, repo string) (int, error) {
	return v.vast.Forget(ctx, repo)
}

type vastCensus struct{ v *vast }

func (c *vastCensus) Lost() bool { return false }

func (c *vastCensus) Promised(registry.Digest) bool { return false }

func (c *vastCensus) Pushed() iter.Seq2[string, registry.Digest] {
	return func(func(string, registry.Digest) bool) {}
}

func (c *vastCensus) Unlink(_ context.Context, _ string, _ time.Time, groups ...[]registry.Link) ([]registry.Why, error) {
	c.v.linked.Add(int64(len(groups)))
	return make([]registry.Why, len(groups)), nil
}

func (c *vastCensus) Sweep(_ context.Context, _ time.Time, blobs ...registry.Digest) ([]registry.Swept, error) {
	c.v.swept.Add(int64(len(blobs)))
	out := make([]registry.Swept, len(blobs))
	for i := range out {
		out[i].Freed = 1000
	}
	return out, nil
}

func (c *vastCensus) Close() error { return nil }

// peak samples the memory that the process has from the system and uses.
func peak(do func()) (megabytes float64) {
	debug.FreeOSMemory()
	used := func() uint64 {
		samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		metrics.Read(samples)
		return samples[0].Value.Uint64() - samples[1].Value.Uint64()
	}
	most, stop := used(), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				most = max(most, used())
			}
		}
	})
	do()
	close(stop)
	wg.Wait()
	return float64(most) / (1 << 20)
}

// BenchmarkPlan marks stores of 10,000 to 1,000,000 blobs, a fifth of them
// garbage, with the memory that it takes at most. The store costs nothing but
// the making up of what it lists.
func BenchmarkPlan(b *testing.B) {
	for _, blobs := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint("blobs=", blobs), func(b *testing.B) {
			v := &vast{images: blobs / (layers + 1), garbage: 5}
			var most float64
			for b.Loop() {
				var p *gc.Plan
				var err error
				most = max(most, peak(func() { p, err = gc.NewPlan(b.Context(), vastStore{vast: v}, nil, all) }))
				if err != nil || p.Total.Blobs != blobs || p.Garbage.Blobs != blobs/5 {
					b.Fatal(p, err)
				}
			}
			b.ReportMetric(most, "peak-MB")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(blobs), "ns/blob")
		})
	}
}

// BenchmarkPlanAllGarbage is the most that a plan can hold.
func BenchmarkPlanAllGarbage(b *testing.B) {
	v := &vast{images: 100_000, garbage: 1}
	var most float64
	for b.Loop() {
		most = max(most, peak(func() {
			p, err := gc.NewPlan(b.Context(), vastStore{vast: v}, nil, all)
			if err == nil {
				_, err = p.Execute(b.Context(), nil)
			}
			if err != nil || v.swept.Load() == 0 {
				b.Fatal(err)
			}
		}))
	}
	b.ReportMetric(most, "peak-MB")
}

// BenchmarkExecute frees 1,000 blobs of 100 images, in stores of growing size:
// what is not garbage costs nothing. Each turn makes its store anew, which takes
// a thousand times as long, so the turns are counted with that, and the figure is
// of the clean-up alone.
func BenchmarkExecute(b *testing.B) {
	for _, blobs := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint("blobs=", blobs), func(b *testing.B) {
			v := &vast{images: blobs / (layers + 1), first: 100}
			var took time.Duration
			for b.Loop() {
				drv := memory.New()
				fill(b, v, func(key string, content []byte) error { return drv.Put(b.Context(), key, content) })
				w := newWorld(b, drv, store.Options{Grace: -1})
				p := w.plan(all)
				runtime.GC() // a store of a million in memory would have one in the midst of it
				began := time.Now()
				if r := w.execute(p); r.Freed.Blobs != 1000 {
					b.Fatalf("freed %+v", r.Freed)
				}
				took += time.Since(began)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(took.Microseconds())/float64(b.N)/1000, "µs/garbage-blob")
		})
	}
}

// fill writes what a vast store makes up, with manifests whose digests are
// right.
func fill(b *testing.B, v *vast, put func(key string, content []byte) error) {
	b.Helper()
	for i := range v.images {
		repo := fmt.Sprintf("team/app-%06d", i/perRepo)
		content, err := v.Content(b.Context(), v.manifest(i))
		if err != nil {
			b.Fatal(err)
		}
		d := digest.FromBytes(content)
		errs := []error{
			put(blobPath(d), content),
			put(linkPath(repo, "_manifests/revisions", d), []byte(d)),
		}
		if !v.untagged(i) {
			errs = append(errs, put(fmt.Sprintf(v2+"repositories/%s/_manifests/tags/v%d/current/link", repo, i), []byte(d)))
		}
		for l := range layers {
			d := v.blob(i, l)
			errs = append(errs, put(blobPath(d), []byte("layer")), put(linkPath(repo, "_layers", d), []byte(d)))
		}
		if err := errors.Join(errs...); err != nil {
			b.Fatal(err)
		}
	}
}
