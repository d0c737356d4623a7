package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"berth/app"
	"berth/app/apptest"
)

func settingsFake() *apptest.Fake {
	f := apptest.New()
	f.Change(func(d *apptest.Data) {
		d.Settings = app.SettingsReply{Settings: []app.Setting{
			{Key: "berth.cleanup.schedule", Value: "off", Default: "off", Origin: "default", Live: true},
			{Key: "berth.cleanup.grace", Value: "2h", Default: "1h", Origin: "REGISTRY_BERTH_CLEANUP_GRACE", Live: true, Locked: true},
			{Key: "berth.trash.keep", Value: "24h", Default: "168h", Origin: "set here", Live: true},
			{Key: "http.addr", Value: "localhost:5000", Default: "localhost:5000", Origin: "config.yml:4"},
		}}
	})
	return f
}

func TestSettingsAreShownWithTheirOrigin(t *testing.T) {
	t.Parallel()
	f := settingsFake()
	code, out, errs := run(t, f, "config", "show")
	if code != exitOK || errs != "" {
		t.Fatalf("exit %d: %s", code, errs)
	}
	golden(t, "config_show", out)
	if code, out, _ := run(t, f, "config", "show", "berth.cleanup"); code != exitOK || strings.Count(out, "\n") != 3 {
		t.Errorf("a section: exit %d\n%s", code, out)
	}
	code, out, _ = run(t, f, "config", "show", "http.addr", "--json")
	var reply app.SettingsReply
	if err := json.Unmarshal([]byte(out), &reply); code != exitOK || err != nil || len(reply.Settings) != 1 || reply.Settings[0].Origin != "config.yml:4" {
		t.Errorf("JSON of one: exit %d, %v\n%s", code, err, out)
	}
	code, _, errs = run(t, f, "config", "show", "berth.cleanup.shedule")
	if code != 3 || !strings.Contains(errs, "Did you mean berth.cleanup.schedule?") {
		t.Errorf("a key that is none: exit %d, %s", code, errs)
	}
}

func TestASettingIsSetAndUnset(t *testing.T) {
	t.Parallel()
	f := settingsFake()
	for _, step := range []struct{ args, want string }{
		{"berth.cleanup.schedule daily", "berth.cleanup.schedule is daily now; it was off.\n"},
		{"berth.trash.keep 24h", "berth.trash.keep is 24h, as it was.\n"},
	} {
		code, out, errs := run(t, f, append([]string{"config", "set"}, strings.Fields(step.args)...)...)
		if code != exitOK || out != step.want {
			t.Errorf("set %s: exit %d, %q, %s", step.args, code, out, errs)
		}
	}
	if code, out, _ := run(t, f, "config", "unset", "berth.trash.keep", "--json"); code != exitOK || !strings.Contains(out, `"key": "berth.trash.keep"`) {
		t.Errorf("unset as JSON: exit %d, %s", code, out)
	}
	if code, _, _ := run(t, f, "config", "set", "berth.cleanup.schedule", ""); code != exitOK {
		t.Errorf("an empty value: exit %d", code)
	}
	values := map[string]string{}
	for _, call := range f.Calls() {
		if r, ok := call.Request.(app.ApplyRequest); ok {
			for key, value := range r.Values {
				values[key] += value + ";"
			}
		}
	}
	if values["berth.cleanup.schedule"] != `daily;"";` || values["berth.trash.keep"] != "24h;;" {
		t.Errorf("asked for %q", values)
	}
	if code, _, errs := run(t, f, "config", "set", "berth.cleanup.schedule"); code != exitUsage || !strings.Contains(errs, "a key and a value") {
		t.Errorf("no value: exit %d, %s", code, errs)
	}
}

func TestSettingsAreCompleted(t *testing.T) {
	t.Parallel()
	f := settingsFake()
	for line, want := range map[string]string{
		"config set berth.":                  "berth.cleanup.schedule berth.trash.keep",
		"config unset ":                      "berth.trash.keep",
		"config show h":                      "http.addr",
		"config set berth.cleanup.schedule ": "off daily weekly",
	} {
		args := strings.Split(line, " ")
		_, out, _ := run(t, f, append([]string{"__complete"}, args...)...)
		got, _, _ := strings.Cut(out, ":")
		if strings.Join(strings.Fields(got), " ") != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
