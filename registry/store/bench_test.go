package store_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

func drivers(b *testing.B) map[string]driver.Driver {
	return map[string]driver.Driver{"memory": memory.New(), "files": files(b)}
}

func push(b *testing.B, st *store.Store, content []byte, d registry.Digest) {
	up, err := st.StartUpload(b.Context(), "app")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(up, bytes.NewReader(content)); err != nil {
		b.Fatal(err)
	}
	if _, err := up.Commit(b.Context(), d); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkBlobPush(b *testing.B) {
	for name, drv := range drivers(b) {
		for _, size := range []int{4 << 10, 64 << 20} {
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				st := open(b, drv, nil, store.Options{})
				content := registrytest.Bytes(1, size)
				d := digest.FromBytes(content)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					push(b, st, content, d)
				}
			})
		}
	}
}

func BenchmarkManifestPut(b *testing.B) {
	for name, drv := range drivers(b) {
		b.Run(name, func(b *testing.B) {
			st := open(b, drv, openIndex(b), store.Options{})
			config := registrytest.PushBlob(b, st, "app", []byte("{}"))
			b.ReportAllocs()
			n := uint64(0)
			for b.Loop() {
				n++
				m := fmt.Appendf(nil, `{"schemaVersion":2,"annotations":{"n":"%d"},"config":{"mediaType":"a/b","digest":%q,"size":2}}`, n, config.Digest)
				if _, err := st.PutManifest(b.Context(), "app", registry.Manifest{Content: m}, fmt.Sprint("v", n%100)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkManifestPutParallel(b *testing.B) {
	st := open(b, files(b), openIndex(b), store.Options{})
	config := registrytest.PushBlob(b, st, "app", []byte("{}"))
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		seed := digest.FromBytes(binary.AppendVarint(nil, int64(b.N)))
		for n := 0; pb.Next(); n++ {
			m := fmt.Appendf(nil, `{"schemaVersion":2,"annotations":{"n":"%p %s %d"},"config":{"mediaType":"a/b","digest":%q,"size":2}}`, pb, seed, n, config.Digest)
			if _, err := st.PutManifest(b.Context(), "app", registry.Manifest{Content: m}, fmt.Sprintf("v%p", pb)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkManifestGet(b *testing.B) {
	st := open(b, files(b), nil, store.Options{})
	registrytest.PushImage(b, st, "app", "v1")
	b.ReportAllocs()
	for b.Loop() {
		d, err := st.ResolveTag(b.Context(), "app", "v1")
		if err == nil {
			_, err = st.Manifest(b.Context(), "app", d.Digest)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTagsList(b *testing.B) {
	drv := memory.New()
	st := open(b, drv, openIndex(b), store.Options{})
	m := registrytest.Image(b, st, "app", "x")
	tags := make([]string, 10000)
	for i := range tags {
		tags[i] = fmt.Sprintf("v%d", i)
	}
	if _, err := st.PutManifest(b.Context(), "app", m, tags...); err != nil {
		b.Fatal(err)
	}
	<-st.Reconciled()
	list(b, st.Tags(b.Context(), "app", "")) // the index takes in what is new when it is first asked
	for name, st := range map[string]*store.Store{"index": st, "disk": open(b, drv, nil, store.Options{})} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for range st.Tags(b.Context(), "app", "v5") {
					if n++; n == 100 {
						break
					}
				}
			}
		})
	}
}

func BenchmarkBlobOpen(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			st := open(b, files(b), nil, store.Options{})
			d := registrytest.PushBlob(b, st, "app", registrytest.Bytes(1, size)).Digest
			b.ReportAllocs()
			for b.Loop() {
				f, err := st.OpenBlob(b.Context(), "app", d)
				if err != nil {
					b.Fatal(err)
				}
				if _, ok := registry.File(f); !ok && size > 64<<10 {
					b.Fatal("no plain file: sendfile is lost")
				}
				_ = f.Close()
			}
		})
	}
}
