package config

import "time"

// HTTP says how the registry is served.
type HTTP struct {
	// Addr is host:port, or the path of a socket if Net is unix.
	Addr string `yaml:"addr"`
	// Net is tcp or unix.
	Net string `yaml:"net"`
	// Host is the URL that clients see, for what is behind a proxy.
	Host         string `yaml:"host"`
	Prefix       string `yaml:"prefix"`
	Secret       string `yaml:"secret"`
	RelativeURLs bool   `yaml:"relativeurls"`
	// DrainTimeout is how long the end waits for what is under way; 0 is the
	// default.
	DrainTimeout time.Duration `yaml:"draintimeout"`
	TLS          TLS           `yaml:"tls"`
	Headers      Headers       `yaml:"headers"`
	Debug        Debug         `yaml:"debug"`
	HTTP2        struct {
		Disabled bool `yaml:"disabled"`
	} `yaml:"http2"`
	// H2C is HTTP/2 without TLS.
	H2C struct {
		Enabled bool `yaml:"enabled"`
	} `yaml:"h2c"`
}

// Headers are added to every answer.
type Headers map[string][]string

// TLS says how the registry is served over TLS; with neither Certificate nor
// LetsEncrypt.CacheFile it is not.
type TLS struct {
	// Certificate and Key are PEM files.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	// ClientCAs are PEM files of who may vouch for clients.
	ClientCAs []string `yaml:"clientcas"`
	// ClientAuth is what is asked of clients when there are ClientCAs.
	ClientAuth string `yaml:"clientauth"`
	// MinimumTLS is tls1.0 to tls1.3.
	MinimumTLS   string      `yaml:"minimumtls"`
	CipherSuites []string    `yaml:"ciphersuites"`
	LetsEncrypt  LetsEncrypt `yaml:"letsencrypt"`
}

// On says whether TLS is spoken.
func (t TLS) On() bool { return t.Certificate != "" || t.LetsEncrypt.CacheFile != "" }

// LetsEncrypt gets certificates by ACME.
type LetsEncrypt struct {
	// CacheFile is the folder that keeps them.
	CacheFile string   `yaml:"cachefile"`
	Email     string   `yaml:"email"`
	Hosts     []string `yaml:"hosts"`
	// DirectoryURL is another authority than Let's Encrypt.
	DirectoryURL string `yaml:"directoryurl"`
}

// Debug is a second server, for operators.
type Debug struct {
	Addr       string `yaml:"addr"`
	Prometheus struct {
		Enabled bool   `yaml:"enabled"`
		Path    string `yaml:"path"`
	} `yaml:"prometheus"`
}

// Health says what is watched.
type Health struct {
	StorageDriver struct {
		Enabled  bool          `yaml:"enabled"`
		Interval time.Duration `yaml:"interval"`
		// Threshold is how many failures in a row count as one.
		Threshold int `yaml:"threshold"`
	} `yaml:"storagedriver"`
	FileCheckers []FileChecker `yaml:"file"`
	HTTPCheckers []HTTPChecker `yaml:"http"`
	TCPCheckers  []TCPChecker  `yaml:"tcp"`
}

// FileChecker fails while a file is there.
type FileChecker struct {
	Interval  time.Duration `yaml:"interval"`
	File      string        `yaml:"file"`
	Threshold int           `yaml:"threshold"`
}

// HTTPChecker fails while a URL does not answer as it should.
type HTTPChecker struct {
	Timeout    time.Duration `yaml:"timeout"`
	StatusCode int           `yaml:"statuscode"`
	Interval   time.Duration `yaml:"interval"`
	URI        string        `yaml:"uri"`
	Headers    Headers       `yaml:"headers"`
	Threshold  int           `yaml:"threshold"`
}

// TCPChecker fails while an address cannot be reached.
type TCPChecker struct {
	Timeout   time.Duration `yaml:"timeout"`
	Interval  time.Duration `yaml:"interval"`
	Addr      string        `yaml:"addr"`
	Threshold int           `yaml:"threshold"`
}
