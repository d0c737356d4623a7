package app

import (
	"fmt"
	"runtime"
	"testing"

	"berth/app/config"
	"berth/registry"
)

// BenchmarkApplyRules drops 10,000 tags of one repository by a rule, on disk and
// through everything that looks at a delete.
func BenchmarkApplyRules(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		cfg, err := config.Load("", nil, config.Flags{Data: b.TempDir(), Addr: "127.0.0.1:0"})
		if err != nil {
			b.Fatal(err)
		}
		c, err := Open(b.Context(), Options{Config: cfg, Alone: true})
		if err != nil {
			b.Fatal(err)
		}
		for c.blind() {
			runtime.Gosched()
		}
		var tags []string
		for i := range 10_000 {
			tags = append(tags, fmt.Sprint("v", i))
		}
		for _, some := range [][]string{tags, {"newest"}} {
			m := registry.Manifest{
				MediaType: "application/vnd.oci.image.index.v1+json",
				Content:   fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"annotations":{"first":%q}}`, some[0]),
			}
			if _, err := c.reg.PutManifest(b.Context(), "app", m, some...); err != nil {
				b.Fatal(err)
			}
		}
		rules := []Rule{{Newest: 1}}
		if _, err := c.SetRules(b.Context(), SetRulesRequest{Rules: &rules}); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		n, problems, err := c.applyRules(b.Context(), func(int, int) {})
		b.StopTimer()
		if n != 10_000 || err != nil || len(problems) > 0 {
			b.Fatalf("%d dropped, %v, %v", n, problems, err)
		}
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
