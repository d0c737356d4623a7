package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"berth/app/config"
)

// set loads a file over a data folder with settings, below variables.
func set(t *testing.T, file string, made config.Made, env ...string) *config.Config {
	t.Helper()
	data := t.TempDir()
	if err := made.Save(data); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(write(t, file), env, config.Flags{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const layered = "version: 0.1\nstorage: filesystem\nlog: {level: error}\nberth: {cleanup: {grace: 2h, schedule: weekly}, trash: {keep: 2w}}\n"

func TestSettingsStandBetweenTheFileAndTheEnvironment(t *testing.T) {
	t.Parallel()
	made := config.Made{"berth.cleanup.grace": "3h", "berth.cleanup.schedule": "daily", "log.level": "debug", "storage.delete.enabled": "true", "berth.cleanup.low": `""`}
	c := set(t, layered, made, "REGISTRY_BERTH_CLEANUP_GRACE=4h")
	want := map[string][2]string{
		"berth.cleanup.grace":    {"4h", "REGISTRY_BERTH_CLEANUP_GRACE"},
		"berth.cleanup.schedule": {"daily", "set here"},
		"berth.trash.keep":       {"336h", c.Path + ":4"},
		"berth.cleanup.at":       {"03:00", "default"},
		"berth.cleanup.low":      {`""`, "set here"},
		"log.level":              {"debug", "set here"},
		"storage.delete.enabled": {"true", "set here"},
	}
	for _, v := range c.Values() {
		if w, ok := want[v.Key]; ok && (v.Value != w[0] || v.Origin.String() != w[1] || v.Locked != strings.HasPrefix(w[1], "REGISTRY") || !v.Live) {
			t.Errorf("%+v, want %q", v, w)
		}
	}
	if c := set(t, layered, made, "REGISTRY_LOGLEVEL=warn"); c.Log.Level != "warn" {
		t.Errorf("the variable of the old name: %s", c.Log.Level)
	}
	if c := set(t, layered, made, "REGISTRY_BERTH={trash: {keep: 5d}}"); c.Berth.Cleanup.Grace != time.Hour || c.Berth.Trash.Keep != 120*time.Hour {
		t.Errorf("a variable for the whole section: %+v", c.Berth)
	}
}

func TestWhatIsKeptIsReadAgain(t *testing.T) {
	t.Parallel()
	made := config.Made{
		"berth.cleanup.rules": "[{name: 'a: b', tags: ['*', \"re:^v\\\\d+$\"], keep: {newest: 3, younger: 30d}, off: true}]",
		"berth.immutable":     "- tags: [v*]\n  except:\n    - '*-rc'\n",
		"berth.cleanup.at":    "04:30", "berth.cleanup.schedule": "off", "berth.cleanup.low": "10%",
	}
	first := set(t, layered, made)
	second := set(t, layered, first.Made())
	if first.Damage != nil || second.Damage != nil || len(second.Made()) != len(made) {
		t.Fatalf("damage %+v, %+v", first.Damage, second.Damage)
	}
	for i, v := range first.Values() {
		if w := second.Values()[i]; v.Live && (v.Value != w.Value || v.Origin.Source != w.Origin.Source) {
			t.Errorf("%+v became %+v", v, w)
		}
	}
	if r := second.Berth.Cleanup.Rules; len(r) != 1 || r[0].Name != "a: b" || r[0].Tags[1] != `re:^v\d+$` || !r[0].Off || second.Berth.Cleanup.Schedule != "off" {
		t.Errorf("the rules are %+v", r)
	}
}

func TestALaterReadingIsLiveWhereItCanBe(t *testing.T) {
	t.Parallel()
	c := set(t, layered+"health: {tcp: [{addr: 'a:1'}]}\n", config.Made{"berth.cleanup.grace": "3h"})
	next := "version: 0.1\nstorage: {filesystem: {maxthreads: 30}}\nhttp: {secret: x}\nberth: {cleanup: {schedule: daily, rules: [{untagged: 1d}]}}\n"
	if err := os.WriteFile(c.Path, []byte(next), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := c.Again()
	if err != nil {
		t.Fatal(err)
	}
	live := c.WithLive(read)
	if b := live.Berth.Cleanup; b.Schedule != "daily" || b.Grace != 3*time.Hour || len(b.Rules) != 1 || live.Log.Level != "info" || live.Berth.Trash.Keep != 168*time.Hour {
		t.Errorf("live is %+v, %+v", live.Berth, live.Log)
	}
	if live.HTTP.Secret != "" || live.Storage.Filesystem.MaxThreads != 100 || c.Berth.Cleanup.Schedule != "weekly" {
		t.Error("what is not live changed, or the older one did")
	}
	if o := live.Origin("berth.cleanup.rules"); o.Line != 4 {
		t.Errorf("the rules come from %v", o)
	}
	want := []string{"health.tcp.0.addr", "health.tcp.0.interval", "health.tcp.0.threshold", "health.tcp.0.timeout", "http.secret", "storage.filesystem.maxthreads"}
	if keys := c.Restart(read); !slices.Equal(keys, want) {
		t.Errorf("a restart for %q", keys)
	}
	if again, err := live.WithMade(config.Made{}); err != nil || again.Berth.Cleanup.Schedule != "daily" || again.Berth.Cleanup.Grace != time.Hour {
		t.Errorf("settings over the later reading: %v", err)
	}
	if err := os.Remove(c.Path); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Again(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a named file that is gone: %v", err)
	}
}

func TestEveryLiveKeyCanBeSetToWhatItIs(t *testing.T) {
	t.Parallel()
	c := set(t, layered, nil)
	made := config.Made{}
	for _, v := range c.Values() {
		if v.Live {
			made[v.Key] = v.Value
		}
	}
	if len(made) != len(config.LiveKeys()) {
		t.Errorf("%d values of %d keys", len(made), len(config.LiveKeys()))
	}
	same, err := c.WithMade(made)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range same.Values() {
		if was := c.Values()[i]; v.Value != was.Value {
			t.Errorf("%s became %s", was.Value, v.Value)
		}
	}
}

func FuzzSettingsFilesNeverKeepBerthFromStarting(f *testing.F) {
	for _, seed := range []string{
		"", "berth: {cleanup: {grace: 1h}}", "berth: [", "berth: {cleanup: {rules: [{keep: &a {newest: 1}}, {keep: *a}]}}",
		"a: &a [*a]", "log: {level: loud}", "berth: {cleanup: {grace: {}}}", "? [a]\n: b", "berth: {immutable: null}", "---\n---\n", "\xff",
		"berth: {cleanup: {grace: 1h}, cleanup: {grace: 2h}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		data := t.TempDir()
		path := config.MadePath(data)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o600)); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load("", []string{"REGISTRY_CONFIGURATION_PATH="}, config.Flags{Data: data})
		if err != nil {
			t.Fatalf("%q: %v", content, err)
		}
		if err := c.Made().Save(data); err != nil {
			t.Fatalf("%q: what is used cannot be kept: %v", content, err)
		}
		again, err := config.Load("", nil, config.Flags{Data: data})
		if err != nil || again.Damage != nil {
			t.Fatalf("%q: what was kept is damaged: %v, %+v", content, err, again.Damage)
		}
		for i, v := range c.Values() {
			if w := again.Values()[i]; v.Value != w.Value {
				t.Fatalf("%q: %s became %s", content, v.Value, w.Value)
			}
		}
	})
}
