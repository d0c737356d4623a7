package dockerbridge_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"berth/dockerbridge"
	"berth/dockerbridge/dockertest"
)

const (
	idApp   = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	idOther = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	// pushed is the digest in the recorded streams.
	pushed = "sha256:db2f2c6b607a064ebc7575ad7404e75728720c4038d4503cfb5e3f75800fdd09"
	target = "localhost:5000/acme/app:v1"
)

// app is an image whose layers are those of the recorded push.
func app(names ...string) dockertest.Image {
	return dockertest.Image{
		ID: idApp, Names: names, Size: 21_823_232,
		Layers: []string{"sha256:f636c728f815" + strings.Repeat("0", 52), "sha256:04938ed75b29" + strings.Repeat("0", 52)},
		Sizes:  []int64{1_821_588, 20_000_000},
	}
}

func open(t *testing.T, o dockertest.Options) (*dockertest.Daemon, dockerbridge.Engine) {
	t.Helper()
	d := dockertest.Start(t, o)
	e, err := dockerbridge.OpenHost(t.Context(), d.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, e
}

func options(image string) dockerbridge.PushOptions {
	return dockerbridge.PushOptions{Image: image, Address: "localhost:5000", Repository: "acme/app", Tag: "v1"}
}

func wantKind(t *testing.T, err error, want dockerbridge.Kind) {
	t.Helper()
	var e *dockerbridge.Error
	if !errors.As(err, &e) {
		t.Errorf("error %v is no *Error, want kind %s", err, want)
		return
	}
	if e.Kind != want {
		t.Errorf("kind %s, want %s: %v", e.Kind, want, err)
	}
}

func TestAPushReportsItsLayersAndLeavesNoTag(t *testing.T) {
	t.Parallel()
	d, e := open(t, dockertest.Options{Images: []dockertest.Image{app("acme/app:dev")}, Push: dockertest.Stream(t, "push")})
	var all []dockerbridge.Progress
	got, err := e.Push(t.Context(), options("acme/app:dev"), func(p dockerbridge.Progress) { all = append(all, p) })
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != pushed || got.Size != 740 || got.Carried {
		t.Errorf("result %+v", got)
	}
	if names := d.Names(); !slices.Equal(names, []string{"acme/app:dev"}) {
		t.Errorf("the engine has %v", names)
	}
	named, last := all[2], all[len(all)-1]
	if named.Layers[0].State != dockerbridge.LayerWaiting || named.Total != 21_821_588 {
		t.Errorf("the total is not known once all layers are: %+v", named)
	}
	if last.Done != last.Total || last.Total != 21_821_588 {
		t.Errorf("ended at %d of %d", last.Done, last.Total)
	}
	for i, id := range []string{"04938ed75b29", "f636c728f815"} {
		if l := last.Layers[i]; l.ID != id || l.State != dockerbridge.LayerDone || l.Done != l.Total {
			t.Errorf("layer %+v", l)
		}
	}
	for i := 1; i < len(all); i++ {
		if all[i].Done < all[i-1].Done {
			t.Errorf("progress went back from %d to %d", all[i-1].Done, all[i].Done)
		}
	}
}

func TestLayersThatAreThereCountForNothing(t *testing.T) {
	t.Parallel()
	for name, state := range map[string]dockerbridge.LayerState{
		"push-exists": dockerbridge.LayerExists, "push-mounted": dockerbridge.LayerMounted,
	} {
		_, e := open(t, dockertest.Options{Images: []dockertest.Image{app("acme/app:dev")}, Push: dockertest.Stream(t, name)})
		var last dockerbridge.Progress
		if _, err := e.Push(t.Context(), options(idApp), func(p dockerbridge.Progress) { last = p }); err != nil {
			t.Fatal(err)
		}
		if last.Total != 0 || last.Layers[0].State != state || last.Layers[1].State != state {
			t.Errorf("%s: %+v", name, last)
		}
	}
}

func TestANameThatTheUserGaveStays(t *testing.T) {
	t.Parallel()
	d, e := open(t, dockertest.Options{Images: []dockertest.Image{app(target)}, Push: dockertest.Stream(t, "push")})
	if _, err := e.Push(t.Context(), options(target), nil); err != nil {
		t.Fatal(err)
	}
	if names := d.Names(); !slices.Equal(names, []string{target}) {
		t.Errorf("the engine has %v", names)
	}
}

func TestANameOfAnotherImageIsGivenBack(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{dockertest.Stream(t, "push"), `{"error":"it broke"}`} {
		before := []dockertest.Image{app("acme/app:dev"), {ID: idOther, Names: []string{target, "x:y"}}}
		d, e := open(t, dockertest.Options{Images: before, Push: stream})
		_, _ = e.Push(t.Context(), options("acme/app:dev"), nil)
		want := map[string]string{"acme/app:dev": idApp, target: idOther, "x:y": idOther}
		if got := d.IDs(); !maps.Equal(got, want) {
			t.Errorf("the engine has %v, want %v", got, want)
		}
	}
}

func TestAnImageWithoutANameIsNotLost(t *testing.T) {
	t.Parallel()
	for _, img := range []dockertest.Image{
		app(), {ID: idApp, Digests: []string{"localhost:5000/acme/app@" + pushed}},
	} {
		d, e := open(t, dockertest.Options{Images: []dockertest.Image{img}, Push: dockertest.Stream(t, "push")})
		_, err := e.Push(t.Context(), options(idApp), nil)
		wantKind(t, err, dockerbridge.KindUnnamed)
		if !d.Has(idApp) || len(d.Names()) != 0 {
			t.Errorf("the engine has %v, image there: %v", d.Names(), d.Has(idApp))
		}
	}
	d, e := open(t, dockertest.Options{Images: []dockertest.Image{{ID: idApp, Digests: []string{"example.com/x@" + pushed}}}, Push: dockertest.Stream(t, "push")})
	if _, err := e.Push(t.Context(), options(idApp), nil); err != nil || !d.Has(idApp) {
		t.Errorf("an image with a digest of another repository: %v, there: %v", err, d.Has(idApp))
	}
}

func TestACancelledPushIsStoppedInTheEngineAndLeavesNoTag(t *testing.T) {
	t.Parallel()
	d, e := open(t, dockertest.Options{
		Images: []dockertest.Image{app("acme/app:dev")}, HoldPush: true,
		Push: `{"status":"Pushing","progressDetail":{"current":1,"total":9},"id":"04938ed75b29"}` + "\n",
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-d.Pushing
		cancel()
	}()
	_, err := e.Push(ctx, options("acme/app:dev"), nil)
	wantKind(t, err, dockerbridge.KindCancelled)
	<-d.Abandoned
	if names := d.Names(); !slices.Equal(names, []string{"acme/app:dev"}) {
		t.Errorf("the engine has %v", names)
	}
}

func TestTwoPushesToOneNameDoNotTakeEachOthersTag(t *testing.T) {
	t.Parallel()
	d, e := open(t, dockertest.Options{
		Images: []dockertest.Image{app("acme/app:dev"), {ID: idOther, Names: []string{"b:1"}}},
		Push:   dockertest.Stream(t, "push"),
	})
	done := make(chan error)
	for _, image := range []string{"acme/app:dev", "b:1", "acme/app:dev", "b:1"} {
		go func() {
			_, err := e.Push(t.Context(), options(image), nil)
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if names := d.Names(); !slices.Equal(names, []string{"acme/app:dev", "b:1"}) {
		t.Errorf("the engine has %v", names)
	}
}

func TestWhatAnEngineReportsHasAKind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]dockerbridge.Kind{
		`dial tcp 127.0.0.1:5000: connect: connection refused`:                 dockerbridge.KindUnreachable,
		`Get \"https://box:5000/v2/\": dial tcp: lookup box: no such host`:     dockerbridge.KindUnreachable,
		`http: server gave HTTP response to HTTPS client`:                      dockerbridge.KindUnreachable,
		`write /var/lib/docker/tmp/x: no space left on device`:                 dockerbridge.KindNoSpace,
		`received unexpected HTTP status: 507 Insufficient Storage`:            dockerbridge.KindNoSpace,
		`denied: requested access to the resource is denied`:                   dockerbridge.KindDenied,
		`unauthorized: authentication required`:                                dockerbridge.KindDenied,
		`An image does not exist locally with the tag: localhost:5000/x`:       dockerbridge.KindNotFound,
		`manifest unknown: manifest unknown`:                                   dockerbridge.KindNotFound,
		`received unexpected HTTP status: 500 Internal Server Error`:           dockerbridge.KindOther,
		`blob upload invalid: provided content did not match uploaded content`: dockerbridge.KindOther,
	} {
		d, e := open(t, dockertest.Options{
			Images: []dockertest.Image{app("acme/app:dev")},
			Push:   `{"errorDetail":{"message":"` + text + `"},"error":"` + text + `"}` + "\r\n",
		})
		_, err := e.Push(t.Context(), options("acme/app:dev"), nil)
		wantKind(t, err, want)
		if names := d.Names(); !slices.Equal(names, []string{"acme/app:dev"}) {
			t.Errorf("after %q the engine has %v", text, names)
		}
	}
}

func TestAPushThatEndsWithoutAResultFailed(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{"", `{"status":"Pushing","id":"1"}`, "{half", "not JSON at all\n"} {
		_, e := open(t, dockertest.Options{Images: []dockertest.Image{app("acme/app:dev")}, Push: stream})
		_, err := e.Push(t.Context(), options("acme/app:dev"), nil)
		wantKind(t, err, dockerbridge.KindOther)
	}
}

func TestTheEnginesRefusalsHaveAKind(t *testing.T) {
	t.Parallel()
	_, e := open(t, dockertest.Options{
		Images: []dockertest.Image{app("acme/app:dev")},
		Fail: map[string]dockertest.Failure{
			"GET /images/json":     {Status: http.StatusForbidden, Message: "a policy forbids it"},
			"POST /images/create":  {Status: http.StatusNotFound, Message: "manifest for localhost:5000/x:y not found: manifest unknown"},
			"POST /images/*/tag":   {Status: http.StatusInternalServerError, Message: "write repositories.json: no space left on device"},
			"GET /images/get":      {Status: http.StatusInternalServerError, Message: "something"},
			"GET /images/nil/json": {Status: http.StatusNotFound, Message: "No such image: nil"},
		},
	})
	_, err := e.Images(t.Context())
	wantKind(t, err, dockerbridge.KindDenied)
	wantKind(t, e.Pull(t.Context(), "localhost:5000/x:y", nil), dockerbridge.KindNotFound)
	_, err = e.Push(t.Context(), options("acme/app:dev"), nil)
	wantKind(t, err, dockerbridge.KindNoSpace)
	_, err = e.Push(t.Context(), options("nil"), nil)
	wantKind(t, err, dockerbridge.KindNotFound)
	_, err = e.Save(t.Context(), "acme/app:dev")
	wantKind(t, err, dockerbridge.KindOther)
}
