package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"berth/app/config"
	"berth/app/single"
	"berth/dockerbridge"
	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/drivers"
	"berth/registry/filter"
	"berth/registry/httpd"
	"berth/registry/index/sqlite"
	"berth/registry/metrics"
	"berth/registry/pin"
	"berth/registry/server"
	"berth/registry/store"
	"berth/registry/trash"
)

// Open puts the product together and gives a Core that answers every method;
// [Core.Run] serves it. The caller closes it. What is composed, in this order:
// the ownership of the data folder, driver, index, store, trash, immutable tags,
// pins, read-only switch, observer; Run adds server, HTTP chain and control socket.
//
// Errors are a [*Problem]: data_locked when another process has the folder.
func Open(ctx context.Context, o Options) (_ *Core, err error) {
	c := newCore(o)
	defer func() {
		if err != nil {
			err = AsProblem(errors.Join(err, c.Close()))
		}
	}()
	if err := folder(c.cfg.Data()); err != nil {
		return nil, err
	}
	if c.lock, err = single.Acquire(c.cfg.Data()); err != nil {
		return nil, err
	}
	c.closers = append(c.closers, c.lock.Release)
	if err := c.noticeConfig(); err != nil {
		return nil, err
	}
	if c.engines == nil {
		c.engines = docker{dockerbridge.OpenLoans(filepath.Join(c.cfg.Data(), "berth", "loans.json"))}
	}
	c.clearTemp()

	drv, err := c.openDriver()
	if err != nil {
		return nil, err
	}
	st, err := c.openStore(ctx, drv)
	if err != nil {
		return nil, err
	}
	c.onSettings(func(_, is *config.Config) { c.bin.KeepFor(is.Berth.Trash.Keep) })
	c.trash = trash.Wrap(st, st, c.bin)
	c.disk, c.roots = st, []registry.Rooter{c.bin, c.pins}
	c.openCleaner(st, drv)
	reg := withURLRules(c.trash, c.cfg.Validation)
	reg = filter.Immutable(reg, c.heldAbove(st.TagAbove), c.held)
	reg = filter.Pinned(reg, c.pinOf)
	reg = filter.ReadOnly(reg, c.readOnly.Load)
	reg = filter.Observe(reg, c.bus)
	c.reg, c.archive = reg, into(reg, c.tempDir)
	secret, err := c.secret()
	if err != nil {
		return nil, err
	}
	c.handler = func() http.Handler { return c.counted(server.New(reg, c.serverOptions(secret))) }
	c.looks = c.healthChecks(drv)

	c.follow()
	c.background.Go(c.followConfig)
	c.awaitIndex(ctx, st.Reconciled())
	if !c.lock.ReadOnly() && !o.Alone {
		c.upkeep(st)
	}
	return c, nil
}

// openStore opens the index, and the store that tells it what changes.
func (c *Core) openStore(ctx context.Context, drv driver.Driver) (*store.Store, error) {
	ix, err := sqlite.Open(ctx, c.indexPath(), c.indexOptions(drv))
	if err != nil {
		return nil, err
	}
	c.ix, c.closers = ix, append(c.closers, ix.Close)
	c.judge.since.Store(c.pullsSince(ctx).Unix())
	// Before the store, which asks them what they hold.
	c.bin, c.pins = trash.New(drv, c.cfg.Berth.Trash.Keep), pin.New(drv)
	c.bin.Pushed, c.bin.Changed = c.pushed, c.trashChanged
	st, err := store.Open(ctx, drv, ix, c.storeOptions())
	if err != nil {
		return nil, err
	}
	c.closers, c.uploads, c.beside = append(c.closers, st.Close), st.OpenUploads, st.Beside
	return st, nil
}

// counted counts the requests that api answers, if anybody asked for metrics.
func (c *Core) counted(api http.Handler) http.Handler {
	if c.metrics == nil {
		return api
	}
	return c.metrics.HTTP(api, c.cfg.HTTP.Prefix)
}

// openDriver opens what storage: names.
func (c *Core) openDriver() (driver.Driver, error) {
	name, options := c.storageName(), map[string]any{}
	if f := c.cfg.Storage.Filesystem; f != nil {
		options = map[string]any{"rootdirectory": f.RootDirectory, "maxthreads": f.MaxThreads}
	}
	drv, err := drivers.Open(name, options)
	if err != nil {
		return nil, err
	}
	// Whatever stands on it was opened later, and is closed before.
	if closer, ok := driver.As[io.Closer](drv); ok {
		c.closers = append(c.closers, closer.Close)
	}
	c.space, _ = driver.As[driver.Spacer](drv)
	if d := c.cfg.HTTP.Debug; d.Addr != "" && d.Prometheus.Enabled {
		c.metrics = metrics.New()
		drv = c.metrics.Driver(drv, name)
	}
	return drv, nil
}

// manifestShare is how much of the store's memory for manifests one blob
// descriptor of distribution's cache stands for: ten thousand are 16 MiB.
const manifestShare = 16 << 20 / 10_000.0

func (c *Core) storeOptions() store.Options {
	return store.Options{
		Logger: c.log, Cache: int64(float64(c.cfg.Storage.Cache.BlobDescriptorSize) * manifestShare),
		Optional: optionalChildren(c.cfg.Validation), Grace: storeGrace(c.opt, c.conf()),
		Roots: c.rootsOnDisk,
	}
}

func (c *Core) indexPath() string {
	if c.cfg.Storage.InMemory != nil || c.lock.ReadOnly() {
		return ":memory:"
	}
	return filepath.Join(c.cfg.Data(), "berth", "index.db")
}

// noticeConfig tells what is to be known of the configuration.
func (c *Core) noticeConfig() error {
	c.noticeReadOnly()
	for _, warning := range c.cfg.Warnings {
		c.log.Warn("configuration", "warning", warning)
	}
	return c.setDamageAside()
}

// noticeReadOnly makes the registry read-only when its disk is, and says so;
// what Berth keeps beside the images is in memory then.
func (c *Core) noticeReadOnly() {
	if c.lock.ReadOnly() {
		c.readOnly.Store(true)
		c.log.Warn("the disk of the data folder is read-only: images are served, nothing can be pushed or deleted until a restart on a disk that can be written",
			"data", c.cfg.Data())
	}
}

// secret is what signs the state of uploads. It is kept, so that an upload goes
// on after a restart.
func (c *Core) secret() ([]byte, error) {
	if s := c.cfg.HTTP.Secret; s != "" {
		return []byte(s), nil
	}
	path := filepath.Join(c.cfg.Data(), "berth", "secret")
	switch kept, err := os.ReadFile(path); {
	case err == nil && len(kept) >= 16:
		return kept, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	fresh := []byte(rand.Text() + rand.Text())
	if c.lock.ReadOnly() {
		return fresh, nil
	}
	if err := os.WriteFile(path, fresh, 0o600); err != nil {
		return nil, fmt.Errorf("keep the secret: %w", err)
	}
	return fresh, nil
}

func (c *Core) serverOptions(secret []byte) server.Options {
	headers := http.Header{}
	for _, key := range slices.Sorted(maps.Keys(c.cfg.HTTP.Headers)) {
		// CORS is answered by httpd, which must know the origins anyway.
		if !strings.HasPrefix(http.CanonicalHeaderKey(key), corsPrefix) {
			headers[http.CanonicalHeaderKey(key)] = c.cfg.HTTP.Headers[key]
		}
	}
	return server.Options{
		Secret: secret, Host: c.cfg.HTTP.Host, RelativeURLs: c.cfg.HTTP.RelativeURLs, Prefix: c.cfg.HTTP.Prefix, Headers: headers,
		DeleteEnabled: c.deletes.Load, ReadOnly: c.readOnly.Load,
		MaxTags: c.cfg.Tags.MaxTags, MaxRepositories: c.cfg.Catalog.MaxEntries, Log: c.log,
	}
}

func (c *Core) httpdOptions() httpd.Options {
	o := httpd.Options{
		Log: c.log, Health: func(ctx context.Context) error { return c.healthy(ctx) },
		NoHTTP2: c.cfg.HTTP.HTTP2.Disabled, H2C: c.cfg.HTTP.H2C.Enabled,
	}
	if len(c.looks) > 0 || c.cfg.HTTP.Debug.Addr != "" {
		o.Unwell = c.checks.Unwell
	}
	if !c.cfg.Log.AccessLog.Disabled {
		o.AccessLog = c.opt.AccessLog
	}
	o.Origins, o.CORS = corsOf(c.cfg.HTTP.Headers)
	o.Hosts = c.hostNames()
	return o
}

// hostNames are those that the configuration gives the registry.
func (c *Core) hostNames() (hosts []string) {
	if c.cfg.HTTP.Host != "" {
		hosts = append(hosts, c.cfg.HTTP.Host)
	}
	if host := hostOf(c.cfg.HTTP.Addr); host != "" && c.cfg.HTTP.Net != "unix" {
		hosts = append(hosts, host)
	}
	return hosts
}

// healthy is what /healthz says: whether the storage and the index answer.
func (c *Core) healthy(ctx context.Context) error {
	if c.space != nil {
		if _, _, err := c.space.Space(ctx); err != nil {
			return fmt.Errorf("the storage does not answer: %w", err)
		}
	}
	if _, err := c.ix.Complete(ctx); err != nil {
		return fmt.Errorf("the index does not answer: %w", err)
	}
	return nil
}

// awaitIndex shows «indexing» until the index has reflected the disk once in
// its life; an index of before is served from at once, unless a crash took its
// last changes.
func (c *Core) awaitIndex(ctx context.Context, reconciled <-chan struct{}) {
	c.compared = reconciled
	complete, err := c.ix.Complete(ctx)
	c.indexing.Store(err == nil && (!complete || c.ix.Lost()))
	c.background.Go(func() {
		select {
		case <-c.life.Done():
			return
		case <-reconciled:
		}
		c.indexing.Store(false)
		c.notify(Notice{Kind: NoticeImages})
		c.notify(Notice{Kind: NoticeStatus})
	})
}

// firstUpkeep is how long after the start upkeep begins: not into the start
// itself. trashPace is how often the trash lets go of what is over.
const (
	firstUpkeep = 10 * time.Minute
	trashPace   = time.Hour
)

// upkeep lets go of what was long enough in the trash, removes uploads that
// nobody finished, and cleans up by the schedule.
func (c *Core) upkeep(st *store.Store) {
	every(c, trashPace, "trash let go", c.purgeTrash)
	p := &purger{c: c, uploads: st, changed: c.settingsChanged()}
	c.background.Go(func() { p.run(c.life) })
	c.startSchedule()
}

// purgeTrash lets go of what was long enough in the trash; not while the registry
// is read-only, when nobody can restore anything.
func (c *Core) purgeTrash(ctx context.Context) (int, error) {
	if c.readOnly.Load() {
		return 0, nil
	}
	return c.bin.Purge(ctx, time.Now())
}

// every does something from time to time until the Core closes.
func every(c *Core, pace time.Duration, what string, do func(ctx context.Context) (int, error)) {
	c.background.Go(func() {
		timer := time.NewTimer(min(firstUpkeep, pace))
		defer timer.Stop()
		for {
			select {
			case <-c.life.Done():
				return
			case <-timer.C:
			}
			n, err := do(c.life)
			switch {
			case err != nil && c.life.Err() == nil:
				c.log.Warn("upkeep failed", "task", what, "error", err)
			case n > 0:
				c.log.Info(what, "count", n)
				c.notify(Notice{Kind: NoticeStatus})
			}
			timer.Reset(pace)
		}
	})
}
