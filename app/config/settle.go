package config

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

const (
	minThreads     = 25
	defaultThreads = 100
)

func (c *Config) applyFlags(f Flags) {
	if f.Data != "" {
		c.data, c.dataFrom = f.Data, Origin{Source: SourceFlag, Name: "--data"}
	}
	if f.Addr != "" {
		c.HTTP.Addr = f.Addr
		c.origins.put("http.addr", Origin{Source: SourceFlag, Name: "--addr"})
	}
	if f.LogLevel != "" {
		c.Log.Level = f.LogLevel
		c.origins.put("log.level", Origin{Source: SourceFlag, Name: "--log-level"})
	}
}

// settle fills what is still open, since a section that was replaced whole has
// lost its defaults, and refuses what cannot work.
func (c *Config) settle() error {
	if c.Loglevel != "" && !c.Explicit("log.level") {
		c.Log.Level = c.Loglevel
		c.origins.put("log.level", c.Origin("loglevel"))
	}
	d := defaults()
	c.Log.Level = cmp.Or(c.Log.Level, d.Log.Level)
	c.Log.Formatter = cmp.Or(c.Log.Formatter, d.Log.Formatter)
	c.HTTP.Addr = cmp.Or(c.HTTP.Addr, d.HTTP.Addr)
	c.HTTP.Net = cmp.Or(c.HTTP.Net, d.HTTP.Net)
	c.HTTP.DrainTimeout = cmp.Or(c.HTTP.DrainTimeout, d.HTTP.DrainTimeout)
	c.Catalog.MaxEntries = cmp.Or(c.Catalog.MaxEntries, d.Catalog.MaxEntries)
	c.Tags.MaxTags = cmp.Or(c.Tags.MaxTags, d.Tags.MaxTags)
	indexes := &c.Validation.Manifests.Indexes
	indexes.Platforms = cmp.Or(indexes.Platforms, d.Validation.Manifests.Indexes.Platforms)
	health := &c.Health.StorageDriver
	health.Interval = cmp.Or(health.Interval, d.Health.StorageDriver.Interval)
	health.Threshold = cmp.Or(health.Threshold, d.Health.StorageDriver.Threshold)
	purging := &c.Storage.Maintenance.UploadPurging
	purging.Age = cmp.Or(purging.Age, d.Storage.Maintenance.UploadPurging.Age)
	purging.Interval = cmp.Or(purging.Interval, d.Storage.Maintenance.UploadPurging.Interval)
	if err := c.settleData(); err != nil {
		return err
	}
	if err := c.refuse(reflect.ValueOf(c).Elem(), nil); err != nil {
		return err
	}
	c.settleValidation()
	if c.Health.StorageDriver.Enabled && c.Explicit("health.storagedriver") {
		c.warn("health.storagedriver (%s) has no effect in berth: /healthz looks at the storage whenever it is asked", c.Origin("health.storagedriver"))
	}
	return c.check()
}

func (c *Config) settleValidation() {
	if c.Validation.Disabled {
		c.Validation.Manifests.Indexes.Platforms = "all"
		c.warn("validation.disabled (%s) switches off the rules for URLs only: berth always checks that what a manifest names is there",
			c.Origin("validation.disabled"))
	}
}

// settleData decides on the data folder: --data, else the root directory of
// REGISTRY_*, else BERTH_DATA, else that of the file, else the default.
func (c *Config) settleData() error {
	const key = "storage.filesystem.rootdirectory"
	if c.Storage.InMemory == nil {
		c.Storage.Filesystem = orNew(c.Storage.Filesystem)
	}
	if f := c.Storage.Filesystem; f != nil {
		weaker := c.dataFrom.Source == SourceEnv && c.Origin(key).Source == SourceEnv && f.RootDirectory != ""
		if c.data != "" && !weaker {
			f.RootDirectory = c.data
			c.origins.put(key, c.dataFrom)
		}
		f.RootDirectory = cmp.Or(f.RootDirectory, DefaultData())
		c.data = f.RootDirectory
		if f.MaxThreads = cmp.Or(f.MaxThreads, defaultThreads); f.MaxThreads < minThreads {
			c.warn("storage.filesystem.maxthreads is raised from %d to %d, the least there is", f.MaxThreads, minThreads)
			f.MaxThreads = minThreads
		}
	}
	abs, err := filepath.Abs(cmp.Or(c.data, DefaultData()))
	if err != nil {
		return c.bad(key, err)
	}
	c.data = abs
	if f := c.Storage.Filesystem; f != nil {
		f.RootDirectory = abs
	}
	return nil
}

// refuse finds the sections that Berth does not have yet.
func (c *Config) refuse(v reflect.Value, path []string) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		below := append(slices.Clip(path), field.Tag.Get("yaml"))
		key := strings.Join(below, ".")
		switch value := v.Field(i); {
		case !field.IsExported() || key == "-":
		case field.Type == reflect.TypeFor[Later]():
			if value.Field(0).Bool() {
				return &Error{Kind: Unsupported, Key: key, Origin: c.Origin(key), Err: errors.New("berth cannot do this yet")}
			}
		case field.Type == reflect.TypeFor[Inert]():
			if value.Field(0).Bool() {
				c.warn("%s (%s) has no effect in berth", key, c.Origin(key))
			}
		case field.Type.Kind() == reflect.Struct:
			if err := c.refuse(value, below); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Config) bad(key string, err error) error {
	return &Error{Kind: Invalid, Key: key, Origin: c.Origin(key), Err: err}
}

func (c *Config) check() error {
	oneOf := func(key, value string, allowed ...string) error {
		if slices.Contains(allowed, value) {
			return nil
		}
		return c.bad(key, fmt.Errorf("%q is none of %s", value, strings.Join(allowed, ", ")))
	}
	var errs []error
	if c.Storage.InMemory != nil && c.Storage.Filesystem != nil {
		errs = append(errs, c.bad("storage", errors.New("it names two storages, filesystem and inmemory")))
	}
	errs = append(errs,
		oneOf("log.level", c.Log.Level, "error", "warn", "info", "debug"),
		oneOf("log.formatter", c.Log.Formatter, "text", "json", "logstash"),
		oneOf("validation.manifests.indexes.platforms", c.Validation.Manifests.Indexes.Platforms, "all", "none", "list"))
	if key := "validation.manifests.indexes.platforms"; c.Validation.Manifests.Indexes.Platforms != "all" {
		errs = append(errs, &Error{Kind: Unsupported, Key: key, Origin: c.Origin(key), Err: errors.New("berth wants every image of an index")})
	}
	if c.HTTP.Net != "" && c.HTTP.Net != "tcp" {
		errs = append(errs, &Error{Kind: Unsupported, Key: "http.net", Origin: c.Origin("http.net"), Err: errors.New("berth listens on tcp only")})
	}
	if p := c.HTTP.Prefix; p != "" && !strings.HasPrefix(p, "/") {
		errs = append(errs, c.bad("http.prefix", fmt.Errorf("%q does not begin with /", p)))
	}
	urls := c.Validation.Manifests.URLs
	errs = append(errs,
		c.address("http.addr", c.HTTP.Addr),
		c.patterns("validation.manifests.urls.allow", urls.Allow),
		c.patterns("validation.manifests.urls.deny", urls.Deny),
		c.above0("catalog.maxentries", int64(c.Catalog.MaxEntries)),
		c.above0("tags.maxtags", int64(c.Tags.MaxTags)),
		c.above0("http.draintimeout", int64(c.HTTP.DrainTimeout)),
		c.above0("storage.maintenance.uploadpurging.age", int64(c.Storage.Maintenance.UploadPurging.Age)),
		c.above0("storage.maintenance.uploadpurging.interval", int64(c.Storage.Maintenance.UploadPurging.Interval)),
		c.above0("berth.trash.keep", int64(c.Berth.Trash.Keep)),
		c.above0("health.storagedriver.interval", int64(c.Health.StorageDriver.Interval)),
		c.above0("health.storagedriver.threshold", int64(c.Health.StorageDriver.Threshold)))
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) patterns(key string, list []string) error {
	for _, pattern := range list {
		if _, err := regexp.Compile(pattern); err != nil {
			return c.bad(key, err)
		}
	}
	return nil
}

func (c *Config) above0(key string, n int64) error {
	if n < 0 {
		return c.bad(key, errors.New("it must not be below 0"))
	}
	return nil
}
