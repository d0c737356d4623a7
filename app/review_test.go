package app_test

import (
	"testing"

	"berth/app"
)

func TestALayerCountsEveryTagThatReachesIt(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	i.push("team/app", "v1", "one")
	i.push("team/app", "v2", "one")
	got, err := i.Inspect(t.Context(), app.InspectRequest{Repository: "team/app", Reference: "v1"})
	if err != nil || len(got.Layers) != 1 || got.Layers[0].Tags != 2 {
		t.Errorf("%v, layers %+v, want one that two tags reach", err, got.Layers)
	}
	if _, err := i.Retag(t.Context(), app.RetagRequest{Repository: "team/app", From: "v1", To: "v3"}); err != nil {
		t.Fatal(err)
	}
	got, err = i.Inspect(t.Context(), app.InspectRequest{Repository: "team/app", Reference: "v1"})
	if err != nil || got.Layers[0].Tags != 3 {
		t.Errorf("%v, layers %+v, want one that three tags reach", err, got.Layers)
	}
}
