package config

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
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
	// The variable of the old name goes before a setting that was made.
	over := c.Origin("loglevel").Source == SourceEnv && c.Origin("log.level").Source == SourceMade
	if c.Loglevel != "" && (c.Log.Level == "" || over) {
		c.Log.Level = c.Loglevel
		c.origins.put("log.level", c.Origin("loglevel"))
	}
	d := defaults()
	c.Log.Level = strings.ToLower(cmp.Or(c.Log.Level, d.Log.Level))
	c.Log.Formatter = cmp.Or(c.Log.Formatter, d.Log.Formatter)
	c.Catalog.MaxEntries = cmp.Or(c.Catalog.MaxEntries, d.Catalog.MaxEntries)
	c.Tags.MaxTags = cmp.Or(c.Tags.MaxTags, d.Tags.MaxTags)
	c.settleHTTP(d)
	c.settleHealth(d)
	if err := c.settleStorage(d); err != nil {
		return err
	}
	if err := c.settleData(); err != nil {
		return err
	}
	if err := c.refuse(reflect.ValueOf(c).Elem(), nil); err != nil {
		return err
	}
	c.settleValidation(d)
	c.settleBerth(d)
	return c.check()
}

func (c *Config) settleHTTP(d *Config) {
	h := &c.HTTP
	h.Addr, h.Net = cmp.Or(h.Addr, d.HTTP.Addr), cmp.Or(h.Net, d.HTTP.Net)
	h.DrainTimeout = cmp.Or(h.DrainTimeout, d.HTTP.DrainTimeout)
	h.TLS.MinimumTLS = cmp.Or(h.TLS.MinimumTLS, d.HTTP.TLS.MinimumTLS)
	h.Debug.Prometheus.Path = cmp.Or(h.Debug.Prometheus.Path, d.HTTP.Debug.Prometheus.Path)
	if h.TLS.ClientAuth == "" && len(h.TLS.ClientCAs) > 0 {
		h.TLS.ClientAuth = ClientAuthRequireAndVerify
	}
	if h.Debug.Prometheus.Enabled && h.Debug.Addr == "" {
		c.warn("http.debug.prometheus (%s) needs http.debug.addr, where metrics are served; without it there are none", c.Origin("http.debug.prometheus.enabled"))
	}
	if h.TLS.MinimumTLS == "tls1.3" && len(h.TLS.CipherSuites) > 0 {
		c.warn("http.tls.ciphersuites (%s) has no effect with tls1.3, which chooses by itself", c.Origin("http.tls.ciphersuites"))
	}
}

func (c *Config) settleHealth(d *Config) {
	driver := &c.Health.StorageDriver
	driver.Interval = cmp.Or(driver.Interval, d.Health.StorageDriver.Interval)
	driver.Threshold = cmp.Or(driver.Threshold, d.Health.StorageDriver.Threshold)
	for i := range c.Health.FileCheckers {
		f := &c.Health.FileCheckers[i]
		f.Interval = cmp.Or(f.Interval, defaultInterval)
	}
	for i := range c.Health.HTTPCheckers {
		h := &c.Health.HTTPCheckers[i]
		h.Interval, h.StatusCode = cmp.Or(h.Interval, defaultInterval), cmp.Or(h.StatusCode, 200)
	}
	for i := range c.Health.TCPCheckers {
		t := &c.Health.TCPCheckers[i]
		t.Interval = cmp.Or(t.Interval, defaultInterval)
	}
}

func (c *Config) settleStorage(d *Config) error {
	purging := &c.Storage.Maintenance.UploadPurging
	purging.Age = cmp.Or(purging.Age, d.Storage.Maintenance.UploadPurging.Age)
	purging.Interval = cmp.Or(purging.Interval, d.Storage.Maintenance.UploadPurging.Interval)
	cache, key := &c.Storage.Cache, "storage.cache.blobdescriptor"
	if cache.BlobDescriptor == "" && cache.LayerInfo != "" {
		cache.BlobDescriptor, key = cache.LayerInfo, "storage.cache.layerinfo"
		c.origins.put("storage.cache.blobdescriptor", c.Origin(key))
	}
	cache.BlobDescriptor = cmp.Or(cache.BlobDescriptor, d.Storage.Cache.BlobDescriptor)
	cache.BlobDescriptorSize = cmp.Or(cache.BlobDescriptorSize, d.Storage.Cache.BlobDescriptorSize)
	c.Storage.Tag.ConcurrencyLimit = cmp.Or(c.Storage.Tag.ConcurrencyLimit, d.Storage.Tag.ConcurrencyLimit)
	switch cache.BlobDescriptor {
	case "inmemory":
		return nil
	case "redis":
		return &Error{
			Kind: Unsupported, Key: key, Origin: c.Origin(key),
			Err: errors.New("berth keeps what it needs in its own memory, which is faster than redis; say inmemory, and take the section redis away"),
		}
	}
	return c.bad(key, fmt.Errorf("%q is neither inmemory nor redis", cache.BlobDescriptor))
}

// settleValidation makes of «enabled» and «disabled» one switch, Enabled. As in
// distribution, enabled wins over disabled, and with neither, validation is on;
// but where nothing is said of validation, layers may lie at any address: the
// conformance suite of the spec pushes such.
func (c *Config) settleValidation(d *Config) {
	v := &c.Validation
	v.Manifests.Indexes.Platforms = cmp.Or(v.Manifests.Indexes.Platforms, d.Validation.Manifests.Indexes.Platforms)
	on := v.Enabled || !v.Disabled
	explicit := c.Explicit("validation")
	v.Enabled, v.Disabled = on, !on
	if urls := &v.Manifests.URLs; on && explicit && len(urls.Allow)+len(urls.Deny) == 0 {
		urls.Allow = []string{"^$"} // nothing
	}
	if p := v.Manifests.Indexes.Platforms; on && p != "all" {
		c.warn("validation.manifests.indexes.platforms (%s) is %s: an index may be stored without all of its images, and other programs may expect them",
			c.Origin("validation.manifests.indexes.platforms"), p)
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
		if c.Named {
			f.RootDirectory = cmp.Or(f.RootDirectory, officialRoot)
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
		below := append(slices.Clip(path), keyOf(field))
		key := strings.Join(below, ".")
		switch value := v.Field(i); {
		case keyOf(field) == "":
		case field.Type == reflect.TypeFor[Later]():
			if value.Field(0).Bool() {
				return &Error{Kind: Unsupported, Key: key, Origin: c.Origin(key), Err: errors.New("berth cannot do this yet; take it away, or keep the registry that you have for it")}
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
