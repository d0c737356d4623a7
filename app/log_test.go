package app_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"berth/app"
	"berth/app/config"
)

func configured(t *testing.T, file string, env ...string) *config.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, env, config.Flags{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const inMemory = "version: 0.1\nstorage: inmemory\n"

func TestTheLogHasTheFormThatIsAskedFor(t *testing.T) {
	t.Parallel()
	for form, keys := range map[string][]string{
		"json":     {"time", "level", "msg", "func", "file", "service"},
		"logstash": {"@timestamp", "@version", "level", "message", "function", "file", "service"},
	} {
		var out bytes.Buffer
		log, end := app.OpenLog(&out, configured(t, inMemory+"log: {level: warn, formatter: "+form+", reportcaller: true, fields: {service: registry}}\n"))
		log.Info("too low")
		log.Warn("just right", "n", 1)
		if err := end(); err != nil {
			t.Error(err)
		}
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v: %s", form, err, out.String())
		}
		for _, key := range keys {
			if line[key] == nil {
				t.Errorf("%s has no %s: %s", form, key, out.String())
			}
		}
		if line["level"] != "warning" || line["n"] != 1.0 || !strings.Contains(line["file"].(string), "log_test.go:") {
			t.Errorf("%s: %s", form, out.String())
		}
	}
	var out bytes.Buffer
	log, end := app.OpenLog(&out, configured(t, inMemory, "REGISTRY_LOG_LEVEL=error"))
	defer end()
	log.Warn("too low")
	log.Error("it broke", "error", "a b")
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, ` level=error msg="it broke" error="a b"`) {
		t.Errorf("text: %s", got)
	}
}

// post is a mail server that takes everything.
type post struct {
	l    net.Listener
	auth string // what EHLO offers beside

	mu    sync.Mutex // guards what follows
	mails []string
	login string
	from  string
	to    []string
}

func openPost(t *testing.T, auth string) *post {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{l: l, auth: auth}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.serve(c)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
	return p
}

func (p *post) serve(c net.Conn) {
	defer c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	say := func(line string) { _, _ = c.Write([]byte(line + "\r\n")) }
	say("220 post.test ESMTP")
	in := bufio.NewScanner(c)
	for in.Scan() {
		verb, rest, _ := strings.Cut(in.Text(), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			if p.auth != "" {
				say("250-post.test")
				say("250 AUTH " + p.auth)
				continue
			}
			say("250 post.test")
		case "AUTH":
			b, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			p.login = strings.ReplaceAll(string(b), "\x00", "|")
			say("235 welcome")
		case "MAIL":
			p.from = rest
			say("250 ok")
		case "RCPT":
			p.to = append(p.to, rest)
			say("250 ok")
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for in.Scan() && in.Text() != "." {
				b.WriteString(in.Text() + "\n")
			}
			p.mails = append(p.mails, b.String())
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 what")
		}
	}
}

func TestAnErrorIsMailed(t *testing.T) {
	t.Parallel()
	p := openPost(t, "PLAIN")
	var out bytes.Buffer
	log, end := app.OpenLog(&out, configured(t, inMemory+"log:\n  fields: {service: registry}\n  hooks:\n    - type: mail\n      levels: [panic, error]\n"+
		"      options: {smtp: {addr: '"+p.l.Addr().String()+"', username: me, password: pw, insecure: true}, from: a@b.test, to: [c@d.test, e@f.test]}\n"))
	log.Info("nothing to mail")
	log.WithGroup("disk").Error("the disk broke — again", "path", "/x\r\n.\r\nQUIT")
	if err := end(); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.mails) != 1 || p.login != "|me|pw" || !strings.HasPrefix(p.from, "FROM:<a@b.test>") || len(p.to) != 2 || p.to[1] != "TO:<e@f.test>" {
		t.Fatalf("got %d mails from %q to %q as %q; log %s", len(p.mails), p.from, p.to, p.login, out.String())
	}
	for _, want := range []string{"From: a@b.test\n", "To: c@d.test, e@f.test\n", "Subject: =?utf-8?q?[error]_127.0.0.1:_the_disk_broke", "\n\nthe disk broke — again\n", "service: registry\n", "disk.path: /x"} {
		if !strings.Contains(p.mails[0], want) {
			t.Errorf("%q is missing in\n%s", want, p.mails[0])
		}
	}
	if strings.Count(out.String(), "\n") != 2 {
		t.Errorf("the log has\n%s", out.String())
	}
}

func TestMailThatCannotBeSentIsLoggedOnce(t *testing.T) {
	t.Parallel()
	p := openPost(t, "")
	var out bytes.Buffer
	log, end := app.OpenLog(&out, configured(t, inMemory+"log: {hooks: [{type: mail, levels: [error], options: {smtp: {addr: '"+
		p.l.Addr().String()+"', username: me}, from: a@b.test, to: [c@d.test]}}]}\n"))
	log.Error("it broke")
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "mail was not sent") || !strings.Contains(got, "lets nobody sign in") {
		t.Errorf("the log has\n%s", got)
	}
}

// silted is where nobody takes anything until it is freed.
type silted struct {
	free chan struct{}
	logged
}

func (s *silted) Write(p []byte) (int, error) {
	<-s.free
	return s.logged.Write(p)
}

func TestALogThatNobodyReadsStopsNobody(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"text", "json"} {
		synctest.Test(t, func(t *testing.T) {
			out := silted{free: make(chan struct{})}
			log, end := app.OpenLog(&out, configured(t, inMemory+"log: {formatter: "+form+"}\n"))
			began := time.Now()
			for range 3 {
				log.Info("something")
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%s: three lines took %v", form, took)
			}
			close(out.free)
			synctest.Wait()
			log.Info("all is well")
			if err := end(); err != nil {
				t.Error(err)
			}
			said := out.String()
			if strings.Count(said, "something") != 1 || strings.Count(said, "\n") != 3 || !strings.Contains(said, "all is well") ||
				!strings.Contains(said, "lines=2") && !strings.Contains(said, `"lines":2`) {
				t.Errorf("%s: said\n%s", form, said)
			}
		})
	}
}
