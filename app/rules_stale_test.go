package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"berth/app"
)

func TestRulesKnowWhatAnotherProgramDeletedWhileBerthWasAway(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	const tags = 12
	for n := range tags {
		i.push("app", fmt.Sprint("v", n), fmt.Sprint("layer ", n))
	}
	i.setRules(app.Rule{Newest: 3})
	if err := i.end(); err != nil {
		t.Fatal(err)
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	for n := 3; n < tags; n++ {
		if err := os.RemoveAll(filepath.Join(i.data, "docker/registry/v2/repositories/app/_manifests/tags", fmt.Sprint("v", n))); err != nil {
			t.Fatal(err)
		}
	}
	o := options(t, i.data, "")
	o.Alone = true
	i = &instance{Core: open(t, o), t: t, data: i.data}
	if got := i.apply(); got.Dropped != 0 {
		t.Errorf("receipt %+v", got)
	}
	if got := i.tags("app"); !slices.Equal(got, []string{"v0", "v1", "v2"}) {
		t.Errorf("left: %v", got)
	}
}
