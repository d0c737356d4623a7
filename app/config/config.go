package config

import (
	"time"

	"berth/registry/retention"
)

// Config is the whole configuration.
type Config struct {
	Version string `yaml:"version"`
	// Loglevel is the old place of Log.Level.
	Loglevel      string     `yaml:"loglevel"`
	Log           Log        `yaml:"log"`
	Storage       Storage    `yaml:"storage"`
	Auth          Later      `yaml:"auth" known:"silly,htpasswd,none,token"`
	Middleware    Later      `yaml:"middleware" known:"registry,repository,storage"`
	HTTP          HTTP       `yaml:"http"`
	Notifications Later      `yaml:"notifications" known:"eventconfig,endpoints"`
	Redis         Later      `yaml:"redis" known:"addrs,clientname,db,username,password,sentinelusername,sentinelpassword,mastername,tls"`
	Health        Health     `yaml:"health"`
	Catalog       Catalog    `yaml:"catalog"`
	Tags          Tags       `yaml:"tags"`
	Proxy         Later      `yaml:"proxy" known:"remoteurl,username,password,exec,ttl,cachewritetimeout"`
	Validation    Validation `yaml:"validation"`
	Policy        Later      `yaml:"policy" known:"repository"`
	Berth         Berth      `yaml:"berth"`

	// Path is the file that was read; empty for none. Named says that the user
	// named it.
	Path  string `yaml:"-"`
	Named bool   `yaml:"-"`
	// Warnings are lines for the log: what was ignored, and why.
	Warnings []string `yaml:"-"`

	// Damage tells what of the settings that were made could not be used; nil:
	// nothing.
	Damage *Damage `yaml:"-"`

	from     sources
	data     string
	dataFrom Origin
	origins  origins
}

// Catalog limits the list of repositories.
type Catalog struct {
	MaxEntries int `yaml:"maxentries"`
}

// Tags limits the list of tags.
type Tags struct {
	MaxTags int `yaml:"maxtags"`
}

// Validation says what a manifest may refer to.
type Validation struct {
	Enabled   bool `yaml:"enabled"`
	Disabled  bool `yaml:"disabled"`
	Manifests struct {
		URLs struct {
			// Allow and Deny are regular expressions.
			Allow []string `yaml:"allow"`
			Deny  []string `yaml:"deny"`
		} `yaml:"urls"`
		Indexes Indexes `yaml:"indexes"`
	} `yaml:"manifests"`
}

// Indexes says which children of an index must be there.
type Indexes struct {
	// Platforms is all, none or list.
	Platforms    string     `yaml:"platforms"`
	PlatformList []Platform `yaml:"platformlist"`
}

// Platform names one child of an index.
type Platform struct {
	Architecture string `yaml:"architecture"`
	OS           string `yaml:"os"`
}

// Berth is what distribution does not have.
type Berth struct {
	Trash   Trash   `yaml:"trash"`
	Cleanup Cleanup `yaml:"cleanup"`
	Verify  Verify  `yaml:"verify"`
	// Immutable says which tags cannot be moved or deleted.
	Immutable []retention.Protect `yaml:"immutable"`
}

// Cleanup says what is freed, and when.
type Cleanup struct {
	// Grace is how old garbage must be.
	Grace time.Duration `yaml:"grace"`
	// Untagged: manifests that no tag, no index and nothing in the trash needs
	// are garbage too.
	Untagged bool `yaml:"untagged"`
	// Schedule is off, daily or weekly; At the time of day, such as "03:00",
	// Weekday the day of weekly, such as "sunday"; both of this machine's zone.
	Schedule string `yaml:"schedule"`
	At       string `yaml:"at"`
	Weekday  string `yaml:"weekday"`
	// Low is the room on the disk, as "5GB" or "10%", below which a clean-up
	// runs by itself; empty: never.
	Low string `yaml:"low"`
	// Rules say which tags a clean-up keeps.
	Rules []retention.Policy `yaml:"rules"`
}

// Verify says how the store is verified.
type Verify struct {
	// Rate is how much is read a second.
	Rate Bytes `yaml:"rate"`
}

// Trash says how long deleted and overwritten tags can be restored.
type Trash struct {
	Keep time.Duration `yaml:"keep"`
}

// Later is a section that distribution has and Berth does not yet: setting it
// is an error, because leaving it out would not do what was asked. The tag
// "known" lists the names that a variable may go on with: other programs set
// names such as REGISTRY_AUTH_FILE and REGISTRY_REDIS_PORT, and mean nothing
// of the kind.
type Later struct{ set bool }

// Data gives the folder that holds the registry, and Berth's own files under
// "berth".
func (c *Config) Data() string { return c.data }
