package app_test

import (
	"compress/gzip"
	"net/http"
	"slices"
	"testing"

	"berth/app"
	"berth/dockerbridge/dockertest"
)

// TestALayerComesBackOverTheSocketOfAnEngine is not parallel: DOCKER_HOST is
// that of the whole program.
func TestALayerComesBackOverTheSocketOfAnEngine(t *testing.T) {
	donor, layer, config := pushedByDocker(t, gzip.DefaultCompression)
	name := "localhost:5000/team/app:v1"
	d := dockertest.Start(t, dockertest.Options{
		Images:  []dockertest.Image{{ID: digestOf(config), Names: []string{name}}},
		Archive: savedTar(t, name, config, unzipped(t, layer)),
	})
	t.Setenv("DOCKER_HOST", d.Host)
	if err := donor.end(); err != nil {
		t.Fatal(err)
	}
	if err := donor.Close(); err != nil {
		t.Fatal(err)
	}
	o := options(t, donor.data, "127.0.0.1:0")
	o.Engines = nil // the real ones
	i := start(t, o)
	spoil(t, i.blobFile(digestOf(layer)), "rotten")
	i.verified(app.VerifyRequest{})
	j := i.repaired(app.RepairRequest{})
	if j.State != app.JobDone || len(j.Repairs) != 1 || len(left(j)) > 0 || j.Source != "Docker" {
		t.Errorf("the repair ended as %+v", j)
	}
	i.do("GET", "/v2/team/app/blobs/"+digestOf(layer), "", nil, http.StatusOK)
	if names := d.Names(); !slices.Equal(names, []string{name}) {
		t.Errorf("the engine has %q now", names)
	}
}
