//go:build linux

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// peer is one server under measurement.
type peer struct {
	name  string // as -servers names it
	label string // as the table names it
	dir   string // all of its files
	data  string // where its store is
	addr  string
	repos int // in its catalog

	registry bool // speaks the whole API
	paging   bool // tags come in pages
	referrer bool // knows referrers

	command func(p *peer) (args, env []string, err error)
	cmd     *exec.Cmd
	ended   chan struct{}
}

// programs are the paths of what is measured.
type programs struct{ berth, distribution, debian, nginx string }

// peers are all servers there are, in the order of the table.
func (o *options) peers() []*peer {
	all := []*peer{
		{name: "berth", label: "Berth", registry: true, paging: true, referrer: true, command: o.berth},
		{name: "limit", label: "bare net/http", command: o.limit},
		{name: "nginx", label: "nginx", command: o.nginxCommand},
		{name: "v3", label: "distribution v3", registry: true, paging: true, command: o.distribution(o.programs.distribution, "version: 0.1\nhttp:\n  addr: %s\nstorage:\n  delete: {enabled: true}\n  cache: {blobdescriptor: inmemory}\n  maintenance: {uploadpurging: {enabled: false}}\n  filesystem: {rootdirectory: %s}\nlog: {level: error, accesslog: {disabled: true}}\n")},
		{name: "v2", label: "distribution 2.8.2", registry: true, command: o.distribution(o.programs.debian, "version: 0.1\nhttp:\n  addr: %s\nstorage:\n  delete: {enabled: true}\n  cache: {blobdescriptor: inmemory}\n  maintenance: {uploadpurging: {enabled: false}}\n  filesystem: {rootdirectory: %s}\nlog: {level: error, accesslog: {disabled: true}}\n")},
	}
	for _, p := range all {
		p.repos = allRepos
	}
	return all
}

func (o *options) berth(p *peer) (args, env []string, err error) {
	// Access logs are off everywhere.
	return []string{o.programs.berth, "serve", "--addr", p.addr, "--data", p.data}, []string{"REGISTRY_LOG_ACCESSLOG_DISABLED=true"}, nil
}

func (o *options) distribution(program, config string) func(p *peer) (args, env []string, err error) {
	return func(p *peer) (args, env []string, err error) {
		file := filepath.Join(p.dir, "config.yml")
		// Telemetry of v3 asks a collector that is not there.
		return []string{program, "serve", file}, []string{"OTEL_TRACES_EXPORTER=none"},
			os.WriteFile(file, fmt.Appendf(nil, config, p.addr, p.data), 0o644)
	}
}

// nginxConfig is Debian's as far as it concerns files.
const nginxConfig = `%sworker_processes auto;
pid %[2]s/nginx.pid;
error_log %[2]s/error.log;
daemon off;
events { worker_connections 768; }
http {
	sendfile on;
	tcp_nopush on;
	access_log off;
	keepalive_requests 1000000;
	client_body_temp_path %[2]s/tmp;
	proxy_temp_path %[2]s/tmp;
	fastcgi_temp_path %[2]s/tmp;
	uwsgi_temp_path %[2]s/tmp;
	scgi_temp_path %[2]s/tmp;
	server {
		listen %[3]s;
		location / { root %[4]s; }
	}
}
`

func (o *options) nginxCommand(p *peer) (args, env []string, err error) {
	file, user := filepath.Join(p.dir, "nginx.conf"), ""
	if os.Getuid() == 0 {
		user = "user root;\n"
	}
	return []string{o.programs.nginx, "-c", file, "-p", p.dir, "-e", filepath.Join(p.dir, "error.log")}, nil,
		os.WriteFile(file, fmt.Appendf(nil, nginxConfig, user, p.dir, p.addr, p.data), 0o644)
}

// exec starts the process and does not wait for its answer.
func (p *peer) exec() error {
	args, env, err := p.command(p)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	cmd, ended := exec.Command(args[0], args[1:]...), make(chan struct{})
	cmd.Env = append(os.Environ(), env...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := errors.Join(cmd.Start(), log.Close()); err != nil {
		return fmt.Errorf("start %s: %w", p.label, err)
	}
	p.cmd, p.ended = cmd, ended
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	return nil
}

// start starts the process and waits until it answers.
func (p *peer) start() error {
	if err := p.exec(); err != nil {
		return err
	}
	return p.await(request("GET", "/v2/"), time.Minute)
}

// await asks until the answer is 200, or any for what is no registry.
func (p *peer) await(ask []byte, patience time.Duration) error {
	var last error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended: %s", p.label, p.tail())
		default:
		}
		c, err := dial(p.addr)
		if err != nil {
			last = err
			continue
		}
		r, err := c.do(ask, false)
		c.close()
		if err == nil && (r.status == 200 || !p.registry) {
			return nil
		}
		if last = err; err == nil {
			last = fmt.Errorf("status %d", r.status)
		}
	}
	return fmt.Errorf("%s does not answer: %w: %s", p.label, last, p.tail())
}

func (p *peer) tail() string {
	b, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-600):])
}

// stop ends the process, by force when it must.
func (p *peer) stop() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(15 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	p.cmd = nil
}

// settle waits until the process has nothing to do: an index may be filled.
func (p *peer) settle() error {
	for calm, before := 0, -1.0; calm < 3; time.Sleep(200 * time.Millisecond) {
		now, err := p.cpu()
		if err != nil {
			return err
		}
		if calm++; now-before > 0.011 {
			calm = 0
		}
		before = now
	}
	return nil
}

// cpu gives the seconds of processor time of the process and its children.
func (p *peer) cpu() (float64, error) {
	sum := 0.0
	for _, pid := range p.pids() {
		b, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			return 0, fmt.Errorf("%s has ended: %w: %s", p.label, err, p.tail())
		}
		// Fields 14 and 15, counted from the name, which stands in brackets.
		f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		for _, ticks := range f[11:13] {
			n, err := strconv.ParseFloat(ticks, 64)
			if err != nil {
				return 0, err
			}
			sum += n / 100
		}
	}
	return sum, nil
}

func (p *peer) pids() []string {
	pid := strconv.Itoa(p.cmd.Process.Pid)
	b, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	if err != nil {
		return []string{pid}
	}
	return append(strings.Fields(string(b)), pid)
}

// memory reads a line of /proc/<pid>/status in MB.
func (p *peer) memory(line string) (float64, error) {
	sum := 0.0
	for _, pid := range p.pids() {
		b, err := os.ReadFile("/proc/" + pid + "/status")
		if err != nil {
			return 0, fmt.Errorf("%s has ended: %w: %s", p.label, err, p.tail())
		}
		for l := range strings.Lines(string(b)) {
			if f := strings.Fields(l); len(f) == 3 && f[0] == line+":" {
				kb, err := strconv.ParseFloat(f[1], 64)
				if err != nil {
					return 0, err
				}
				sum += kb * 1024 / 1e6
			}
		}
	}
	return sum, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
