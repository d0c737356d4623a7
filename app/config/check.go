package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// What http.tls.clientauth may say.
const (
	ClientAuthRequest          = "request-client-cert"
	ClientAuthRequireAny       = "require-any-client-cert"
	ClientAuthVerifyIfGiven    = "verify-client-cert-if-given"
	ClientAuthRequireAndVerify = "require-and-verify-client-cert"
)

// check refuses values that cannot be, each with its key and place.
func (c *Config) check() error {
	var errs []error
	if c.Storage.InMemory != nil && c.Storage.Filesystem != nil {
		errs = append(errs, c.bad("storage", errors.New("it names two storages, filesystem and inmemory")))
	}
	urls := c.Validation.Manifests.URLs
	errs = append(errs,
		c.oneOf("validation.manifests.indexes.platforms", c.Validation.Manifests.Indexes.Platforms, "all", "none", "list"),
		c.patterns("validation.manifests.urls.allow", urls.Allow),
		c.patterns("validation.manifests.urls.deny", urls.Deny),
		c.notNegative(reflect.ValueOf(c).Elem(), nil),
		c.checkLog(), c.checkHTTP(), c.checkTLS(), c.checkHealth(), c.checkBerth())
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) oneOf(key, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return c.bad(key, fmt.Errorf("%q is none of %s", value, strings.Join(allowed, ", ")))
}

func (c *Config) checkLog() error {
	if err := c.oneOf("log.level", c.Log.Level, "error", "warn", "info", "debug"); err != nil {
		return err
	}
	if err := c.oneOf("log.formatter", c.Log.Formatter, "text", "json", "logstash"); err != nil {
		return err
	}
	for i, h := range c.Log.Hooks {
		if h.Disabled {
			continue
		}
		key := fmt.Sprintf("log.hooks.%d", i)
		if err := c.oneOf(key+".type", h.Type, "mail"); err != nil {
			return err
		}
		for _, level := range h.Levels {
			if err := c.oneOf(key+".levels", level, "panic", "fatal", "error", "warning", "warn", "info", "debug", "trace"); err != nil {
				return err
			}
		}
		if _, _, err := net.SplitHostPort(h.MailOptions.SMTP.Addr); err != nil {
			return c.bad(key+".options.smtp.addr", fmt.Errorf("%q is not an address like mail.example.com:25", h.MailOptions.SMTP.Addr))
		}
		if h.MailOptions.From == "" || len(h.MailOptions.To) == 0 {
			return c.bad(key+".options", errors.New("a mail needs from and to"))
		}
		if len(h.Levels) == 0 {
			c.warn("%s (%s) names no levels, so it sends nothing", key, c.Origin(key))
		}
	}
	return nil
}

func (c *Config) checkHTTP() error {
	h := c.HTTP
	if err := c.oneOf("http.net", h.Net, "tcp", "unix"); err != nil {
		return err
	}
	if h.Net == "tcp" {
		if err := c.address("http.addr", h.Addr); err != nil {
			return err
		}
	}
	if h.Prefix != "" && !strings.HasPrefix(h.Prefix, "/") {
		return c.bad("http.prefix", fmt.Errorf("%q does not begin with /", h.Prefix))
	}
	if u, err := url.Parse(h.Host); h.Host != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return c.bad("http.host", fmt.Errorf("%q is not a URL like https://registry.example.com", h.Host))
	}
	if h.Debug.Addr != "" {
		if _, _, err := net.SplitHostPort(h.Debug.Addr); err != nil {
			return c.bad("http.debug.addr", fmt.Errorf("%q is not an address like localhost:5001", h.Debug.Addr))
		}
		if err := c.address("http.debug.addr", h.Debug.Addr); err != nil {
			return err
		}
	}
	return c.checkMetricsPath(h.Debug.Prometheus.Path)
}

// checkMetricsPath leaves the debug server its own paths, and takes none that
// would be a pattern.
func (c *Config) checkMetricsPath(p string) error {
	const key = "http.debug.prometheus.path"
	switch {
	case !strings.HasPrefix(p, "/"):
		return c.bad(key, fmt.Errorf("%q does not begin with /", p))
	case strings.ContainsAny(p, "{}?# \t") || path.Clean(p) != strings.TrimSuffix(p, "/") && p != "/":
		return c.bad(key, fmt.Errorf("%q is no plain path like /metrics", p))
	}
	for _, own := range []string{"/debug/health", "/debug/vars", "/debug/pprof"} {
		if p == own || strings.HasPrefix(p, own+"/") {
			return c.bad(key, fmt.Errorf("%q cannot be: the debug server has something else there", p))
		}
	}
	return nil
}

func (c *Config) checkTLS() error {
	t := c.HTTP.TLS
	switch {
	case t.Certificate != "" && t.LetsEncrypt.CacheFile != "":
		return c.bad("http.tls", errors.New("it has both a certificate and letsencrypt; only one of them can be"))
	case t.Certificate != "" && t.Key == "":
		return c.bad("http.tls.key", errors.New("the certificate has no key"))
	case t.Key != "" && t.Certificate == "":
		return c.bad("http.tls.certificate", errors.New("the key has no certificate"))
	case t.LetsEncrypt.CacheFile == "" && len(t.LetsEncrypt.Hosts) > 0:
		return c.bad("http.tls.letsencrypt.cachefile", errors.New("there must be a folder to keep certificates in"))
	case t.LetsEncrypt.CacheFile != "" && len(t.LetsEncrypt.Hosts) == 0:
		return c.bad("http.tls.letsencrypt.hosts", errors.New("there must be a host name to get a certificate for"))
	case !t.On() && len(t.ClientCAs) > 0:
		return c.bad("http.tls.clientcas", errors.New("clients can show certificates only when the registry has one itself"))
	}
	if err := c.oneOf("http.tls.minimumtls", t.MinimumTLS, "tls1.0", "tls1.1", "tls1.2", "tls1.3"); err != nil {
		return err
	}
	return c.oneOf("http.tls.clientauth", t.ClientAuth, "", ClientAuthRequest, ClientAuthRequireAny, ClientAuthVerifyIfGiven, ClientAuthRequireAndVerify)
}

func (c *Config) checkHealth() error {
	need := func(i int, list, key, value string) error {
		if value != "" {
			return nil
		}
		at := fmt.Sprintf("health.%s.%d", list, i)
		return c.bad(at, fmt.Errorf("it has no %s", key))
	}
	for i, f := range c.Health.FileCheckers {
		if err := need(i, "file", "file", f.File); err != nil {
			return err
		}
	}
	for i, h := range c.Health.HTTPCheckers {
		if err := need(i, "http", "uri", h.URI); err != nil {
			return err
		}
		if u, err := url.Parse(h.URI); err != nil || u.Scheme != "http" && u.Scheme != "https" {
			return c.bad(fmt.Sprintf("health.http.%d.uri", i), fmt.Errorf("%q is not a URL like http://localhost:8080/", h.URI))
		}
	}
	for i, t := range c.Health.TCPCheckers {
		if err := need(i, "tcp", "addr", t.Addr); err != nil {
			return err
		}
		if _, _, err := net.SplitHostPort(t.Addr); err != nil {
			return c.bad(fmt.Sprintf("health.tcp.%d.addr", i), fmt.Errorf("%q is not an address like redis:6379", t.Addr))
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

// notNegative refuses numbers and times below 0: no key means something by one.
func (c *Config) notNegative(v reflect.Value, path []string) error {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return c.notNegative(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := c.notNegative(v.Index(i), append(slices.Clip(path), fmt.Sprint(i))); err != nil {
				return err
			}
		}
	case reflect.Int, reflect.Int64:
		if v.Int() < 0 {
			return c.bad(strings.Join(path, "."), errors.New("it must not be below 0"))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if key := keyOf(field); key != "" {
				if err := c.notNegative(v.Field(i), append(slices.Clip(path), key)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
