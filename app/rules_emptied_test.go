package app_test

import (
	"testing"

	"berth/app"
)

func TestAPreviewTellsWhichRepositoriesKeepNoTag(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	for _, image := range [][2]string{{"b", "pr-1"}, {"b", "pr-2"}, {"a", "pr-1"}, {"c", "pr-1"}, {"c", "v1"}, {"d", "v1"}} {
		i.push(image[0], image[1], image[0]+image[1])
	}
	i.setRules(
		app.Rule{Name: "requests", Tags: []string{"pr-*"}, Younger: "1s"},
		app.Rule{Name: "newest", Repositories: []string{"a"}, Newest: 1},
		app.Rule{Name: "off", Repositories: []string{"d"}, Younger: "1s", Off: true},
	)
	var got app.PreviewRulesReply
	until(t, "that all tags are older than a second", func() bool {
		got = i.preview(app.PreviewRulesRequest{})
		return got.All.Tags == 3 && got.Rules[2].Tags == 1
	})
	if got.All.Emptied != 1 || got.All.Emptying != "b" {
		t.Errorf("together: %+v", got.All)
	}
	for n, want := range []app.RulePreview{{Emptied: 2, Emptying: "a"}, {}, {Emptied: 1, Emptying: "d"}} {
		if is := got.Rules[n]; is.Emptied != want.Emptied || is.Emptying != want.Emptying {
			t.Errorf("rule %d alone: %+v", n+1, is)
		}
	}
}
