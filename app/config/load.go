package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
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

// sources are what a Config was made of.
type sources struct {
	path    string
	named   bool
	content []byte // of the file; nil for none
	env     []string
	flags   Flags
	made    Made
}

// Load reads the configuration. With an empty path it reads the file that
// REGISTRY_CONFIGURATION_PATH names, else [DefaultPath] if that is there. In a
// file that was named, distribution's defaults hold: no deletes, a storage
// section is a must. Env is as of os.Environ. Of settings that were made while
// Berth ran, what cannot be used is left out; see Damage. Errors: [*Error].
func Load(path string, env []string, flags Flags) (*Config, error) {
	from := sources{path: path, env: env, flags: flags}
	if path == "" {
		from.path = from.variable("REGISTRY_CONFIGURATION_PATH")
	}
	if from.named = from.path != ""; !from.named {
		from.path = DefaultPath()
	}
	if err := from.read(); err != nil {
		return nil, err
	}
	c, err := from.build()
	if err != nil {
		return nil, err
	}
	return c.loadMade(), nil
}

// Again reads the same file anew, below the same settings, variables and flags.
func (c *Config) Again() (*Config, error) {
	from := c.from
	if err := from.read(); err != nil {
		return nil, err
	}
	return from.build()
}

// Content gives the file as it is now, to see whether it changed; nil for none.
func (c *Config) Content() ([]byte, error) {
	from := c.from
	err := from.read()
	return from.content, err
}

// ContentRead is what Content gave for c; nil for none.
func (c *Config) ContentRead() []byte { return c.from.content }

// Made gives the settings that were made while Berth ran.
func (c *Config) Made() Made { return maps.Clone(c.from.made) }

// WithMade gives the configuration of the same sources with other settings.
// Errors: [*Error] for what cannot be.
func (c *Config) WithMade(m Made) (*Config, error) {
	from := c.from
	from.made = maps.Clone(m)
	return from.build()
}

func (s *sources) variable(name string) string {
	value := ""
	for _, entry := range s.env {
		if n, v, ok := strings.Cut(entry, "="); ok && n == name {
			value = v
		}
	}
	return value
}

func (s *sources) read() error {
	content, err := os.ReadFile(s.path)
	switch {
	case err == nil:
		s.content = append([]byte{}, content...) // not nil
	case s.named || !errors.Is(err, fs.ErrNotExist):
		return &Error{Kind: Unreadable, Origin: Origin{Source: SourceFile, Name: s.path}, Err: err}
	default:
		s.content = nil
	}
	return nil
}

// build makes the configuration, from the weakest source to the strongest.
func (s *sources) build() (*Config, error) {
	c := defaults()
	c.from = *s
	c.Log.Level, c.Storage.Cache.BlobDescriptor = "", "" // they have old names, which count when these are unsaid
	if s.content != nil {
		c.Path, c.Named = s.path, s.named
		if err := c.readFile(s.content, s.named); err != nil {
			return nil, err
		}
	}
	if err := s.made.apply(c); err != nil {
		return nil, err
	}
	if data := s.variable("BERTH_DATA"); data != "" {
		c.data, c.dataFrom = data, Origin{Source: SourceEnv, Name: "BERTH_DATA"}
	}
	if err := c.override(s.env); err != nil {
		return nil, err
	}
	if c.Named && !c.Storage.named() {
		return nil, &Error{Kind: Invalid, Key: "storage", Origin: Origin{Source: SourceFile, Name: s.path}, Err: errors.New(strings.Join(append([]string{"no storage configuration provided"}, c.Warnings...), "; "))}
	}
	c.applyFlags(s.flags)
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
		durations(document.Content[0], reflect.TypeFor[Config]())
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
