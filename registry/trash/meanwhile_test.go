package trash_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/trash"
)

// TestWhatIsPushedWhileARepositoryGoesStaysOrIsOnRecord pushes tags while the
// repository is deleted again and again: each tag that was acknowledged is
// there, or is in an entry.
func TestWhatIsPushedWhileARepositoryGoesStaysOrIsOnRecord(t *testing.T) {
	t.Parallel()
	reg, bin := wrap(t, memory.New())
	m := registrytest.Image(t, reg, repo, "a")
	const pushers, pushes = 4, 30
	var pushed sync.WaitGroup
	for n := range pushers {
		pushed.Go(func() {
			for i := range pushes {
				if _, err := reg.PutManifest(t.Context(), repo, m, fmt.Sprintf("v%d-%d", n, i)); err != nil {
					t.Errorf("push: %v", err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { pushed.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		if _, err := reg.DeleteRepository(t.Context(), repo, trash.Deletion{}); err != nil && !unknown(err) {
			t.Fatal(err)
		}
	}
	there := map[string]bool{}
	for _, tag := range tags(t, reg, repo) {
		there[tag] = true
	}
	for _, e := range entries(t, bin) {
		for held, err := range bin.Contents(t.Context(), e) {
			if err != nil {
				t.Fatal(err)
			}
			for _, tag := range held.Tags {
				there[tag.Name] = true
			}
		}
	}
	if len(there) != pushers*pushes {
		t.Errorf("%d of %d tags are there or on record", len(there), pushers*pushes)
	}
}

func TestChangesAreToldInOrderAndWhatTheyHoldCanBeAsked(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	reg, bin := wrap(t, drv)
	var mu sync.Mutex // guards what follows
	held, told := map[string]int{}, 0
	bin.Changed = func(ctx context.Context, added []trash.Entry, gone []string) {
		mu.Lock()
		defer mu.Unlock()
		for _, e := range added {
			digests, err := bin.Held(ctx, e.ID)
			if err != nil {
				t.Errorf("held by what was just told: %v", err)
			}
			held[e.ID] = len(digests)
			told++
		}
		for _, id := range gone {
			if _, ok := held[id]; !ok {
				t.Errorf("%s went before it came", id)
			}
			delete(held, id)
		}
	}
	family(t, reg, repo)
	gone, err := reg.Delete(t.Context(), repo, "v1")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := reg.DeleteRepository(t.Context(), repo, trash.Deletion{})
	if err != nil || held[whole.ID] != 5 || held[gone[0].ID] != 1 {
		t.Fatalf("%v: held %v", err, held)
	}
	if _, err := reg.RestoreRepository(t.Context(), whole.ID); err != nil {
		t.Fatal(err)
	}
	// Another program empties the trash, and puts something of its own there.
	if err := drv.Delete(t.Context(), "berth/trash/"+gone[0].ID+".json"); err != nil {
		t.Fatal(err)
	}
	foreign := `{"repository":"team/app","digest":"` + string(gone[0].Digest) + `","why":"deleted"}`
	if err := drv.Put(t.Context(), "berth/trash/foreign.json", []byte(foreign)); err != nil {
		t.Fatal(err)
	}
	for _, err := range bin.Roots(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(held) != 1 || held["foreign"] != 1 || told != 3 {
		t.Errorf("held %v after %d were told", held, told)
	}
}

// today is a record as it was written before there were repositories in the
// trash.
const today = `{"id":"0198f2b2-0000-7000-8000-000000000001","repository":"team/app","tag":"v1","digest":"%s","mediaType":"application/vnd.oci.image.manifest.v1+json","size":7,"why":"overwritten","by":"anna","at":"2026-11-01T10:00:00Z","until":"2126-11-08T10:00:00Z","pushed":"2026-10-01T10:00:00Z","pushedBy":"bob"}`

func TestARecordOfAnEarlierVersionComesBack(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	reg, bin := wrap(t, drv)
	m := put(t, reg, "a", "other")
	const id = "0198f2b2-0000-7000-8000-000000000001"
	if err := drv.Put(t.Context(), "berth/trash/"+id+".json", fmt.Appendf(nil, today, m.Digest)); err != nil {
		t.Fatal(err)
	}
	e, err := bin.Get(t.Context(), id)
	if err != nil || e.Tag != "v1" || e.By != "anna" || e.PushedBy != "bob" || e.Whole || e.Why != trash.Overwritten || e.Pushed.Year() != 2026 {
		t.Fatalf("%v %+v", err, e)
	}
	if _, err := reg.Restore(t.Context(), id, ""); err != nil || resolve(t, reg, "v1") != m.Digest {
		t.Errorf("restore: %v", err)
	}
}

func TestWhoDidItIsPlain(t *testing.T) {
	t.Parallel()
	reg, _ := wrap(t, memory.New())
	for _, c := range []struct {
		caller registry.Caller
		want   string
	}{
		{registry.Caller{User: "anna", UserAgent: "crane/1"}, "anna"},
		{registry.Caller{UserAgent: "docker/27.1 go/1.22", RemoteAddr: "10.0.0.7:4711"}, "docker/27.1 from 10.0.0.7"},
		{registry.Caller{UserAgent: "evil\x1b[2Jclient", RemoteAddr: "[::1]:5"}, "evil[2Jclient from ::1"},
		{registry.Caller{RemoteAddr: "10.0.0.7:4711"}, "from 10.0.0.7"},
		{registry.Caller{}, ""},
	} {
		put(t, reg, "a", "v1")
		gone, err := reg.Delete(registry.WithCaller(t.Context(), c.caller), repo, "v1")
		if err != nil || gone[0].By != c.want {
			t.Errorf("%+v: %q, %v, want %q", c.caller, gone[0].By, err, c.want)
		}
	}
}
