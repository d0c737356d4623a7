package config_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"berth/app/config"
)

func TestTheTenthElementComesAfterTheSecond(t *testing.T) {
	t.Parallel()
	var env []string
	var want []string
	for i := range 12 {
		env = append(env, fmt.Sprintf("REGISTRY_VALIDATION_MANIFESTS_URLS_ALLOW_%d=p%d", i, i))
		want = append(want, fmt.Sprint("p", i))
	}
	c := load(t, official, env...)
	if got := c.Validation.Manifests.URLs.Allow; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestNamesInVariablesAreThoseOfTheFields(t *testing.T) {
	t.Parallel()
	c := load(t, official,
		"REGISTRY_HEALTH_FILECHECKERS_0_FILE=/f", "REGISTRY_HEALTH_HTTPCHECKERS_0_URI=http://h/", "REGISTRY_HEALTH_TCPCHECKERS_0_ADDR=h:1",
		"REGISTRY_HEALTH_TCPCHECKERS_0_THRESHOLD=4", "REGISTRY_HEALTH_HTTPCHECKERS_0_HEADERS_X-A=[b]",
		"REGISTRY_LOG_HOOKS_0_TYPE=mail", "REGISTRY_LOG_HOOKS_0_LEVELS=[error]", "REGISTRY_LOG_HOOKS_0_MAILOPTIONS_SMTP_ADDR=h:25",
		"REGISTRY_LOG_HOOKS_0_MAILOPTIONS_FROM=a@b", "REGISTRY_LOG_HOOKS_0_MAILOPTIONS_TO=[c@d]", "REGISTRY_LOG_HOOKS_0_MAILOPTIONS_SMTP_INSECURE=true",
		"REGISTRY_HTTP_TLS={certificate: c, key: k, clientcas: [ca]}", "REGISTRY_HTTP_HTTP2_DISABLED=true", "REGISTRY_HTTP_H2C_ENABLED=true",
		"REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING={enabled: true, age: 1h}")
	if len(c.Warnings) > 0 {
		t.Errorf("warnings %q", c.Warnings)
	}
	h := c.Health
	if len(h.FileCheckers) != 1 || h.FileCheckers[0].Interval != 10*time.Second || len(h.HTTPCheckers) != 1 || h.HTTPCheckers[0].StatusCode != 200 ||
		h.HTTPCheckers[0].Headers["x-a"][0] != "b" || len(h.TCPCheckers) != 1 || h.TCPCheckers[0].Threshold != 4 {
		t.Errorf("health is %+v", h)
	}
	if m := c.Log.Hooks[0]; m.MailOptions.SMTP.Addr != "h:25" || !m.MailOptions.SMTP.Insecure || m.MailOptions.From != "a@b" || m.MailOptions.To[0] != "c@d" {
		t.Errorf("the hook is %+v", m)
	}
	if tls := c.HTTP.TLS; !tls.On() || tls.ClientAuth != config.ClientAuthRequireAndVerify || tls.MinimumTLS != "tls1.2" || !c.HTTP.HTTP2.Disabled || !c.HTTP.H2C.Enabled {
		t.Errorf("http is %+v", c.HTTP)
	}
	if p := c.Storage.Maintenance.UploadPurging; p.Age != time.Hour || p.Interval != 24*time.Hour {
		t.Errorf("a section that was replaced lost its defaults: %+v", p)
	}
}

func TestAnUnknownVariableNamesTheNearest(t *testing.T) {
	t.Parallel()
	for variable, want := range map[string]string{
		"REGISTRY_HTTP_ADRR=:1":                     "did you mean REGISTRY_HTTP_ADDR?",
		"REGISTRY_HEALTH_FILE_3_FILE=/f":            "did you mean REGISTRY_HEALTH_FILECHECKERS_0_FILE?",
		"REGISTRY_LOG_HOOKS_0_OPTIONS_SMTP_ADDR=h":  "did you mean REGISTRY_LOG_HOOKS_0_MAILOPTIONS_SMTP_ADDR?",
		"REGISTRY_STORAGE_DELETE_ENABLE=true":       "did you mean REGISTRY_STORAGE_DELETE_ENABLED?",
		"REGISTRY_PORT=tcp://10.0.0.1:5000":         "Kubernetes",
		"REGISTRY_SERVICE_HOST=10.0.0.1":            "Kubernetes",
		"REGISTRY_REPORTING_BUGSNAG_APIKEY=x":       "version 3 of distribution",
		"REGISTRY_COMPATIBILITY_SCHEMA1_ENABLED=on": "schema version 1",
		"REGISTRY_WHATEVER_COMES=x":                 "ignoring unrecognized environment variable REGISTRY_WHATEVER_COMES",
	} {
		c := load(t, "version: 0.1\nstorage: inmemory\n", variable)
		if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], want) {
			t.Errorf("%s: warnings %q, want %q", variable, c.Warnings, want)
		}
	}
}

func TestStorageByVariableReplacesTheWholeSection(t *testing.T) {
	t.Parallel()
	file := "version: 0.1\nstorage: {filesystem: {rootdirectory: /x}, delete: {enabled: true}, maintenance: {readonly: {enabled: true}}}\n"
	c := load(t, file, "REGISTRY_STORAGE=filesystem", "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/y")
	if c.Storage.Delete.Enabled || c.Storage.Maintenance.ReadOnly.Enabled || c.Data() != "/y" {
		t.Errorf("it kept some of the file: %+v", c.Storage)
	}
	if c := load(t, file, "REGISTRY_STORAGE=filesystem"); c.Data() != filepath.FromSlash("/var/lib/registry") {
		t.Errorf("the folder of a storage without one is %s", c.Data())
	}
	if c := load(t, "version: 0.1\n", "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/z"); c.Data() != filepath.FromSlash("/z") {
		t.Errorf("the folder of a variable alone is %s", c.Data())
	}
	// A second storage by variable is a mistake, and the message names it.
	_, err := config.Load(write(t, file), []string{"REGISTRY_STORAGE_INMEMORY={}"}, config.Flags{})
	if e, ok := errors.AsType[*config.Error](err); !ok || e.Key != "storage" {
		t.Errorf("two storages: %v", err)
	}
	_, err = config.Load(write(t, file), []string{"REGISTRY_STORAGE_S3_BUCKET=b"}, config.Flags{})
	if e, ok := errors.AsType[*config.Error](err); !ok || e.Key != "storage.s3" || e.Origin.Name != "REGISTRY_STORAGE_S3_BUCKET" {
		t.Errorf("s3 beside a folder: %v", err)
	}
}

// registry2 is a configuration as registry:2 users have it.
const registry2 = `version: 0.1
loglevel: debug
log:
  fields: {service: registry, environment: development}
reporting: {bugsnag: {apikey: x}}
compatibility: {schema1: {enabled: true}}
storage:
  cache: {layerinfo: inmemory}
  filesystem: {rootdirectory: /var/lib/registry}
  maintenance:
    uploadpurging: {enabled: false}
http:
  addr: :5000
  http2: {disabled: true}
  headers: {X-Content-Type-Options: [nosniff]}
health:
  storagedriver: {enabled: true, interval: 10s, threshold: 3}
`

func TestAConfigurationOfVersion2Loads(t *testing.T) {
	t.Parallel()
	c := load(t, registry2)
	if c.Log.Level != "debug" || c.Storage.Cache.BlobDescriptor != "inmemory" || !c.HTTP.HTTP2.Disabled || c.Storage.Maintenance.UploadPurging.Enabled {
		t.Errorf("got %+v", c)
	}
	if len(c.Warnings) != 2 || !strings.Contains(c.Warnings[0], "reporting") || !strings.Contains(c.Warnings[1], "schema version 1") {
		t.Errorf("warnings %q", c.Warnings)
	}
	_, err := config.Load(write(t, "version: 0.1\nstorage: {swift: {container: c}}\n"), nil, config.Flags{})
	if err == nil || !strings.Contains(err.Error(), "removed from distribution in version 3") {
		t.Errorf("swift: %v", err)
	}
}
