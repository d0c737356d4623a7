package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"berth/app/config"
)

// refused gives what is said of a configuration that cannot be.
func refused(t *testing.T, content string, env ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(path, env, config.Flags{})
	if e, ok := errors.AsType[*config.Error](err); ok {
		return e.Err.Error()
	}
	t.Errorf("%q with %q is not refused: %v", content, env, err)
	return ""
}

func TestAValueOfAnotherKindIsRefusedInWordsOfYAML(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"http: {draintimeout: 60}":                    `line 3: "60" is no time like 10s, 30m or 168h`,
		"log: {accesslog: {disabled: 1}}":             `line 3: "1" is neither true nor false`,
		"catalog: {maxentries: lots}":                 `line 3: "lots" is no whole number`,
		"http: {tls: {clientcas: a.pem}}":             `line 3: "a.pem" is no list like [a, b]`,
		"http: {addr: [a, b]}":                        `line 3: a list is no single value`,
		"http: {host: {a: b}}":                        `line 3: a section is no single value`,
		"health: {storagedriver: true}":               `line 3: "true" is no section of keys and values`,
		"health: [a]":                                 `line 3: a list is no section of keys and values`,
		"http: {headers: {X-Frame: DENY}}":            `line 3: "DENY" is no list like [a, b]`,
		"http: {draintimeout: 60, relativeurls: no1}": "line 3: \"60\" is no time like 10s, 30m or 168h\nline 3: \"no1\" is neither true nor false",
	} {
		if got := refused(t, "version: 0.1\nstorage: inmemory\n"+content+"\n"); got != want {
			t.Errorf("%s: %q, want %q", content, got, want)
		}
	}
	for variable, want := range map[string]string{
		"REGISTRY_HTTP_DRAINTIMEOUT=60":                        `"60" is no time like 10s, 30m or 168h`,
		"REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_AGE=7y":    `"7y" is no time like 10s, 30m or 168h`,
		"REGISTRY_HTTP_HEADERS_X-Foo=bar":                      `"bar" is no list like [a, b]`,
		"REGISTRY_HTTP_TLS_CLIENTCAS={a: b}":                   `a section is no list like [a, b]`,
		"REGISTRY_STORAGE_DELETE_ENABLED=[true]":               `a list is neither true nor false`,
		"REGISTRY_STORAGE_MAINTENANCE_READONLY={enabled: on1}": `"on1" is neither true nor false`,
	} {
		if got := refused(t, "version: 0.1\nstorage: inmemory\n", variable); got != want {
			t.Errorf("%s: %q, want %q", variable, got, want)
		}
	}
}

func TestAnUnknownKeyOfAFileNamesTheOneThatIsMeant(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"http: {adr: ':1'}":                         "unknown key http.adr (%s:3); did you mean http.addr?",
		"helth: {storagedriver: {enabled: true}}":   "unknown key helth (%s:3); did you mean health?",
		"delete: {enabled: true}":                   "unknown key delete (%s:3); did you mean storage.delete?",
		"http: {prometheus: {enabled: true}}":       "unknown key http.prometheus (%s:3); did you mean http.debug.prometheus?",
		"log: {accesslog: {}, debug: {addr: ':1'}}": "unknown key log.debug (%s:3); did you mean http.debug?",
		"something: {quite: different}":             "unknown key something (%s:3)",
		"enabled: true":                             "unknown key enabled (%s:3)",
	} {
		c := load(t, "version: 0.1\nstorage: inmemory\n"+content+"\n")
		if want := "ignoring " + strings.ReplaceAll(want, "%s", c.Path); len(c.Warnings) != 1 || c.Warnings[0] != want {
			t.Errorf("%s: warnings %q, want %q", content, c.Warnings, want)
		}
	}
}

func TestAMisspelledStorageIsSaidWithWhatIsMissing(t *testing.T) {
	t.Parallel()
	if got := refused(t, "version: 0.1\nstroage: inmemory\n"); !strings.Contains(got, "no storage") || !strings.Contains(got, "did you mean storage?") {
		t.Errorf("said %q", got)
	}
}

func TestLevelsMayBeInCapitals(t *testing.T) {
	t.Parallel()
	for _, variable := range []string{"REGISTRY_LOG_LEVEL=WARN", "REGISTRY_LOGLEVEL=Warn"} {
		if c := load(t, "version: 0.1\nstorage: inmemory\n", variable); c.Log.Level != "warn" {
			t.Errorf("%s: level %q", variable, c.Log.Level)
		}
	}
}

func TestMetricsHaveAPathOfTheirOwn(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/debug/health":  "the debug server has something else there",
		"/debug/pprof/x": "the debug server has something else there",
		"/m{x":           "is no plain path",
		"/a//b":          "is no plain path",
		"/a b?c":         "is no plain path",
		"metrics":        "does not begin with /",
	} {
		if got := refused(t, "version: 0.1\nstorage: inmemory\n", "REGISTRY_HTTP_DEBUG_PROMETHEUS_PATH="+path); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"/", "/metrics/", "/debug/metrics"} {
		load(t, "version: 0.1\nstorage: inmemory\n", "REGISTRY_HTTP_DEBUG_PROMETHEUS_PATH="+path)
	}
}
