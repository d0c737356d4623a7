package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"berth/app/config"
)

// official is the config.yml in distribution's own image.
const official = `version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/registry
  tag:
    concurrencylimit: 5
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
  debug:
    addr: :5001
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
`

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, file string, env ...string) *config.Config {
	t.Helper()
	c, err := config.Load(write(t, file), env, config.Flags{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheOfficialConfigurationLoads(t *testing.T) {
	t.Parallel()
	c := load(t, official)
	if c.Data() != filepath.FromSlash("/var/lib/registry") || c.HTTP.Addr != ":5000" || c.Storage.Delete.Enabled || !c.Health.StorageDriver.Enabled {
		t.Errorf("got %+v", c)
	}
	if !c.Named {
		t.Error("the file counts as found, not as named")
	}
	if o := c.Origin("http.addr"); o.Source != config.SourceFile || o.Line != 13 {
		t.Errorf("http.addr comes from %v", o)
	}
	if o := c.Origin("catalog.maxentries"); o.Source != config.SourceDefault {
		t.Errorf("catalog.maxentries comes from %v", o)
	}
	if len(c.Warnings) != 0 {
		t.Errorf("warnings %q", c.Warnings)
	}
}

func TestVariablesOverrideAsInDistribution(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for name, tc := range map[string]struct {
		env  []string
		got  func(c *config.Config) any
		want any
	}{
		"a plain value":    {[]string{"REGISTRY_HTTP_ADDR=127.0.0.1:6000"}, func(c *config.Config) any { return c.HTTP.Addr }, "127.0.0.1:6000"},
		"a bool":           {[]string{"REGISTRY_STORAGE_DELETE_ENABLED=true"}, func(c *config.Config) any { return c.Storage.Delete.Enabled }, true},
		"a quoted bool":    {[]string{`REGISTRY_STORAGE_DELETE_ENABLED="true"`}, func(c *config.Config) any { return c.Storage.Delete.Enabled }, true},
		"a duration":       {[]string{"REGISTRY_HTTP_DRAINTIMEOUT=90s"}, func(c *config.Config) any { return c.HTTP.DrainTimeout }, 90 * time.Second},
		"lower case":       {[]string{"REGISTRY_http_addr=:1"}, func(c *config.Config) any { return c.HTTP.Addr }, ":5000"},
		"a section":        {[]string{"REGISTRY_CATALOG={maxentries: 7}"}, func(c *config.Config) any { return c.Catalog.MaxEntries }, 7},
		"an existing key":  {[]string{"REGISTRY_LOG_FIELDS_SERVICE=mine"}, func(c *config.Config) any { return c.Log.Fields["service"] }, "mine"},
		"a new key":        {[]string{"REGISTRY_LOG_FIELDS_ENVIRONMENT=test"}, func(c *config.Config) any { return c.Log.Fields["environment"] }, "test"},
		"a new deep key":   {[]string{"REGISTRY_LOG_FIELDS_A_B=1"}, func(c *config.Config) any { return c.Log.Fields["a"] }, map[string]any{"b": 1}},
		"below a scalar":   {[]string{"REGISTRY_LOG_FIELDS_SERVICE_X=1"}, func(c *config.Config) any { return c.Log.Fields["service"] }, "registry"},
		"a list appends":   {[]string{"REGISTRY_VALIDATION_MANIFESTS_URLS_ALLOW_0=^https://a/", "REGISTRY_VALIDATION_MANIFESTS_URLS_ALLOW_1=^https://b/"}, func(c *config.Config) any { return c.Validation.Manifests.URLs.Allow }, []string{"^https://a/", "^https://b/"}},
		"a header, doubly": {[]string{"REGISTRY_HTTP_HEADERS_X-A=[b]"}, func(c *config.Config) any { return c.HTTP.Headers["x-a"] }, []string{"b"}},
		"storage replaced": {[]string{"REGISTRY_STORAGE=inmemory"}, func(c *config.Config) any { return c.Storage.InMemory != nil && c.Storage.Filesystem == nil }, true},
		"purging stays on": {[]string{"REGISTRY_STORAGE=inmemory"}, func(c *config.Config) any { return c.Storage.Maintenance.UploadPurging.Enabled }, true},
		"root by variable": {[]string{"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=" + data, "BERTH_DATA=/elsewhere"}, func(c *config.Config) any { return c.Data() }, data},
		"data by variable": {[]string{"BERTH_DATA=" + data}, func(c *config.Config) any { return c.Storage.Filesystem.RootDirectory }, data},
		"berth's own":      {[]string{"REGISTRY_BERTH_TRASH_KEEP=24h"}, func(c *config.Config) any { return c.Berth.Trash.Keep }, 24 * time.Hour},
		"version stays":    {[]string{"REGISTRY_VERSION=9"}, func(c *config.Config) any { return c.Version }, "0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tc.got(load(t, official, tc.env...)); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %#v, want %#v", got, tc.want)
			}
		})
	}
}

func TestForeignVariablesOnlyWarn(t *testing.T) {
	t.Parallel()
	foreign := []string{
		"REGISTRY_PORT=tcp://10.0.0.1:5000", "REGISTRY_PORT_5000_TCP_ADDR=10.0.0.1", "REGISTRY_AUTH_FILE=/run/auth.json",
		"REGISTRY_AUTH_PORT=tcp://10.0.0.2:5001", "REGISTRY_REDIS_SERVICE_HOST=10.0.0.3", "REGISTRY_=x", "REGISTRY__=y", "REGISTRY_HTTP_PORT=1",
		"REGISTRY_STORAGE_FILESYSTEM_COLOUR=red",
	}
	quiet := load(t, official)
	c := load(t, official, append(foreign, "OTHER_HTTP_ADDR=:1")...)
	if n := len(c.Warnings) - len(quiet.Warnings); n != len(foreign) {
		t.Errorf("%d warnings more, want %d: %q", n, len(foreign), c.Warnings)
	}
	if c.HTTP.Addr != quiet.HTTP.Addr || c.Data() != quiet.Data() {
		t.Error("a foreign variable changed something")
	}
}

func TestWhatBerthCannotDoIsRefusedByName(t *testing.T) {
	t.Parallel()
	base := "version: 0.1\nstorage: {filesystem: {rootdirectory: /x}}\n"
	for key, tc := range map[string]struct {
		file string
		env  []string
	}{
		"auth":                                   {file: base + "auth: {htpasswd: {realm: r, path: p}}"},
		"notifications":                          {file: base, env: []string{"REGISTRY_NOTIFICATIONS_ENDPOINTS_0_URL=http://h"}},
		"proxy":                                  {file: base, env: []string{"REGISTRY_PROXY_REMOTEURL=https://r"}},
		"redis":                                  {file: base + "redis: {addrs: [a]}"},
		"middleware":                             {file: base + "middleware: {storage: [{name: cloudfront}]}"},
		"http.tls.key":                           {file: base + "http: {tls: {certificate: c}}"},
		"http.tls.certificate":                   {file: base + "http: {tls: {key: k}}"},
		"http.tls":                               {file: base + "http: {tls: {certificate: c, key: k, letsencrypt: {cachefile: d, hosts: [h]}}}"},
		"http.tls.minimumtls":                    {file: base + "http: {tls: {minimumtls: ssl3}}"},
		"http.tls.clientauth":                    {file: base, env: []string{"REGISTRY_HTTP_TLS_CLIENTAUTH=sometimes"}},
		"http.tls.clientcas":                     {file: base + "http: {tls: {clientcas: [ca.pem]}}"},
		"http.tls.letsencrypt.cachefile":         {file: base + "http: {tls: {letsencrypt: {hosts: [h]}}}"},
		"http.tls.letsencrypt.hosts":             {file: base + "http: {tls: {letsencrypt: {cachefile: d}}}"},
		"http.debug.addr":                        {file: base + "http: {debug: {addr: nowhere}}"},
		"http.debug.prometheus.path":             {file: base + "http: {debug: {addr: ':1', prometheus: {path: metrics}}}"},
		"http.host":                              {file: base + "http: {host: registry.test}"},
		"log.hooks.0.type":                       {file: base + "log: {hooks: [{type: pager}]}"},
		"log.hooks.0.levels":                     {file: base + "log: {hooks: [{type: mail, levels: [loud]}]}"},
		"log.hooks.0.options.smtp.addr":          {file: base + "log: {hooks: [{type: mail, levels: [error], options: {smtp: {addr: mail}}}]}"},
		"storage.cache.blobdescriptor":           {file: "version: 0.1\nstorage: {inmemory: {}, cache: {blobdescriptor: redis}}"},
		"storage.cache.layerinfo":                {file: "version: 0.1\nstorage: {inmemory: {}, cache: {layerinfo: redis}}"},
		"health.file.0":                          {file: base + "health: {file: [{interval: 1s}]}"},
		"health.http.0.uri":                      {file: base, env: []string{"REGISTRY_HEALTH_HTTPCHECKERS_0_URI=u"}},
		"health.tcp.0.addr":                      {file: base + "health: {tcp: [{addr: redis}]}"},
		"health.tcp.0.interval":                  {file: base + "health: {tcp: [{addr: 'redis:1', interval: -1s}]}"},
		"storage.s3":                             {file: "version: 0.1\nstorage: s3"},
		"storage.azure":                          {file: "version: 0.1\nstorage: {azure: {container: c}}"},
		"storage.gcs":                            {file: base, env: []string{"REGISTRY_STORAGE=gcs", "REGISTRY_STORAGE_GCS_BUCKET=b"}},
		"policy":                                 {file: base + "policy: {repository: {classes: [image]}}"},
		"http.net":                               {file: base + "http: {net: udp}"},
		"http.draintimeout":                      {file: base + "http: {draintimeout: -1s}"},
		"storage":                                {file: "version: 0.1"},
		"version":                                {file: "storage: inmemory"},
		"log.level":                              {file: base + "log: {level: loud}"},
		"validation.manifests.urls.deny":         {file: base + "validation: {manifests: {urls: {deny: ['(']}}}"},
		"validation.manifests.urls.allow.3":      {file: base, env: []string{"REGISTRY_VALIDATION_MANIFESTS_URLS_ALLOW_3=x"}},
		"validation.manifests.indexes.platforms": {file: base + "validation: {manifests: {indexes: {platforms: some}}}"},
		"berth.trash.keep":                       {file: base + "berth: {trash: {keep: -1h}}"},
		"catalog.maxentries":                     {file: base, env: []string{"REGISTRY_CATALOG_MAXENTRIES=many"}},
	} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(write(t, tc.file), tc.env, config.Flags{})
			var e *config.Error
			if !errors.As(err, &e) || !strings.HasPrefix(key, e.Key) || e.Key == "" {
				t.Fatalf("got %v", err)
			}
			if len(tc.env) > 0 && e.Origin.Source != config.SourceEnv {
				t.Errorf("it is said to come from %v", e.Origin)
			}
		})
	}
}

func TestFlagsWinAndBerthsDefaultsHoldWithoutAFile(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	// No file is named: the tests' own home has none either.
	c, err := config.Load("", []string{"REGISTRY_HTTP_ADDR=:1", "BERTH_DATA=/b", "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/c"},
		config.Flags{Data: data, Addr: "127.0.0.1:0", LogLevel: "debug"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Data() != data || c.Storage.Filesystem.RootDirectory != data || c.HTTP.Addr != "127.0.0.1:0" || c.Log.Level != "debug" {
		t.Errorf("got %+v", c)
	}
	if o := c.Origin("http.addr"); o.Source != config.SourceFlag || o.String() != "--addr" {
		t.Errorf("http.addr comes from %v", o)
	}
	if !c.Storage.Delete.Enabled || c.Berth.Trash.Keep != 7*24*time.Hour {
		t.Error("the desktop's defaults are lost")
	}
}

func TestALostFileIsAnErrorOnlyWhenItWasNamed(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "none.yml")
	var e *config.Error
	if _, err := config.Load(missing, nil, config.Flags{}); !errors.As(err, &e) || e.Kind != config.Unreadable {
		t.Errorf("got %v", err)
	}
	if _, err := config.Load("", []string{"REGISTRY_CONFIGURATION_PATH=" + missing}, config.Flags{}); !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
}

func TestUnknownKeysOfAFileWarnWithTheirLine(t *testing.T) {
	t.Parallel()
	c := load(t, "version: 0.1\nstorage: inmemory\nhttp:\n  adr: typo\n")
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "http.adr") || !strings.Contains(c.Warnings[0], ":4") {
		t.Errorf("warnings %q", c.Warnings)
	}
}

func FuzzVariable(f *testing.F) {
	for _, seed := range [][2]string{
		{"HTTP_ADDR", ":1"},
		{"STORAGE", "inmemory"},
		{"LOG_FIELDS_A_B_C", "{}"},
		{"VALIDATION_MANIFESTS_URLS_ALLOW_0", "["},
		{"HTTP_HEADERS_X_0", "a"},
		{"STORAGE_FILESYSTEM", "null"},
		{"LOG_FIELDS", "[1]"},
		{"VALIDATION_MANIFESTS_INDEXES_PLATFORMLIST_0_OS", "linux"},
		{"HEALTH", "&a [*a]"},
		{"STORAGE_INMEMORY", "{}"},
		{"VALIDATION_MANIFESTS_URLS_ALLOW_99999999999999999999", "x"},
	} {
		f.Add(seed[0], seed[1])
	}
	path := filepath.Join(f.TempDir(), "config.yml")
	if err := os.WriteFile(path, []byte(official), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		if strings.Contains(name, "=") || name == "CONFIGURATION_PATH" {
			return
		}
		c, err := config.Load(path, []string{"REGISTRY_" + name + "=" + value}, config.Flags{})
		if err != nil {
			var e *config.Error
			if !errors.As(err, &e) {
				t.Errorf("an error of another type: %v", err)
			}
			return
		}
		if (c.Storage.Filesystem == nil) == (c.Storage.InMemory == nil) || !filepath.IsAbs(c.Data()) || c.Version != "0.1" {
			t.Errorf("no sound configuration: %+v", c)
		}
	})
}
