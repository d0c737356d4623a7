package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

// BenchmarkBlobPush1K pushes blobs that are not there, from 16 at once.
func BenchmarkBlobPush1K(b *testing.B) {
	for name, drv := range drivers(b) {
		b.Run(name, func(b *testing.B) {
			st := open(b, drv, openIndex(b), store.Options{})
			var n atomic.Uint64
			b.SetParallelism(8)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					content := registrytest.Bytes(n.Add(1), 1024)
					push(b, st, content, digest.FromBytes(content))
				}
			})
		})
	}
}

// BenchmarkMount mounts one blob into ever new repositories, from 16 at once.
func BenchmarkMount(b *testing.B) {
	for name, drv := range drivers(b) {
		b.Run(name, func(b *testing.B) {
			st := open(b, drv, openIndex(b), store.Options{})
			d := registrytest.PushBlob(b, st, "app", []byte("layer")).Digest
			var n atomic.Uint64
			b.SetParallelism(8)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := st.MountBlob(b.Context(), "app", fmt.Sprint("r", n.Add(1)), d); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
