package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adrg/xdg"
	"go.yaml.in/yaml/v3"
)

// DefaultAddr is where Berth answers when nobody says otherwise.
const DefaultAddr = "localhost:5000"

// officialRoot is where distribution keeps things when a config.yml says
// "filesystem" and no folder.
const officialRoot = "/var/lib/registry"

const (
	defaultDescriptors = 10_000
	defaultInterval    = 10 * time.Second
)

// Flags are what the command line said; empty is unsaid.
type Flags struct {
	Data     string
	Addr     string
	LogLevel string
}

// DefaultPath is the config.yml that is read, if it is there, when none is named.
func DefaultPath() string { return filepath.Join(xdg.ConfigHome, "berth", "config.yml") }

// DefaultData is the data folder when nobody says otherwise.
func DefaultData() string { return filepath.Join(xdg.DataHome, "berth") }

// Load reads the configuration. With an empty path it reads the file that
// REGISTRY_CONFIGURATION_PATH names, else [DefaultPath] if that is there. In a
// file that was named, distribution's defaults hold: no deletes, a storage
// section is a must. Env is as of os.Environ. Errors: [*Error].
func Load(path string, env []string, flags Flags) (*Config, error) {
	c := defaults()
	c.Log.Level, c.Storage.Cache.BlobDescriptor = "", "" // they have old names, which count when these are unsaid
	vars := map[string]string{}
	for _, entry := range env {
		if n, value, ok := strings.Cut(entry, "="); ok {
			vars[n] = value
		}
	}
	if path == "" {
		path = vars["REGISTRY_CONFIGURATION_PATH"]
	}
	given := path != ""
	if !given {
		path = DefaultPath()
	}
	content, err := os.ReadFile(path)
	switch {
	case err == nil:
		c.Path, c.Named = path, given
		if err := c.readFile(content, given); err != nil {
			return nil, err
		}
	case given || !errors.Is(err, fs.ErrNotExist):
		return nil, &Error{Kind: Unreadable, Origin: Origin{Source: SourceFile, Name: path}, Err: err}
	}
	if data := vars["BERTH_DATA"]; data != "" {
		c.data, c.dataFrom = data, Origin{Source: SourceEnv, Name: "BERTH_DATA"}
	}
	if err := c.override(env); err != nil {
		return nil, err
	}
	if c.Named && !c.Storage.named() {
		return nil, &Error{Kind: Invalid, Key: "storage", Origin: Origin{Source: SourceFile, Name: path}, Err: errors.New(strings.Join(append([]string{"no storage configuration provided"}, c.Warnings...), "; "))}
	}
	c.applyFlags(flags)
	if err := c.settle(); err != nil {
		return nil, err
	}
	return c, nil
}

func defaults() *Config {
	c := &Config{Version: "0.1"}
	c.Log.Level, c.Log.Formatter = "info", "text"
	c.Storage.Delete.Enabled = true
	c.Storage.Maintenance.UploadPurging = UploadPurging{Enabled: true, Age: 168 * time.Hour, Interval: 24 * time.Hour}
	c.HTTP.Addr, c.HTTP.Net, c.HTTP.DrainTimeout = DefaultAddr, "tcp", 30*time.Second
	c.HTTP.TLS.MinimumTLS, c.HTTP.Debug.Prometheus.Path = "tls1.2", "/metrics"
	c.Storage.Cache = Cache{BlobDescriptor: "inmemory", BlobDescriptorSize: defaultDescriptors}
	c.Storage.Tag.ConcurrencyLimit = runtime.GOMAXPROCS(0)
	c.Health.StorageDriver.Interval, c.Health.StorageDriver.Threshold = defaultInterval, 3
	c.Catalog.MaxEntries, c.Tags.MaxTags = 1000, 1000
	c.Validation.Manifests.Indexes.Platforms = "all"
	c.Berth = ownDefaults()
	return c
}

// ownDefaults are those of what distribution does not have.
func ownDefaults() (b Berth) {
	b.Trash.Keep = 7 * 24 * time.Hour
	b.Cleanup = Cleanup{Grace: time.Hour, Untagged: true, Schedule: "off", At: "03:00", Weekday: "sunday"}
	b.Verify.Rate = 32 << 20
	return b
}

// readFile takes a config.yml; given says that the user named it.
func (c *Config) readFile(content []byte, given bool) error {
	from := Origin{Source: SourceFile, Name: c.Path}
	var document yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(content)).Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return &Error{Kind: Unreadable, Origin: from, Err: err}
	}
	if given {
		c.Version = ""
		c.Storage.Delete.Enabled = false
	}
	if len(document.Content) > 0 {
		if err := document.Content[0].Decode(c); err != nil {
			return &Error{Kind: Invalid, Origin: from, Err: plain(err, true)}
		}
		c.remember(document.Content[0], reflect.TypeFor[Config](), nil)
	}
	if c.Version != "0.1" {
		return &Error{Kind: Invalid, Key: "version", Origin: from, Err: fmt.Errorf("it must be 0.1, not %q", c.Version)}
	}
	return nil
}

// remember notes the line of every key, and warns of the unknown ones.
func (c *Config) remember(node *yaml.Node, t reflect.Type, path []string) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if len(path) > 0 {
		c.origins.put(strings.Join(path, "."), Origin{SourceFile, c.Path, node.Line})
	}
	if node.Kind == yaml.SequenceNode && t != nil && t.Kind() == reflect.Slice {
		for i, value := range node.Content {
			c.remember(value, t.Elem(), append(slices.Clip(path), strconv.Itoa(i)))
		}
	}
	if node.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		below := append(slices.Clip(path), key.Value)
		if t == nil || t.Kind() != reflect.Struct || t == reflect.TypeFor[Later]() {
			c.remember(value, nil, below)
			continue
		}
		field, ok := fieldOf(t, key.Value)
		if !ok {
			c.unknownKey(strings.Join(below, "."), Origin{SourceFile, c.Path, key.Line})
			continue
		}
		c.remember(value, field, below)
	}
}

// keyOf gives the name of a field in config.yml; empty for one that has none.
func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if !f.IsExported() || key == "-" {
		return ""
	}
	return key
}

func fieldOf(t reflect.Type, key string) (reflect.Type, bool) {
	for i := range t.NumField() {
		if f := t.Field(i); keyOf(f) == key && key != "" {
			return f.Type, true
		}
	}
	return nil, false
}

// UnmarshalYAML notes that the section is there.
func (l *Later) UnmarshalYAML(node *yaml.Node) error {
	l.set = node.Tag != "!!null" && (len(node.Content) > 0 || node.Kind == yaml.ScalarNode)
	return nil
}
