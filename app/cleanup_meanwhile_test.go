package app_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"berth/app"
	"berth/app/config"
)

func TestPushesGoOnWhileCleanUpsRunAndNothingOfThemIsLost(t *testing.T) {
	t.Parallel()
	o := options(t, t.TempDir(), "127.0.0.1:0")
	o.Config.Berth.Cleanup.Grace = 300 * time.Millisecond
	i := start(t, o)
	var pushers, cleaner sync.WaitGroup
	for n := range 3 {
		pushers.Go(func() {
			for v := range 12 {
				repo := fmt.Sprintf("team/app%d", n)
				i.push(repo, fmt.Sprintf("v%d", v), "shared", fmt.Sprintf("layer %d of %d", v, n))
				i.pushBlob(repo, fmt.Appendf(nil, "loose %d of %d", v, n))
			}
		})
	}
	done, freed, began := make(chan struct{}), int64(0), time.Now()
	cleaner.Go(func() {
		// What is loose is garbage as soon as the grace is over.
		for over := false; !over || freed == 0 && time.Since(began) < 20*time.Second; {
			select {
			case <-done:
				over = true
			default:
			}
			_, receipt := i.cleanUp(app.RunCleanupRequest{})
			freed += receipt.Freed
		}
	})
	pushers.Wait()
	close(done)
	cleaner.Wait()
	if freed == 0 {
		t.Error("nothing was freed")
	}
	for n := range 3 {
		for v := range 12 {
			i.do("GET", fmt.Sprintf("/v2/team/app%d/manifests/v%d", n, v), "", nil, http.StatusOK)
			i.do("GET", fmt.Sprintf("/v2/team/app%d/blobs/%s", n, digestOf(fmt.Appendf(nil, "layer %d of %d", v, n))), "", nil, http.StatusOK)
			i.do("GET", fmt.Sprintf("/v2/team/app%d/blobs/%s", n, digestOf([]byte("shared"))), "", nil, http.StatusOK)
		}
	}
}

func TestACleanUpOfAStorageInMemoryWorksToo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(file, []byte("version: 0.1\nstorage:\n  inmemory: {}\n  delete: {enabled: true}\nberth:\n  cleanup: {grace: 1ns}\nhttp: {addr: 127.0.0.1:0}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, nil, config.Flags{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	i := start(t, app.Options{Config: cfg, Engines: &engines{}})
	i.push("team/app", "v1", "kept")
	i.pushBlob("team/app", []byte(strings.Repeat("x", 1234)))
	if _, receipt := i.cleanUp(app.RunCleanupRequest{}); receipt.Freed != 1234 {
		t.Errorf("receipt %+v", receipt)
	}
	i.do("GET", "/v2/team/app/manifests/v1", "", nil, http.StatusOK)
}
