package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"berth/app"
	"berth/app/apptest"
)

func TestUsageSaysWhereSpaceGoes(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"usage":              "usage",
		"usage_repositories": "df --repositories",
		"usage_tags":         "usage acme/checkout",
		"usage_image":        "usage acme/checkout:v2.4.1",
		"usage_both":         "usage acme/checkout --repositories",
		"help_usage":         "usage --help",
		"complete_usage":     "__complete usage acme/",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := run(t, apptest.New(), strings.Fields(line)...)
			golden(t, name, "$ berth "+line+"\n"+out+"-- stderr --\n"+errs+"-- exit --\n"+string(rune('0'+code))+"\n")
		})
	}
}

func TestUsageAsJSONAddsUp(t *testing.T) {
	t.Parallel()
	_, out, _ := run(t, apptest.New(), "usage", "--repositories", "--json")
	var got struct {
		app.UsageReply
		Repositories []app.Repository
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	u := got.Usage
	if sum := u.Images + u.Shared + u.Trash + u.Uploads + u.Loose + u.Quarantine; sum != u.Used || sum == 0 {
		t.Errorf("the parts are %d, the whole %d", sum, u.Used)
	}
	if len(got.Repositories) != u.Repositories {
		t.Errorf("%d repositories, want %d", len(got.Repositories), u.Repositories)
	}
}
