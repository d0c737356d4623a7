package config_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"berth/app/config"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

func TestEveryKeyHasAVariableADefaultAndWords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, k := range config.Keys() {
		if k.Doc == "" {
			t.Errorf("%s has no words in docs.go", k.Name)
		}
		if !strings.HasPrefix(k.Env, "REGISTRY_") && k.Name != "version" {
			t.Errorf("%s has no variable", k.Name)
		}
		if seen[k.Name] || seen[k.Env] {
			t.Errorf("%s, or its variable %s, is there twice", k.Name, k.Env)
		}
		seen[k.Name], seen[k.Env] = true, true
	}
	for name := range config.Docs() {
		if !seen[name] {
			t.Errorf("docs.go tells of %s, which is no key", name)
		}
	}
}

// TestEveryVariableReachesItsKey sets each key by the name that is documented,
// and looks where the value comes from.
func TestEveryVariableReachesItsKey(t *testing.T) {
	t.Parallel()
	// What makes a value valid that is not so by itself.
	values := map[string]string{
		"log.level": "debug", "log.formatter": "json", "loglevel": "warn", "http.addr": "localhost:1", "http.net": "unix", "http.host": "https://h",
		"http.prefix": "/p", "http.debug.addr": "localhost:1", "http.debug.prometheus.path": "/m", "http.tls.minimumtls": "tls1.3",
		"http.tls.clientauth": "request-client-cert", "http.headers": "{X-A: [b]}", "log.fields": "{a: b}",
		"storage.cache.blobdescriptor": "inmemory", "storage.cache.layerinfo": "inmemory", "validation.manifests.indexes.platforms": "none",
		"log.hooks[].type": "mail", "health.http[].uri": "http://h/", "health.tcp[].addr": "h:1", "health.http[].headers": "{X-A: [b]}",
		"log.hooks[].options.smtp.addr": "h:25",
		"berth.cleanup.grace":           "7s", "berth.verify.rate": "7MB", "berth.cleanup.schedule": "daily", "berth.cleanup.at": "'7:00'", "berth.cleanup.weekday": "friday",
		"berth.cleanup.low": "7%", "berth.cleanup.rules[].off": "true", "berth.cleanup.rules[].untagged": "7d", "berth.cleanup.rules[].keep.younger": "7d",
		"berth.cleanup.rules[].keep.pulled": "7d", "berth.cleanup.rules[].keep.newest": "7", "berth.cleanup.rules[].keep.versions": "7",
		"berth.cleanup.rules[].name": "a", "berth.immutable[].name": "a",
	}
	// An element of a list, and TLS, must be whole to be valid.
	whole := "version: 0.1\nstorage: filesystem\nhttp: {tls: {certificate: c, key: k}}\n" +
		"health: {file: [{file: f}], http: [{uri: 'http://x/'}], tcp: [{addr: 'x:1'}]}\nlog: {hooks: [{type: mail, disabled: true}]}\n" +
		"berth: {cleanup: {rules: [{keep: {newest: 1}}]}, immutable: [{tags: [v*]}]}\n"
	acme := "version: 0.1\nstorage: filesystem\nhttp: {tls: {letsencrypt: {cachefile: d, hosts: [h]}}}\n"
	for _, k := range config.Keys() {
		if k.Later || k.Name == "version" {
			continue
		}
		value, file := values[k.Name], whole
		if value == "" {
			value = "7"
			switch k.Default {
			case "true", "false", "false in a named file; otherwise true":
				value = "true"
			case "":
				value = "a"
			}
			switch {
			case strings.HasSuffix(k.Name, "interval"), strings.HasSuffix(k.Name, "timeout"), strings.HasSuffix(k.Name, "age"), strings.HasSuffix(k.Name, "keep"):
				value = "7s"
			case k.Name == "http.tls.letsencrypt.hosts", k.Name == "http.tls.clientcas", strings.HasSuffix(k.Name, "levels"), strings.HasSuffix(k.Name, ".to"),
				strings.HasSuffix(k.Name, "allow"), strings.HasSuffix(k.Name, "deny"), k.Name == "http.tls.ciphersuites",
				strings.HasPrefix(k.Name, "berth.cleanup.rules"), strings.HasPrefix(k.Name, "berth.immutable"):
				value = "[error]"
			}
		}
		switch {
		case strings.HasPrefix(k.Name, "http.tls.letsencrypt"):
			file = acme
		case k.Name == "storage.inmemory":
			file, value = "version: 0.1\nstorage: {delete: {enabled: true}}\n", "{}"
		case k.Name == "log.hooks[].disabled":
			value = "true"
		}
		c, err := config.Load(write(t, file), []string{k.Env + "=" + value}, config.Flags{})
		if err != nil {
			t.Errorf("%s=%s: %v", k.Env, value, err)
			continue
		}
		if o := c.Origin(strings.ReplaceAll(k.Name, "[]", ".0")); o.Source != config.SourceEnv || o.Name != k.Env {
			t.Errorf("%s=%s: %s comes from %v; warnings %q", k.Env, value, k.Name, o, c.Warnings)
		}
	}
}

func TestTheDocumentationIsThatOfTheProgram(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "configuration.md")
	want := document()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/configuration.md is not what docs.go says; run: go test ./app/config -run Documentation -update")
	}
}

func document() string {
	var b strings.Builder
	b.WriteString(config.Preface)
	section, late := "", []config.Key(nil)
	for _, k := range config.Keys() {
		if k.Later {
			late = append(late, k)
			continue
		}
		s, _, below := strings.Cut(k.Name, ".")
		if !below {
			s = "version"
		}
		if s != section && (below || section == "") {
			section = s
			heading(&b, section)
		}
		row(&b, k)
	}
	heading(&b, "Refused for now")
	for _, k := range late {
		row(&b, k)
	}
	return b.String()
}

func heading(b *strings.Builder, title string) {
	fmt.Fprintf(b, "\n## %s\n\n| Key | Variable | Default | Meaning | Other than distribution |\n|---|---|---|---|---|\n", title)
}

func row(b *strings.Builder, k config.Key) {
	fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", k.Name, code(k.Env), code(k.Default), k.Doc, k.As)
}

func code(s string) string {
	if s == "" || strings.Contains(s, " ") {
		return s
	}
	return "`" + s + "`"
}

func TestEffectiveValuesSayWhereTheyComeFrom(t *testing.T) {
	t.Parallel()
	c := load(t, "version: 0.1\nstorage: {filesystem: {rootdirectory: /r}}\nhttp:\n  secret: s3cret\n  headers: {X-A: [b]}\nhealth: {tcp: [{addr: 'x:1'}]}\n",
		"REGISTRY_CATALOG={maxentries: 7}", "REGISTRY_HTTP_DRAINTIMEOUT=90s")
	got := map[string]config.Setting{}
	for _, s := range c.Settings() {
		if _, twice := got[s.Key]; twice {
			t.Errorf("%s is there twice", s.Key)
		}
		got[s.Key] = s
	}
	for key, want := range map[string][2]string{
		"http.secret":           {"(hidden)", c.Path + ":4"},
		"http.headers":          {"[X-A:[b]]", c.Path + ":5"},
		"http.draintimeout":     {"1m30s", "REGISTRY_HTTP_DRAINTIMEOUT"},
		"http.net":              {"tcp", "default"},
		"catalog.maxentries":    {"7", "REGISTRY_CATALOG"},
		"health.tcp.0.addr":     {"x:1", c.Path + ":6"},
		"berth.trash.keep":      {"168h", "default"},
		"log.hooks":             {},
		"storage.s3":            {},
		"health.tcp.0.interval": {"10s", "default"},
	} {
		if s := got[key]; !reflect.DeepEqual([2]string{s.Value, s.Origin}, want) {
			t.Errorf("%s: %+v, want %q", key, s, want)
		}
	}
}
