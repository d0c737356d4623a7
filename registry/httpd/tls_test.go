package httpd_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry/httpd"
)

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(24 * time.Hour * 36500),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue gives a certificate and its key as PEM.
func (a *authority) issue(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	k := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost", name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: a.cert.NotAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &k.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes})
}

func put(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// dialled is the name of the certificate that a handshake shows.
func dialled(t *testing.T, server, client *tls.Config) (string, error) {
	t.Helper()
	a, b := net.Pipe()
	return shake(a, b, server, client)
}

// connected is two ends of a connection that has room, so that both may write
// at once.
func connected(t *testing.T) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func shake(a, b net.Conn, server, client *tls.Config) (string, error) {
	defer a.Close()
	defer b.Close()
	failed := make(chan error, 1)
	s := tls.Server(b, server)
	go func() { failed <- s.Handshake() }()
	c := tls.Client(a, client)
	err := c.Handshake()
	if err == nil {
		err = <-failed
	}
	if err != nil {
		return "", err
	}
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

func TestAChangedCertificateIsTakenWithoutARestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ca, dir := newAuthority(t), t.TempDir()
		cert, key := ca.issue(t, "first")
		o := httpd.TLSOptions{Certificate: put(t, dir, "c.pem", cert), Key: put(t, dir, "k.pem", key)}
		var log bytes.Buffer
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		server, err := httpd.OpenTLS(o)
		if err != nil {
			t.Fatal(err)
		}
		client := &tls.Config{InsecureSkipVerify: true}
		shown := func(want string) {
			t.Helper()
			time.Sleep(2 * time.Second)
			if name, err := dialled(t, server, client); err != nil || name != want {
				t.Errorf("shown is %q, %v; want %q", name, err, want)
			}
		}
		shown("first")
		cert, key = ca.issue(t, "second, which is longer")
		put(t, dir, "c.pem", cert)
		shown("first") // the key does not fit yet
		put(t, dir, "k.pem", key)
		shown("second, which is longer")
		put(t, dir, "c.pem", []byte("nothing"))
		shown("second, which is longer")
		if n := strings.Count(log.String(), "the old one stays"); n != 2 {
			t.Errorf("%d lines about what cannot be used:\n%s", n, log.String())
		}
	})
}

func TestClientsShowCertificatesAsConfigured(t *testing.T) {
	t.Parallel()
	ca, other, dir := newAuthority(t), newAuthority(t), t.TempDir()
	pair := func(a *authority) []tls.Certificate {
		if a == nil {
			return nil
		}
		cert, key := a.issue(t, "client")
		p, err := tls.X509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{p}
	}
	cert, key := ca.issue(t, "server")
	o := httpd.TLSOptions{Certificate: put(t, dir, "c.pem", cert), Key: put(t, dir, "k.pem", key), ClientCAs: []string{put(t, dir, "ca.pem", ca.pem)}}
	for mode, want := range map[string][3]bool{ // none, ours, another's
		"":                               {false, true, false},
		"require-and-verify-client-cert": {false, true, false},
		"verify-client-cert-if-given":    {true, true, false},
		"require-any-client-cert":        {false, true, true},
		"request-client-cert":            {true, true, true},
	} {
		o.ClientAuth = mode
		server, err := httpd.OpenTLS(o)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range []*authority{nil, ca, other} {
			certs := pair(a)
			client := &tls.Config{InsecureSkipVerify: true, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if len(certs) == 0 {
					return &tls.Certificate{}, nil
				}
				return &certs[0], nil
			}, MaxVersion: tls.VersionTLS12}
			here, there := connected(t)
			if _, err := shake(here, there, server, client); (err == nil) != want[i] {
				t.Errorf("%q with client %d: %v", mode, i, err)
			}
		}
	}
}

func TestWhatCannotBeServedNamesItsPart(t *testing.T) {
	t.Parallel()
	ca, dir := newAuthority(t), t.TempDir()
	cert, key := ca.issue(t, "server")
	good := httpd.TLSOptions{Certificate: put(t, dir, "c.pem", cert), Key: put(t, dir, "k.pem", key)}
	for part, spoil := range map[string]func(o *httpd.TLSOptions){
		"certificate":           func(o *httpd.TLSOptions) { o.Certificate = filepath.Join(dir, "none") },
		"minimumtls":            func(o *httpd.TLSOptions) { o.MinimumTLS = "ssl3" },
		"ciphersuites":          func(o *httpd.TLSOptions) { o.CipherSuites = []string{"ROT13"} },
		"clientcas":             func(o *httpd.TLSOptions) { o.ClientCAs = []string{good.Key} },
		"clientauth":            func(o *httpd.TLSOptions) { o.ClientCAs, o.ClientAuth = []string{good.Certificate}, "x" },
		"letsencrypt.cachefile": func(o *httpd.TLSOptions) { o.ACME = &httpd.ACME{Folder: good.Key, Hosts: []string{"h"}} },
	} {
		o := good
		spoil(&o)
		_, err := httpd.OpenTLS(o)
		if e, ok := errors.AsType[*httpd.TLSError](err); !ok || e.Part != part {
			t.Errorf("%s: %v", part, err)
		}
	}
}

func TestVersionsAndSuitesAreBounded(t *testing.T) {
	t.Parallel()
	ca, dir := newAuthority(t), t.TempDir()
	cert, key := ca.issue(t, "server")
	o := httpd.TLSOptions{
		Certificate: put(t, dir, "c.pem", cert), Key: put(t, dir, "k.pem", key), MinimumTLS: "tls1.2",
		CipherSuites: []string{"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
	}
	server, err := httpd.OpenTLS(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dialled(t, server, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("tls1.1 is taken")
	}
	if _, err := dialled(t, server, &tls.Config{
		InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
	}); err == nil {
		t.Error("another suite is taken")
	}
	if _, err := dialled(t, server, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}); err != nil {
		t.Error(err)
	}
}

// TestACertificateOfACMEComesFromItsFolder has one there already, as after a
// restart: no authority is asked.
func TestACertificateOfACMEComesFromItsFolder(t *testing.T) {
	t.Parallel()
	ca, dir := newAuthority(t), t.TempDir()
	cert, key := ca.issue(t, "registry.test")
	put(t, dir, "registry.test", append(key, cert...))
	var log bytes.Buffer
	server, err := httpd.OpenTLS(httpd.TLSOptions{
		ACME: &httpd.ACME{Folder: dir, Hosts: []string{"registry.test"}, Email: "a@b.test", DirectoryURL: "http://127.0.0.1:1/"},
		Log:  slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if name, err := dialled(t, server, &tls.Config{ServerName: "registry.test", InsecureSkipVerify: true}); err != nil || name != "registry.test" {
		t.Errorf("shown is %q: %v", name, err)
	}
	if _, err := dialled(t, server, &tls.Config{ServerName: "other.test", InsecureSkipVerify: true}); err == nil {
		t.Error("another host has a certificate")
	}
	if !strings.Contains(log.String(), "other.test") {
		t.Errorf("nobody hears of it: %s", log.String())
	}
}

// TestHTTP2IsSpokenAsConfigured asks one server of each kind over the wire.
func TestHTTP2IsSpokenAsConfigured(t *testing.T) {
	t.Parallel()
	ca, dir := newAuthority(t), t.TempDir()
	cert, key := ca.issue(t, "server")
	certFile, keyFile := put(t, dir, "c.pem", cert), put(t, dir, "k.pem", key)
	for _, tc := range []struct {
		tls, off, h2c bool
		client        func(p *http.Protocols)
		want          int
	}{
		{true, false, false, func(p *http.Protocols) { p.SetHTTP2(true); p.SetHTTP1(true) }, 2},
		{true, true, false, func(p *http.Protocols) { p.SetHTTP2(true); p.SetHTTP1(true) }, 1},
		{false, false, true, func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }, 2},
		{false, false, true, func(p *http.Protocols) { p.SetHTTP1(true) }, 1},
		{false, false, false, func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }, 0},
	} {
		o := httpd.Options{NoHTTP2: tc.off, H2C: tc.h2c}
		scheme := "http"
		if tc.tls {
			var err error
			if o.TLS, err = httpd.OpenTLS(httpd.TLSOptions{Certificate: certFile, Key: keyFile, NoHTTP2: tc.off}); err != nil {
				t.Fatal(err)
			}
			scheme = "https"
		}
		ls, err := httpd.Listen(t.Context(), "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := httpd.New(http.NotFoundHandler(), o)
		served := make(chan error, 1)
		go func() { served <- s.Serve(ls...) }()
		var p http.Protocols
		tc.client(&p)
		client := &http.Client{Transport: &http.Transport{Protocols: &p, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}, Timeout: 5 * time.Second}
		got := 0
		if r, err := client.Get(fmt.Sprintf("%s://%s/", scheme, ls[0].Addr())); err == nil {
			got = r.ProtoMajor
			_ = r.Body.Close()
		}
		if got != tc.want {
			t.Errorf("%+v: HTTP/%d, want %d", tc, got, tc.want)
		}
		client.CloseIdleConnections()
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		<-served
	}
}
