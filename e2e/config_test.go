//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// configured starts a registry with a config.yml, and waits until its log says
// that it is ready. DIR stands for a folder of the test.
func configured(t testing.TB, dir, file string, env ...string) *process {
	t.Helper()
	path := filepath.Join(dir, "config.yml")
	writeFile(t, path, strings.ReplaceAll(file, "DIR", dir))
	p, err := start("configured", env, headless(), "serve", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.end)
	waitFor(t, 10*time.Second, "a registry that is ready", func() bool { return strings.Contains(p.tail(), "registry is ready") })
	return p
}

// certificates makes an authority, and a certificate for this machine that
// serves, and one for a client.
func certificates(t testing.TB, dir string) {
	t.Helper()
	at := func(name string) string { return filepath.Join(dir, name) }
	writeFile(t, at("san"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
	key := []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"}
	run := func(args ...string) { t.Helper(); must(t, nil, append([]string{"openssl"}, args...)...) }
	run(append([]string{"req", "-x509", "-subj", "/CN=authority", "-keyout", at("ca.key"), "-out", at("ca.crt")}, key...)...)
	for _, name := range []string{"server", "client"} {
		run(append([]string{"req", "-subj", "/CN=" + name, "-keyout", at(name + ".key"), "-out", at(name + ".csr")}, key...)...)
		run("x509", "-req", "-in", at(name+".csr"), "-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", at("san"), "-out", at(name+".crt"))
	}
	clients := filepath.Join(dir, "clients")
	if err := os.Mkdir(clients, 0o700); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"ca.crt": "ca.crt", "client.crt": "client.cert", "client.key": "client.key"} {
		b, err := os.ReadFile(at(from))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(clients, to), string(b))
	}
}

func TestClientsPushOverTLSWithTheirCertificates(t *testing.T) {
	t.Parallel()
	dir, l, addr := t.TempDir(), newLayout(t), freeAddress(t)
	certificates(t, dir)
	p := configured(t, dir, `version: 0.1
storage: {filesystem: {rootdirectory: DIR/data}}
http:
  addr: `+addr+`
  tls: {certificate: DIR/server.crt, key: DIR/server.key, clientcas: [DIR/ca.crt], minimumtls: tls1.3}
`)
	there, clients := "docker://"+addr+"/team/app:v1", filepath.Join(dir, "clients")
	must(t, nil, "skopeo", "copy", "--dest-cert-dir", clients, "oci:"+l.tag(l.image("amd64", layer(t, 60, 1<<20)), "v1")+":v1", there)
	if raw := must(t, nil, "skopeo", "inspect", "--raw", "--cert-dir", clients, there); !strings.Contains(raw, "layers") {
		t.Errorf("the manifest is %s", raw)
	}
	// One without a certificate gets nowhere.
	if out, errs, err := execute(t.Context(), nil, "curl", "-sS", "--cacert", filepath.Join(dir, "ca.crt"), "https://"+addr+"/v2/"); err == nil {
		t.Errorf("a stranger came in: %s %s", out, errs)
	}
	version := must(t, nil, "curl", "-sS", "-o", "/dev/null", "-w", "%{http_version}", "--cacert", filepath.Join(dir, "ca.crt"),
		"--cert", filepath.Join(dir, "client.crt"), "--key", filepath.Join(dir, "client.key"), "https://"+addr+"/v2/")
	if version != "2" {
		t.Errorf("curl speaks HTTP/%s", version)
	}
	// Plain HTTP there is told what it did.
	if out := must(t, nil, "curl", "-sS", "http://"+addr+"/v2/"); !strings.Contains(out, "HTTPS server") {
		t.Errorf("plain http is told %q", out)
	}
	if log := p.tail(); strings.Contains(log, "level=error") {
		t.Errorf("the log has errors: %s", log)
	}
}

func TestTheRegistryServesASocketWithHTTP2(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	configured(t, dir, "version: 0.1\nstorage: {filesystem: {rootdirectory: DIR/data}}\nhttp: {net: unix, addr: DIR/s, h2c: {enabled: true}}\n")
	out := must(t, nil, "curl", "-sS", "--http2-prior-knowledge", "-w", " %{http_version}", "--unix-socket", filepath.Join(dir, "s"), "http://registry/v2/")
	if out != "{} 2" {
		t.Errorf("it answers %q", out)
	}
}

func TestAStopDoesNotWaitForAClientThatSendsNothing(t *testing.T) {
	t.Parallel()
	b := serve(t)
	location := b.open(t, "team/app")
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "PATCH %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000\r\n\r\nhalf", location, b.addr); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	waitFor(t, 5*time.Second, "an upload that is under way", func() bool {
		var s struct{ Uploads int }
		b.cli(t, &s, "status")
		return s.Uploads > 0
	})
	if err := b.proc.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case <-b.proc.done:
	case <-ctx.Done():
		t.Fatal("it waits for a client that sends nothing")
	}
	if b.proc.err != nil || time.Since(begun) < 3*time.Second {
		t.Errorf("it ended after %v: %v", time.Since(begun), b.proc.err)
	}
}

func TestAHangUpIsAnOrderlyEnd(t *testing.T) {
	t.Parallel()
	b := serve(t)
	if err := b.proc.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	<-b.proc.done
	if b.proc.err != nil {
		t.Errorf("it ended with %v", b.proc.err)
	}
}

func TestMailGoesOutWhenTheRegistryIsTakenOutOfService(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mail := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		mail <- takeMail(c)
	}()
	dir, addr, debug := t.TempDir(), freeAddress(t), freeAddress(t)
	configured(t, dir, `version: 0.1
log:
  hooks:
    - type: mail
      levels: [error]
      options: {smtp: {addr: `+l.Addr().String()+`}, from: berth@a.test, to: [ops@b.test]}
storage: {filesystem: {rootdirectory: DIR/data}}
http: {addr: `+addr+`, debug: {addr: `+debug+`, prometheus: {enabled: true}}}
`, "REGISTRY_PORT=tcp://10.0.0.1:5000")
	answer, err := client.Post("http://"+debug+"/debug/health/down", "", nil)
	if err != nil || answer.Body.Close() != nil {
		t.Fatal(err)
	}
	select {
	case text := <-mail:
		if !strings.Contains(text, "To: ops@b.test") || !strings.Contains(text, "manual_http_status") {
			t.Errorf("the mail is %s", text)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no mail came")
	}
	answer, err = client.Get("http://" + addr + "/v2/")
	if err != nil || answer.StatusCode != http.StatusServiceUnavailable || answer.Body.Close() != nil {
		t.Errorf("out of service it answers %v: %v", answer, err)
	}
}

// takeMail speaks just enough SMTP to take one.
func takeMail(c net.Conn) string {
	_, _ = io.WriteString(c, "220 mail.test\r\n")
	in := bufio.NewScanner(c)
	for in.Scan() {
		switch verb, _, _ := strings.Cut(in.Text(), " "); verb {
		case "DATA":
			_, _ = io.WriteString(c, "354 go on\r\n")
			var b strings.Builder
			for in.Scan() && in.Text() != "." {
				b.WriteString(in.Text() + "\n")
			}
			_, _ = io.WriteString(c, "250 taken\r\n")
			return b.String()
		default:
			_, _ = io.WriteString(c, "250 ok\r\n")
		}
	}
	return ""
}
