package config

import "time"

// Config is the whole configuration.
type Config struct {
	Version string `yaml:"version"`
	Log     Log    `yaml:"log"`
	// Loglevel is the old place of Log.Level.
	Loglevel      string     `yaml:"loglevel"`
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

	data     string
	dataFrom Origin
	origins  origins
}

// Log says what is logged and how.
type Log struct {
	AccessLog struct {
		Disabled bool `yaml:"disabled"`
	} `yaml:"accesslog"`
	// Level is error, warn, info or debug.
	Level string `yaml:"level"`
	// Formatter is text, json or logstash.
	Formatter string `yaml:"formatter"`
	// Fields are added to every line.
	Fields       map[string]any `yaml:"fields"`
	Hooks        Inert          `yaml:"hooks"`
	ReportCaller Inert          `yaml:"reportcaller"`
}

// Storage says where bytes go: exactly one of Filesystem and InMemory is set.
type Storage struct {
	Filesystem  *Filesystem `yaml:"filesystem"`
	InMemory    *InMemory   `yaml:"inmemory"`
	S3          Later       `yaml:"s3"`
	Azure       Later       `yaml:"azure"`
	GCS         Later       `yaml:"gcs"`
	Delete      Delete      `yaml:"delete"`
	Maintenance Maintenance `yaml:"maintenance"`
	Cache       Inert       `yaml:"cache"`
	Redirect    Inert       `yaml:"redirect"`
	Tag         Inert       `yaml:"tag"`
}

// Filesystem keeps bytes in a folder.
type Filesystem struct {
	RootDirectory string `yaml:"rootdirectory"`
	// MaxThreads is how many file operations run at once.
	MaxThreads int `yaml:"maxthreads"`
}

// InMemory keeps bytes until the process ends.
type InMemory struct{}

// Delete says whether clients may delete.
type Delete struct {
	Enabled bool `yaml:"enabled"`
}

// Maintenance is upkeep that runs by itself, and the read-only mode.
type Maintenance struct {
	UploadPurging UploadPurging `yaml:"uploadpurging"`
	ReadOnly      struct {
		Enabled bool `yaml:"enabled"`
	} `yaml:"readonly"`
}

// UploadPurging removes uploads that nobody finished.
type UploadPurging struct {
	Enabled  bool          `yaml:"enabled"`
	Age      time.Duration `yaml:"age"`
	Interval time.Duration `yaml:"interval"`
	DryRun   bool          `yaml:"dryrun"`
}

// HTTP says how the registry is served.
type HTTP struct {
	Addr string `yaml:"addr"`
	// Net is tcp.
	Net string `yaml:"net"`
	// Host is the URL that clients see, for what is behind a proxy.
	Host         string        `yaml:"host"`
	Prefix       string        `yaml:"prefix"`
	Secret       string        `yaml:"secret"`
	RelativeURLs bool          `yaml:"relativeurls"`
	DrainTimeout time.Duration `yaml:"draintimeout"`
	TLS          Later         `yaml:"tls" known:"certificate,key,clientcas,clientauth,minimumtls,ciphersuites,letsencrypt"`
	Headers      Headers       `yaml:"headers"`
	Debug        Inert         `yaml:"debug"`
	HTTP2        Inert         `yaml:"http2"`
	H2C          Inert         `yaml:"h2c"`
}

// Headers are added to every answer.
type Headers map[string][]string

// Health says what is watched.
type Health struct {
	StorageDriver struct {
		Enabled   bool          `yaml:"enabled"`
		Interval  time.Duration `yaml:"interval"`
		Threshold int           `yaml:"threshold"`
	} `yaml:"storagedriver"`
	FileCheckers Later `yaml:"file"`
	HTTPCheckers Later `yaml:"http"`
	TCPCheckers  Later `yaml:"tcp"`
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
	Trash Trash `yaml:"trash"`
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

// Inert is a section whose absence nobody notices here: setting it gives a
// warning.
type Inert struct{ set bool }

// Data gives the folder that holds the registry, and Berth's own files under
// "berth".
func (c *Config) Data() string { return c.data }
