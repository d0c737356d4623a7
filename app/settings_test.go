package app_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"berth/app"
	"berth/app/config"
)

// tuned are options with a config.yml and variables.
func tuned(t *testing.T, data, file string, env ...string) app.Options {
	t.Helper()
	path := ""
	if file != "" {
		path = filepath.Join(t.TempDir(), "config.yml")
		writeFile(t, path, file)
	}
	cfg, err := config.Load(path, env, config.Flags{Data: data, Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	return app.Options{Config: cfg, Version: "test", Engines: &engines{}}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// apply sets keys, given as key, value, key, value.
func apply(t *testing.T, s app.Service, pairs ...string) {
	t.Helper()
	values := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	if _, err := s.Apply(t.Context(), app.ApplyRequest{Values: values}); err != nil {
		t.Fatalf("apply %q: %v", pairs, err)
	}
}

func setting(t *testing.T, s app.Service, key string) app.Setting {
	t.Helper()
	reply, err := s.Settings(t.Context(), app.SettingsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range reply.Settings {
		if s.Key == key {
			return s
		}
	}
	t.Fatalf("%s is no setting", key)
	return app.Setting{}
}

func TestSettingsActAtOnceAndSurvive(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	i := start(t, tuned(t, data, ""))
	digest := i.push("app", "v1", "layer")
	const path, readOnly, deletes = "/v2/app/manifests/", "storage.maintenance.readonly.enabled", "storage.delete.enabled"

	upload := strings.TrimPrefix(i.do("POST", "/v2/app/blobs/uploads/", "", nil, http.StatusAccepted).Header.Get("Location"), i.base)

	apply(t, i, readOnly, "true", "berth.cleanup.rules", "[{name: a, tags: ['v*'], keep: {newest: 3}}]")
	i.do("POST", "/v2/app/blobs/uploads/", "", nil, http.StatusMethodNotAllowed)
	i.do("GET", path+"v1", "", nil, http.StatusOK)
	i.do("GET", upload, "", nil, http.StatusNoContent)
	i.do("PATCH", upload, "application/octet-stream", []byte("more"), http.StatusMethodNotAllowed)
	if !hasProblem(t, i, "read_only") {
		t.Error("health does not say that it is read-only")
	}
	if s := setting(t, i, readOnly); s.Value != "true" || s.Default != "false" || s.Origin != "set here" || !s.Live || s.Locked {
		t.Errorf("it is shown as %+v", s)
	}
	apply(t, i, readOnly, "", deletes, "false")
	i.do("DELETE", upload, "", nil, http.StatusNoContent)
	i.do("DELETE", path+digest, "", nil, http.StatusMethodNotAllowed)
	if err := errors.Join(i.end(), i.Close()); err != nil {
		t.Fatal(err)
	}

	kept, err := os.ReadFile(config.MadePath(data))
	if err != nil || strings.Contains(string(kept), "readonly") || !strings.Contains(string(kept), "    rules:\n      - name: a\n        tags: ['v*']\n") {
		t.Errorf("what is kept, %v:\n%s", err, kept)
	}
	if info, err := os.Stat(config.MadePath(data)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	i = start(t, tuned(t, data, ""))
	i.do("DELETE", path+digest, "", nil, http.StatusMethodNotAllowed)
	if s := setting(t, i, "berth.cleanup.rules"); s.Value != "[{name: a, tags: [v*], keep: {newest: 3}}]" || s.Origin != "set here" || s.Doc == "" {
		t.Errorf("the rules are %+v", s)
	}
	apply(t, i, deletes, "")
	i.do("DELETE", path+digest, "", nil, http.StatusAccepted)
}

func TestWhatCannotBeSetIsRefusedAndNothingChanges(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	c := open(t, tuned(t, data, "", "REGISTRY_BERTH_CLEANUP_GRACE=2h", "REGISTRY_BERTH_CLEANUP_RULES_0_KEEP_NEWEST=3", "REGISTRY_LOGLEVEL=warn"))
	for _, wrong := range []struct{ key, value, code, says string }{
		{"berth.cleanup.grace", "1h", "setting_locked", "REGISTRY_BERTH_CLEANUP_GRACE"},
		{"berth.cleanup.rules", "[]", "setting_locked", "REGISTRY_BERTH_CLEANUP_RULES_0_KEEP_NEWEST"},
		{"log.level", "debug", "setting_locked", "REGISTRY_LOGLEVEL"},
		{"http.addr", "localhost:1", "setting_restart", "config.yml"},
		{"berth.immutable.0.tags", "[v*]", "setting_part", "berth.immutable"},
		{"berth.immutable[0].tags", "[v*]", "setting_part", "berth.immutable"},
		{"berth.cleanup.shedule", "daily", "setting_unknown", "berth.cleanup.schedule"},
		{"berth.cleanup.at", "25:00", "setting_invalid", "03:00"},
		{"berth.cleanup.untagged", "maybe", "setting_invalid", "neither true nor false"},
		{"berth.trash.keep", "soon", "setting_invalid", "30m"},
		{"berth.immutable", "[{tags: [*]}]", "setting_invalid", "YAML"},
		{"berth.immutable", "[{tag: [v1]}]", "setting_invalid", "repositories, tags"},
	} {
		_, err := c.Apply(t.Context(), app.ApplyRequest{Values: map[string]string{"berth.cleanup.schedule": "daily", wrong.key: wrong.value}})
		p, ok := errors.AsType[*app.Problem](err)
		if !ok || p.Code != wrong.code || !strings.Contains(p.Title+p.Text+p.Fix+p.Command, wrong.says) {
			t.Errorf("%s=%s: %+v", wrong.key, wrong.value, err)
		}
	}
	if s := setting(t, c, "berth.cleanup.schedule"); s.Value != "off" || s.Origin != "default" {
		t.Errorf("half of it was taken: %+v", s)
	}
	if _, err := os.Stat(config.MadePath(data)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was kept: %v", err)
	}
	if s := setting(t, c, "berth.cleanup.rules"); !s.Locked || s.Origin != "REGISTRY_BERTH_CLEANUP_RULES_0_KEEP_NEWEST" {
		t.Errorf("the rules are shown as %+v", s)
	}
}

func TestDamagedSettingsAreLaidAsideAndTheRestIsUsed(t *testing.T) {
	t.Parallel()
	for name, damaged := range map[string]struct {
		content, schedule string
	}{
		"no YAML":      {"berth: [", "off"},
		"no section":   {"hello", "off"},
		"another kind": {"berth: {cleanup: {schedule: daily, grace: soon}}", "daily"},
		"impossible":   {"berth: {cleanup: {schedule: daily, at: '99:00'}}", "daily"},
		"a bad rule":   {"berth: {cleanup: {schedule: daily, rules: [{tags: ['{']}]}}", "daily"},
		"not live":     {"berth: {cleanup: {schedule: daily}}\nhttp: {addr: 'localhost:1'}", "daily"},
		"zeros":        {strings.Repeat("\x00", 100), "off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			writeFile(t, config.MadePath(data), damaged.content)
			for range 2 { // also at the next start
				c := open(t, tuned(t, data, ""))
				if s := setting(t, c, "berth.cleanup.schedule"); s.Value != damaged.schedule {
					t.Errorf("the schedule is %+v", s)
				}
				if !hasProblem(t, c, "settings_damaged") {
					t.Error("health says nothing")
				}
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
			}
			aside := filepath.Join(data, "berth", "settings.damaged.yml")
			if kept, err := os.ReadFile(aside); err != nil || string(kept) != damaged.content {
				t.Errorf("aside lies %q, %v", kept, err)
			}
			if err := os.Remove(aside); err != nil {
				t.Fatal(err)
			}
			if hasProblem(t, open(t, tuned(t, data, "")), "settings_damaged") {
				t.Error("health still complains")
			}
		})
	}
}

func hasProblem(t *testing.T, s app.Service, code string) bool {
	t.Helper()
	reply, err := s.Health(t.Context(), app.HealthRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range reply.Problems {
		if p.Code == code {
			return true
		}
	}
	return false
}

const liveFile = "version: 0.1\nstorage: {filesystem: {}, delete: {enabled: true}}\nberth: {cleanup: {schedule: daily, grace: 2h}}\n"

func TestAChangedConfigurationActsWhereItIsLive(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	o := tuned(t, t.TempDir(), liveFile)
	o.Logger = slog.New(slog.NewTextHandler(&said, nil))
	c := open(t, o)
	apply(t, c, "berth.cleanup.grace", "3h")
	var heard []string
	app.OnSettings(c, func(old, is *config.Config) {
		heard = append(heard, old.Berth.Cleanup.Schedule+" "+is.Berth.Cleanup.Schedule)
	})
	take := func(content string) {
		writeFile(t, o.Config.Path, content)
		app.LookAtConfig(c)
		app.LookAtConfig(c)
		app.LookAtConfig(c)
	}
	schedule := func(want, origin string) {
		t.Helper()
		if s := setting(t, c, "berth.cleanup.schedule"); s.Value != want || !strings.HasSuffix(s.Origin, origin) {
			t.Errorf("the schedule is %+v, want %s of %s", s, want, origin)
		}
	}
	writeFile(t, o.Config.Path, liveFile[:20])
	app.LookAtConfig(c) // half written
	take(strings.Replace(liveFile, "daily", "weekly", 1) + "http: {draintimeout: 7s}\n")
	schedule("weekly", ":3")
	if s := setting(t, c, "http.draintimeout"); s.Value != "30s" {
		t.Errorf("what needs a restart is %+v", s)
	}
	if s := setting(t, c, "berth.cleanup.grace"); s.Value != "3h" || s.Origin != "set here" {
		t.Errorf("what was set is %+v", s)
	}
	if !strings.Contains(said.String(), "restart") || !strings.Contains(said.String(), "http.draintimeout") {
		t.Errorf("the log says %s", &said)
	}
	for _, broken := range []string{"version: 0.1\nstorage: [", "version: 0.1\n", strings.Replace(liveFile, "daily", "hourly", 1)} {
		take(broken)
		schedule("weekly", ":3")
		if !hasProblem(t, c, "config_broken") {
			t.Errorf("health says nothing of %q", broken)
		}
	}
	if len(heard) != 1 || heard[0] != "daily weekly" {
		t.Errorf("heard %q", heard)
	}
	take(liveFile)
	schedule("daily", ":3")
	if hasProblem(t, c, "config_broken") {
		t.Error("it is mended, and health still complains")
	}
}

func TestTheLevelOfTheLogIsLive(t *testing.T) {
	t.Parallel()
	o := tuned(t, t.TempDir(), "")
	var said bytes.Buffer
	log, closeLog := app.OpenLog(&said, o.Config)
	o.Logger = log.With("a", "b")
	c := open(t, o)
	apply(t, c, "log.level", "debug")
	log.Debug("now heard")
	apply(t, c, "log.level", "error")
	log.Warn("not heard")
	apply(t, c, "log.level", "")
	if err := errors.Join(c.Close(), closeLog()); err != nil {
		t.Fatal(err)
	}
	if s := said.String(); !strings.Contains(s, "now heard") || strings.Contains(s, "not heard") {
		t.Errorf("the log is %s", s)
	}
}

func TestSettingsChangeWhileRequestsAreAnswered(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	i.push("app", "v1", "layer")
	var calls sync.WaitGroup
	for range 2 {
		calls.Go(func() {
			for range 10 {
				i.do("GET", "/v2/app/manifests/v1", "", nil, http.StatusOK)
				setting(t, i, "berth.immutable")
			}
		})
	}
	calls.Go(func() {
		for n := range 10 {
			apply(t, i, "berth.trash.keep", (time.Duration(n+1) * time.Hour).String(), "berth.immutable", []string{"[{tags: ['v*']}]", ""}[n%2])
		}
	})
	calls.Wait()
	if s := setting(t, i, "berth.trash.keep"); s.Value != "10h" {
		t.Errorf("at the end it is %+v", s)
	}
}
