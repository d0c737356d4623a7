package app_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"berth/app"
)

func (i *instance) pin(repo, tag string, off bool) {
	i.t.Helper()
	if reply, err := i.Pin(i.t.Context(), app.PinRequest{Repository: repo, Tag: tag, Off: off}); err != nil || !reply.Changed {
		i.t.Fatal(reply, err)
	}
}

func TestWhatAPinHoldsIsNotDeletedThroughAnyDoor(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	d := i.push("app", "v1", "one")
	i.pin("app", "v1", false)
	if said := i.refusal("DELETE", "/v2/app/manifests/"+d, nil); !strings.Contains(said, "pinned as app:v1") {
		t.Errorf("refused with %q", said)
	}
	for _, dry := range []bool{true, false} {
		_, err := i.DeleteRepository(t.Context(), app.DeleteRepositoryRequest{Repository: "app", DryRun: dry})
		var p *app.Problem
		if !errors.As(err, &p) || p.Code != "pinned" || p.Exit != 4 || p.Command != "berth unpin app:v1" || !strings.Contains(p.Text, "app:v1") {
			t.Errorf("dry %v: %+v", dry, err)
		}
	}
	i.do("DELETE", "/v2/app/manifests/v1", "", nil, http.StatusAccepted)
	if _, err := i.EmptyTrash(t.Context(), app.EmptyTrashRequest{}); err != nil {
		t.Fatal(err)
	}
	i.do("GET", "/v2/app/manifests/"+d, "", nil, http.StatusOK)
	i.pin("app", "v1", true)
	i.do("DELETE", "/v2/app/manifests/"+d, "", nil, http.StatusAccepted)
}

func TestPartsOfAPinnedIndexAreNotDeleted(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	child := i.push("app", "amd64", "one")
	content := i.manifest("app", child)
	const kind = "application/vnd.oci.image.index.v1+json"
	i.do("PUT", "/v2/app/manifests/multi", kind, []byte(`{"schemaVersion":2,"mediaType":"`+kind+`","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"`+
		child+`","size":`+strconv.Itoa(len(content))+`,"platform":{"os":"linux","architecture":"amd64"}}]}`), http.StatusCreated)
	i.pin("app", "multi", false)
	if said := i.refusal("DELETE", "/v2/app/manifests/"+child, nil); !strings.Contains(said, "pinned as app:multi") {
		t.Errorf("refused with %q", said)
	}
	i.do("DELETE", "/v2/app/manifests/amd64", "", nil, http.StatusAccepted)
}

func TestAPinWhoseRepositoryHasGoneIsTakenAway(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	d := i.push("app", "v1", "one")
	i.pin("app", "v1", false)
	if err := os.RemoveAll(i.repoFile("app")); err != nil {
		t.Fatal(err)
	}
	i.do("DELETE", "/v2/app/manifests/"+d, "", nil, http.StatusNotFound)
	i.pin("app", "v1", true)
	if pins, err := i.Pins(t.Context(), app.PinsRequest{}); err != nil || len(pins.Pins) != 0 {
		t.Errorf("pins: %+v, %v", pins, err)
	}
}

func TestADamagedPinKeepsItsTagAndAllImagesUntilItIsUnpinned(t *testing.T) {
	t.Parallel()
	o := options(t, t.TempDir(), "127.0.0.1:0")
	folder := filepath.Join(o.Config.Data(), "berth", "pins", digestOf([]byte("app"))[len("sha256:"):][:32])
	file := filepath.Join(folder, "v1-0123456789abcdef.json")
	if err := errors.Join(os.MkdirAll(folder, 0o750), os.WriteFile(file, []byte(`{"repository":"a`), 0o600)); err != nil {
		t.Fatal(err)
	}
	i := start(t, o).indexed()
	i.push("app", "v1", "one")
	i.push("app", "v2", "two")
	i.push("app", "v3", "three")
	i.setRules(app.Rule{Newest: 1})
	drops := func(want int) {
		t.Helper()
		if got := i.preview(app.PreviewRulesRequest{}); got.All.Tags != want {
			t.Errorf("%d tags would go, want %d", got.All.Tags, want)
		}
	}
	pins, err := i.Pins(t.Context(), app.PinsRequest{})
	if err != nil || len(pins.Pins) != 0 || len(pins.Problems) != 1 || !strings.Contains(pins.Problems[0], filepath.Base(file)) {
		t.Errorf("pins %+v, %v", pins, err)
	}
	drops(1)
	plan, err := i.PlanCleanup(t.Context(), app.PlanCleanupRequest{})
	if err != nil || len(plan.Problems) != 1 || !strings.Contains(plan.Problems[0], filepath.Base(file)) {
		t.Errorf("plan %+v, %v", plan.Problems, err)
	}
	i.pin("app", "v1", true)
	drops(2)
	if pins, err = i.Pins(t.Context(), app.PinsRequest{}); err != nil || len(pins.Problems) != 0 {
		t.Errorf("pins %+v, %v", pins, err)
	}
}

func TestAPlanSaysThatPinnedBytesStaySinceTheyArePinned(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	i.push("app", "v1", "one")
	i.push("app", "v2", "two")
	i.pin("app", "v1", false)
	if _, err := i.Delete(t.Context(), app.DeleteRequest{Repository: "app", Tags: []string{"v1", "v2"}}); err != nil {
		t.Fatal(err)
	}
	plan, err := i.PlanCleanup(t.Context(), app.PlanCleanupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	counts, bytes := map[string]int{}, map[string]int64{}
	for _, stay := range plan.Stays {
		for _, word := range []string{"pinned", "trash"} {
			if strings.Contains(stay.Text, word) {
				counts[word], bytes[word] = stay.Count, stay.Bytes
			}
		}
	}
	u, err := i.Usage(t.Context(), app.UsageRequest{})
	if err != nil || counts["pinned"] != 1 || counts["trash"] != 2 || bytes["pinned"] != u.Usage.Pinned || bytes["trash"] != u.Usage.Trash-u.Usage.Pinned ||
		bytes["pinned"] == 0 || bytes["trash"] == 0 {
		t.Errorf("%+v, %+v, %v", plan.Stays, u.Usage, err)
	}
}
