package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/driver/faulty"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"
	"berth/registry/verify"

	"github.com/opencontainers/go-digest"
)

// TestPushesAndDeletesMeanwhileAreNoFindings runs again and again beside
// clients that push, overwrite, delete and sweep what verify is looking at.
func TestPushesAndDeletesMeanwhileAreNoFindings(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) verify.Store{
		"files": func(t *testing.T) verify.Store { return onFiles(t) },
		"memory": func(t *testing.T) verify.Store {
			st, err := store.Open(t.Context(), memory.New(), nil, store.Options{Grace: -1})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = st.Close() })
			return st
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := open(t)
			reg := st.(registry.Registry)
			stop := make(chan struct{})
			var wg sync.WaitGroup
			for client := range 2 {
				wg.Go(func() { live(t, st, reg, client, stop) })
			}
			end := time.Now().Add(400 * time.Millisecond)
			runs := 0
			for ; time.Now().Before(end); runs++ {
				if found, _ := run(t, st, verify.Options{Rate: -1, Settle: 5 * time.Millisecond}); len(found) > 0 {
					t.Errorf("run %d found %+v", runs, found)
					break
				}
			}
			close(stop)
			wg.Wait()
			if runs == 0 {
				t.Error("nothing ran")
			}
		})
	}
}

// live is a client: each round pushes an image and takes the one before away,
// with its bytes.
func live(t *testing.T, st verify.Store, reg registry.Registry, client int, stop chan struct{}) {
	ctx := context.Background()
	repo := fmt.Sprintf("app%d", client)
	for round := 0; ; round++ {
		select {
		case <-stop:
			return
		default:
		}
		m := registrytest.PushImage(t, reg, repo, fmt.Sprint("v", round%3), "latest")
		if round%2 == 0 {
			continue
		}
		for r := range st.Revisions(ctx, repo) {
			if err := reg.DeleteManifest(ctx, repo, r.Digest); err != nil {
				t.Errorf("delete: %v", err)
			}
		}
		for d := range st.Links(ctx, repo) {
			if err := st.Unlink(ctx, repo, d); err != nil && !errors.Is(err, registry.ErrInUse) {
				t.Errorf("unlink: %v", err)
			}
		}
		for _, d := range []registry.Digest{m.Digest, digest.FromString("layer of " + repo + ":v" + fmt.Sprint(round%3))} {
			if _, err := st.Sweep(ctx, d, time.Now().Add(time.Hour)); err != nil {
				t.Errorf("sweep: %v", err)
			}
		}
	}
}

// pieces runs until it is done, and stops when the caller says so; checkpoints
// go through JSON. It gives what was found, and how often it was stopped.
func pieces(t *testing.T, st verify.Store, enough func(chunks int, found *verify.Finding) bool) (got []string, at verify.Checkpoint, stops int) {
	t.Helper()
	for ; at.Phase != verify.Done; stops++ {
		if stops > 100 {
			t.Fatal("it does not get on")
		}
		text, err := json.Marshal(at)
		if err != nil {
			t.Fatal(err)
		}
		o := quick
		if err := json.Unmarshal(text, &o.From); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		chunks := 0
		check := func(found *verify.Finding) bool {
			if enough(chunks, found) {
				stop()
			}
			return false
		}
		o.Busy = func() bool { chunks++; return check(nil) }
		s, err := verify.Run(ctx, st, o, func(r verify.Report) {
			if r.Found != nil {
				got = append(got, string(r.Found.Kind)+" "+string(r.Found.Digest)+r.Found.Tag)
				check(r.Found)
			}
		})
		stop()
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		at = s.Checkpoint
	}
	slices.Sort(got)
	return slices.Compact(got), at, stops
}

func TestARunGoesOnWhereItWasStopped(t *testing.T) {
	t.Parallel()
	g := onFiles(t)
	var want []string
	for i := range 12 {
		tag := fmt.Sprint("v", i)
		registrytest.PushImage(t, g, fmt.Sprint("app/", i%3), tag)
		if i%4 == 0 {
			d := digest.FromString(fmt.Sprintf("layer of app/%d:%s", i%3, tag))
			write(t, g.blob(d), "rotten")
			want = append(want, "blob damaged "+string(d), "blob missing "+string(d)+tag)
		}
	}
	slices.Sort(want)
	got, at, stops := pieces(t, g, func(chunks int, _ *verify.Finding) bool { return chunks >= 12 })
	if !slices.Equal(got, want) {
		t.Errorf("found %q\nwant %q", got, want)
	}
	if stops < 3 || at.Blobs != at.TotalBlobs || at.Findings() != int64(len(want)) || at.Repositories != 3 {
		t.Errorf("after %d stops %+v", stops, at)
	}
}

func TestARepositoryThatWasUnderWayIsCountedOnce(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	for i := range 400 {
		key := fmt.Sprintf("docker/registry/v2/repositories/app/_manifests/tags/t%d/current/link", i)
		if err := drv.Put(t.Context(), key, []byte("junk")); err != nil {
			t.Fatal(err)
		}
	}
	found := 0
	got, at, stops := pieces(t, openOn(t, drv), func(_ int, f *verify.Finding) bool {
		if f != nil {
			found++
		}
		return found == 100
	})
	if len(got) != 400 || at.Findings() != 400 || at.Links != 400 || stops < 2 || found <= 400 {
		t.Errorf("%d found, %d times, after %d stops %+v", len(got), found, stops, at)
	}
}

func TestACheckpointOfAnotherVersionBeginsAnew(t *testing.T) {
	t.Parallel()
	g := onFiles(t)
	registrytest.PushImage(t, g, "app", "v1")
	o := quick
	o.From = verify.Checkpoint{Version: 99, Phase: verify.Links, Repository: "zzz"}
	if _, s := run(t, g, o); s.Blobs != 3 || s.Repositories != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestTheRateIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := openOn(t, memory.New())
		for i := range 4 {
			registrytest.PushBlob(t, st, "app", registrytest.Bytes(uint64(i), 1<<20))
		}
		for i := range 100 {
			registrytest.PushBlob(t, st, "app", registrytest.Bytes(uint64(100+i), 10<<10))
		}
		bytes := float64(4<<20 + 100*10<<10)
		for _, rate := range []int64{100 << 10, 1 << 20, 64 << 20} {
			start := time.Now()
			_, s := run(t, st, verify.Options{Rate: rate})
			took, want := time.Since(start).Seconds(), bytes/float64(rate)
			if took > want*1.01+0.01 || took < want*0.99-0.01 {
				t.Errorf("at %d bytes a second it took %.2f s, want %.2f", rate, took, want)
			}
			if s.Spent != time.Since(start) {
				t.Errorf("it says %s", s.Spent)
			}
		}
		start := time.Now()
		if run(t, st, verify.Options{Rate: -1}); time.Since(start) > 0 {
			t.Errorf("without a rate it took %s", time.Since(start))
		}
		busy := 0
		run(t, st, verify.Options{Rate: -1, Busy: func() bool { busy++; return busy <= 20 }})
		if took := time.Since(start); took != 20*50*time.Millisecond {
			t.Errorf("while others were busy it took %s", took)
		}
	})
}

// TestADiskThatFailsIsToldAndTheRestIsLookedAt has one file fail for ever, and
// then each operation of a run once.
func TestADiskThatFailsIsToldAndTheRestIsLookedAt(t *testing.T) {
	t.Parallel()
	inner := memory.New()
	setup := openOn(t, inner)
	registrytest.PushImage(t, setup, "app", "a")
	registrytest.PushImage(t, setup, "other", "b")
	sick := digest.FromString("layer of app:a").Encoded()
	st := openOn(t, faulty.New(inner, faulty.Plan{Before: func(_ context.Context, op faulty.Op) error {
		if op.Kind == faulty.Open && strings.Contains(op.Key, "/blobs/") && strings.Contains(op.Key, sick) {
			return syscall.EIO
		}
		return nil
	}}))
	found, s := run(t, st, quick)
	if len(found) != 2 || found[0].Kind != verify.BlobUnreadable || !strings.Contains(found[0].Text, "input/output error") ||
		found[1].Kind != verify.BlobDamaged || found[1].Tag != "a" || s.Blobs != 6 || s.Repositories != 2 {
		t.Errorf("found %+v, %+v", found, s)
	}
	for range st.Quarantined(t.Context()) {
		t.Error("what cannot be read was moved")
	}
	at := 1
	for ; at < 1000; at++ {
		disk := faulty.New(inner, faulty.Plan{At: at, Err: syscall.EIO, Once: true})
		found, s := run(t, openOn(t, disk), quick)
		if !disk.Fired() {
			break
		}
		for _, f := range found {
			if f.Kind != verify.Unlisted {
				t.Errorf("operation %d: %+v", at, f)
			}
		}
		if (len(found) > 0) == s.Complete {
			t.Errorf("operation %d: complete is %v after %d findings", at, s.Complete, len(found))
		}
	}
	if at < 40 {
		t.Errorf("only %d operations were met", at)
	}
}

// TestALargeBlobIsNeverInMemory runs alone, since it counts what the whole
// process allocates.
func TestALargeBlobIsNeverInMemory(t *testing.T) { //nolint:paralleltest // see above
	g := onFiles(t)
	registrytest.PushBlob(t, g, "app", bytes.Repeat([]byte("0123456789abcdef"), 2<<20))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run(t, g, quick)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 2<<20 {
		t.Errorf("%d bytes are allocated for a blob of 32 MiB", n)
	}
}
