//go:build unix

package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"berth/app"
	"berth/app/config"
)

func TestAConfigurationBehindLinksIsFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for version, content := range map[string]string{"1": liveFile, "2": strings.Replace(liveFile, "daily", "weekly", 1)} {
		writeFile(t, filepath.Join(dir, version, "config.yml"), content)
	}
	link := func(to, at string) {
		t.Helper()
		if err := errors.Join(os.Symlink(to, at+".new"), os.Rename(at+".new", at)); err != nil {
			t.Fatal(err)
		}
	}
	link("1", filepath.Join(dir, "..data"))
	link(filepath.Join("..data", "config.yml"), filepath.Join(dir, "config.yml"))
	cfg, err := config.Load(filepath.Join(dir, "config.yml"), nil, config.Flags{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, app.Options{Config: cfg, Engines: &engines{}})
	look := func(want string) {
		t.Helper()
		app.LookAtConfig(c)
		app.LookAtConfig(c)
		if s := setting(t, c, "berth.cleanup.schedule"); s.Value != want {
			t.Errorf("the schedule is %+v, want %s", s, want)
		}
	}
	link("2", filepath.Join(dir, "..data"))
	look("weekly")
	writeFile(t, filepath.Join(dir, "draft"), liveFile)
	if err := os.Rename(filepath.Join(dir, "draft"), filepath.Join(dir, "config.yml")); err != nil {
		t.Fatal(err)
	}
	look("daily")
}
