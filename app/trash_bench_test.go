package app

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/index"
	"berth/registry/trash"
)

// crammed gives a Core whose index holds 100,000 images, and whose trash has an
// entry of each.
func crammed(b *testing.B) *Core {
	b.Helper()
	c := filled(b, 10, 10_000)
	drv, now := memory.New(), time.Now().UTC()
	c.bin = trash.New(drv, 0)
	n := 0
	for r := range 10 {
		repo := fmt.Sprintf("team/app%d", r)
		rows, err := c.ix.Tags(b.Context(), repo, index.Query{Order: index.ByName})
		if err != nil {
			b.Fatal(err)
		}
		puts := make([]driver.Change, 0, len(rows))
		for _, row := range rows {
			id := fmt.Sprintf("0198f2b2-0000-7000-8000-%012d", n)
			n++
			content, err := json.Marshal(trash.Entry{
				ID: id, Repository: repo, Tag: row.Name, Digest: row.Descriptor.Digest, MediaType: row.Descriptor.MediaType, Size: row.Descriptor.Size,
				Why: trash.Overwritten, By: "ci", At: now, Until: now.Add(time.Hour), Pushed: now, PushedBy: "ci",
			})
			if err != nil {
				b.Fatal(err)
			}
			puts = append(puts, driver.Put{Key: "berth/trash/" + id + ".json", Content: content})
		}
		if err := driver.Apply(b.Context(), drv, puts...); err != nil {
			b.Fatal(err)
		}
	}
	if n != 100_000 {
		b.Fatalf("%d tags", n)
	}
	return c
}

// BenchmarkTrash lists a trash of 100,000 entries: the first look reads them
// all, again is what a page asks each time, and all is without a limit, while
// nothing changes, and after something did.
func BenchmarkTrash(b *testing.B) {
	c := crammed(b)
	look := func(b *testing.B, r TrashRequest, want int) {
		b.Helper()
		reply, err := c.Trash(b.Context(), r)
		if err != nil || len(reply.Entries) != want || len(reply.Entries)+reply.More != 100_000 {
			b.Fatal(len(reply.Entries), reply.More, err)
		}
	}
	began := time.Now()
	look(b, TrashRequest{Limit: 100}, 100)
	first := time.Since(began)
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			look(b, TrashRequest{Limit: 100}, 100)
		}
		b.ReportMetric(first.Seconds(), "s/first")
	})
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			look(b, TrashRequest{}, 100_000)
		}
	})
	b.Run("all, changed", func(b *testing.B) {
		for b.Loop() {
			c.reach = reach{}
			look(b, TrashRequest{}, 100_000)
		}
	})
}
