package dockerbridge_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"berth/dockerbridge"
	"berth/dockerbridge/dockertest"
)

func TestAKilledPushIsTidiedUpByTheNextProcess(t *testing.T) {
	t.Parallel()
	other := dockertest.Image{ID: idOther, Names: []string{"x:y"}}
	for name, tc := range map[string]struct {
		images []dockertest.Image
		before string
		want   map[string]string
	}{
		"the tag is there":    {[]dockertest.Image{app("acme/app:dev", target), other}, "", map[string]string{"acme/app:dev": idApp, "x:y": idOther}},
		"it never was":        {[]dockertest.Image{app("acme/app:dev"), other}, "", map[string]string{"acme/app:dev": idApp, "x:y": idOther}},
		"it was another's":    {[]dockertest.Image{app("acme/app:dev", target), other}, idOther, map[string]string{"acme/app:dev": idApp, "x:y": idOther, target: idOther}},
		"the other has gone":  {[]dockertest.Image{app("acme/app:dev", target)}, idOther, map[string]string{"acme/app:dev": idApp}},
		"the user changed it": {[]dockertest.Image{app("acme/app:dev"), {ID: idOther, Names: []string{target}}}, "", map[string]string{"acme/app:dev": idApp, target: idOther}},
		"it is the last name": {[]dockertest.Image{app(target)}, "", map[string]string{target: idApp}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dockertest.Start(t, dockertest.Options{Images: tc.images})
			path := filepath.Join(t.TempDir(), "loans.json")
			if err := dockerbridge.Lend(dockerbridge.OpenLoans(path), d.Host, target, idApp, tc.before); err != nil {
				t.Fatal(err)
			}
			left, err := dockerbridge.Reclaim(t.Context(), dockerbridge.OpenLoans(path), d.Host)
			if err != nil || left != 0 {
				t.Errorf("%d left, %v", left, err)
			}
			if got := d.IDs(); !maps.Equal(got, tc.want) {
				t.Errorf("the engine has %v, want %v", got, tc.want)
			}
			if _, err := os.Stat(path); !os.IsNotExist(err) {
				t.Errorf("the file stays: %v", err)
			}
		})
	}
}

func TestALoanOfAnAbsentEngineIsKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "loans.json")
	gone := "unix://" + filepath.Join(t.TempDir(), "none.sock")
	if err := dockerbridge.Lend(dockerbridge.OpenLoans(path), gone, target, idApp, ""); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if left, err := dockerbridge.Reclaim(t.Context(), dockerbridge.OpenLoans(path), gone); err == nil || left != 1 {
			t.Errorf("%d left, %v", left, err)
		}
	}
}

func TestAPushWritesItsTagDownBeforeAndForgetsItAfter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "loans.json")
	d, e := open(t, dockertest.Options{
		Images: []dockertest.Image{app("acme/app:dev")}, HoldPush: true,
		Push: `{"status":"Pushing","progressDetail":{"current":1,"total":9},"id":"04938ed75b29"}` + "\n",
	})
	ctx, cancel := context.WithCancel(t.Context())
	written := make(chan error, 1)
	go func() {
		<-d.Pushing
		_, err := os.Stat(path)
		written <- err
		cancel()
	}()
	o := options("acme/app:dev")
	o.Loans = dockerbridge.OpenLoans(path)
	_, err := e.Push(ctx, o, nil)
	wantKind(t, err, dockerbridge.KindCancelled)
	if err := <-written; err != nil {
		t.Errorf("during the push: %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("after it: %v", err)
	}
}

func TestPushesOfTwoClientsToOneNameDoNotTakeEachOthersTag(t *testing.T) {
	t.Parallel()
	d, first := open(t, dockertest.Options{
		Images: []dockertest.Image{app("acme/app:dev"), {ID: idOther, Names: []string{"b:1"}}}, HoldPush: true,
		Push: `{"status":"Pushing","progressDetail":{"current":1,"total":9},"id":"04938ed75b29"}` + "\n",
	})
	// Each job of the program opens the engine for itself.
	second, err := dockerbridge.OpenHost(t.Context(), d.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	loans := &dockerbridge.Loans{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		o := options("acme/app:dev")
		o.Loans = loans
		_, err := first.Push(ctx, o, nil)
		ended <- err
	}()
	<-d.Pushing
	late, stop := context.WithCancel(t.Context())
	stop()
	o := options("b:1")
	o.Loans = loans
	_, err = second.Push(late, o, nil)
	wantKind(t, err, dockerbridge.KindCancelled)
	if got := d.IDs()[target]; got != idApp {
		t.Errorf("during the first push %s names %s", target, got)
	}
	cancel()
	<-ended
	if want := (map[string]string{"acme/app:dev": idApp, "b:1": idOther}); !maps.Equal(d.IDs(), want) {
		t.Errorf("the engine has %v, want %v", d.IDs(), want)
	}
}
