package httpd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// TLSOptions say how HTTPS is served. Either Certificate and Key are set, or
// ACME.
type TLSOptions struct {
	// Certificate and Key are PEM files.
	Certificate, Key string
	// ACME gets certificates by itself; nil does not.
	ACME *ACME
	// ClientCAs are PEM files of who may vouch for clients; ClientAuth is what
	// is asked of clients then, in distribution's words, and
	// require-and-verify-client-cert when it is empty.
	ClientCAs  []string
	ClientAuth string
	// MinimumTLS is tls1.0 to tls1.3; empty means tls1.2.
	MinimumTLS string
	// CipherSuites by their names in Go; empty means those that are secure.
	CipherSuites []string
	// NoHTTP2 offers clients HTTP/1.1 only.
	NoHTTP2 bool
	// Log hears of certificates that were changed; nil means nobody.
	Log *slog.Logger
}

// ACME says where certificates come from and for which hosts.
type ACME struct {
	// Folder keeps them.
	Folder       string
	Email        string
	Hosts        []string
	DirectoryURL string // empty: Let's Encrypt
}

// TLSError is a part of [TLSOptions] that does not do. Part is the key below
// "tls" in config.yml, as "certificate".
type TLSError struct {
	Part string
	Err  error
}

// Error names the part.
func (e *TLSError) Error() string { return "tls " + e.Part + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *TLSError) Unwrap() error { return e.Err }

var versions = map[string]uint16{
	"": tls.VersionTLS12, "tls1.0": tls.VersionTLS10, "tls1.1": tls.VersionTLS11, "tls1.2": tls.VersionTLS12, "tls1.3": tls.VersionTLS13,
}

var clientAuths = map[string]tls.ClientAuthType{
	"": tls.RequireAndVerifyClientCert, "require-and-verify-client-cert": tls.RequireAndVerifyClientCert,
	"request-client-cert": tls.RequestClientCert, "require-any-client-cert": tls.RequireAnyClientCert,
	"verify-client-cert-if-given": tls.VerifyClientCertIfGiven,
}

// OpenTLS reads the files and gives a configuration that follows them: a
// changed certificate, or authority of clients, is in effect for the next
// connection. What cannot be read then is logged, and the old one stays.
//
// Errors: [*TLSError].
func OpenTLS(o TLSOptions) (*tls.Config, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	version, ok := versions[o.MinimumTLS]
	if !ok {
		return nil, &TLSError{"minimumtls", fmt.Errorf("%q is none of tls1.0, tls1.1, tls1.2, tls1.3", o.MinimumTLS)}
	}
	suites, err := cipherSuites(o.CipherSuites)
	if err != nil {
		return nil, &TLSError{"ciphersuites", err}
	}
	c := &tls.Config{MinVersion: version, CipherSuites: suites, NextProtos: []string{"h2", "http/1.1"}}
	if o.NoHTTP2 {
		c.NextProtos = []string{"http/1.1"}
	}
	if err := certificates(c, o); err != nil {
		return nil, err
	}
	if len(o.ClientCAs) == 0 {
		return c, nil
	}
	if c.ClientAuth, ok = clientAuths[o.ClientAuth]; !ok {
		return nil, &TLSError{"clientauth", fmt.Errorf("%q is not known", o.ClientAuth)}
	}
	return c, followClientCAs(c, o)
}

// certificates gives c where certificates come from.
func certificates(c *tls.Config, o TLSOptions) error {
	if o.ACME != nil {
		if info, err := os.Stat(o.ACME.Folder); err == nil && !info.IsDir() {
			return &TLSError{"letsencrypt.cachefile", fmt.Errorf("%s is a file of an older distribution; name a folder", o.ACME.Folder)}
		}
		m := &autocert.Manager{
			Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(o.ACME.Folder),
			HostPolicy: autocert.HostWhitelist(o.ACME.Hosts...), Email: o.ACME.Email,
		}
		if o.ACME.DirectoryURL != "" {
			m.Client = &acme.Client{DirectoryURL: o.ACME.DirectoryURL}
		}
		c.NextProtos = append(c.NextProtos, acme.ALPNProto)
		c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			cert, err := m.GetCertificate(hello)
			if err != nil {
				o.Log.Warn("no certificate for a client", slog.String("host", clip(hello.ServerName)), slog.Any("err", err))
			}
			return cert, err
		}
		return nil
	}
	pair := &followed[*tls.Certificate]{
		files: []string{o.Certificate, o.Key}, log: o.Log,
		load: func() (*tls.Certificate, error) {
			cert, err := tls.LoadX509KeyPair(o.Certificate, o.Key)
			return &cert, err
		},
	}
	if err := pair.open(); err != nil {
		return &TLSError{"certificate", err}
	}
	if left := time.Until(pair.value.Leaf.NotAfter); left < 0 {
		o.Log.Warn("the certificate has expired", slog.String("file", o.Certificate), slog.Time("not_after", pair.value.Leaf.NotAfter))
	}
	c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.get(), nil }
	return nil
}

// followClientCAs makes c take the authorities of o.
func followClientCAs(c *tls.Config, o TLSOptions) error {
	base := c.Clone()
	cas := &followed[*tls.Config]{
		files: o.ClientCAs, log: o.Log,
		load: func() (*tls.Config, error) {
			fresh := base.Clone()
			fresh.ClientCAs = x509.NewCertPool()
			for _, file := range o.ClientCAs {
				pem, err := os.ReadFile(file)
				if err != nil {
					return nil, err
				}
				if !fresh.ClientCAs.AppendCertsFromPEM(pem) {
					return nil, fmt.Errorf("%s has no certificate", file)
				}
			}
			return fresh, nil
		},
	}
	if err := cas.open(); err != nil {
		return &TLSError{"clientcas", err}
	}
	c.ClientCAs = cas.value.ClientCAs
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return cas.get(), nil }
	return nil
}

// cipherSuites are distribution's: for names, also the weak ones; without, what
// is secure and keeps earlier sessions secret.
func cipherSuites(names []string) ([]uint16, error) {
	if len(names) == 0 {
		return nil, nil // Go's own choice, in Go's own order
	}
	all := append(tls.CipherSuites(), tls.InsecureCipherSuites()...)
	var out []uint16
	for _, name := range names {
		i := slices.IndexFunc(all, func(s *tls.CipherSuite) bool { return s.Name == name })
		if i < 0 {
			known := make([]string, 0, len(all))
			for _, s := range tls.CipherSuites() {
				known = append(known, s.Name)
			}
			return nil, fmt.Errorf("there is no %q; there are %s", name, strings.Join(known, ", "))
		}
		out = append(out, all[i].ID)
	}
	return out, nil
}

// followPace is how often files are looked at, at most: at a connection.
const followPace = time.Second

// followed is what files hold, read again when they have changed.
type followed[T any] struct {
	files []string
	load  func() (T, error)
	log   *slog.Logger

	mu     sync.Mutex // guards what follows
	value  T
	looked time.Time
	state  string
}

func (f *followed[T]) open() (err error) {
	f.state, f.looked = f.stat(), time.Now()
	f.value, err = f.load()
	return err
}

// stat tells versions of the files apart.
func (f *followed[T]) stat() string {
	var b strings.Builder
	for _, file := range f.files {
		info, err := os.Stat(file)
		if err != nil {
			fmt.Fprintf(&b, "%s;", errors.Unwrap(err))
			continue
		}
		fmt.Fprintf(&b, "%d %d;", info.ModTime().UnixNano(), info.Size())
	}
	return b.String()
}

func (f *followed[T]) get() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.looked) < followPace {
		return f.value
	}
	f.looked = time.Now()
	state := f.stat()
	if state == f.state {
		return f.value
	}
	f.state = state
	fresh, err := f.load()
	if err != nil {
		f.log.LogAttrs(context.Background(), slog.LevelError, "changed certificate cannot be used, the old one stays", slog.Any("files", f.files), slog.Any("err", err))
		return f.value
	}
	f.value = fresh
	f.log.LogAttrs(context.Background(), slog.LevelInfo, "changed certificate is in use", slog.Any("files", f.files))
	return f.value
}
