package app

import (
	"slices"
	"strings"
	"testing"

	"berth/registry/index"
)

// behind is an index that cannot be written.
type behind struct{ index.Index }

func (behind) Refused() bool { return true }

func TestHealthSaysThatListsAreBehind(t *testing.T) {
	t.Parallel()
	c := alone(t)
	find := func() *Problem {
		h, err := c.Health(t.Context(), HealthRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(h.Problems, func(p Problem) bool { return p.Code == "index_behind" }); i >= 0 {
			return &h.Problems[i]
		}
		return nil
	}
	if p := find(); p != nil {
		t.Errorf("it is not: %+v", p)
	}
	written := c.ix
	c.ix = behind{written}
	if p := find(); p == nil || p.Command != "berth cleanup --now" {
		t.Errorf("it is: %+v", p)
	}
	c.ix = written
}

func TestAFullDiskNamesWhatMakesRoom(t *testing.T) {
	t.Parallel()
	for what, p := range map[string]*Problem{"full": roomProblem(1<<20, 1<<40), "low": roomProblem(1<<30, 1<<40)} {
		if p == nil || !strings.Contains(p.Fix, "berth trash empty") || p.Command != "berth cleanup --now" {
			t.Errorf("%s: %+v", what, p)
		}
	}
}
