package dockerbridge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	clicontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"
)

// defaultContext is docker's name for «no context».
const defaultContext = "default"

// pingTimeout bounds how long a socket that is there may take to answer.
const pingTimeout = 10 * time.Second

// Open finds a container engine and makes sure that it answers.
//
// A context name, when given, decides. Without one it looks where docker's
// command line looks: DOCKER_HOST, then the current context, then the default
// socket; and, where nothing answers there, at the sockets of rootless Docker,
// Docker Desktop, Colima, OrbStack, Rancher Desktop and Podman. The caller
// closes the engine. The error is an [*Error]: KindAbsent when nothing
// answers, KindPermission when something would, but not for this user.
func Open(ctx context.Context, contextName string) (Engine, error) {
	return thisMachine().open(ctx, contextName)
}

// Contexts lists the docker contexts, "default" first.
func Contexts() ([]Context, error) {
	f := thisMachine()
	out, err := f.contexts()
	if err != nil {
		return nil, &Error{Kind: KindOther, Err: err}
	}
	return out, nil
}

// finder is what discovery asks of the machine.
type finder struct {
	env       func(string) string
	home      string
	configDir string
	goos      string
}

func thisMachine() finder {
	home, _ := os.UserHomeDir()
	return finder{env: os.Getenv, home: home, configDir: config.Dir(), goos: runtime.GOOS}
}

// endpoint is one place where an engine may answer.
type endpoint struct {
	host    string
	context string
	tls     *tls.Config
}

func (f finder) open(ctx context.Context, name string) (Engine, error) {
	list, err := f.endpoints(name)
	if err != nil {
		return nil, err
	}
	var worst *Error
	for _, ep := range list {
		e, err := dial(ctx, ep)
		if err == nil {
			return e, nil
		}
		problem := asError(err, ep.host)
		if worst == nil || problem.Kind == KindPermission && worst.Kind == KindAbsent {
			worst = problem
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, worst
}

// endpoints lists where to look, best first. What the user chose stands alone:
// falling back to another engine would push to the wrong one unasked.
func (f finder) endpoints(name string) ([]endpoint, error) {
	if name == "" && f.env("DOCKER_HOST") != "" {
		ep := endpoint{host: f.env("DOCKER_HOST")}
		return []endpoint{ep}, f.envTLS(&ep)
	}
	if name == "" {
		name = f.currentContext()
	}
	if name != defaultContext {
		ep, err := f.fromContext(name)
		return []endpoint{ep}, err
	}
	var list []endpoint
	for _, host := range f.wellKnown() {
		list = append(list, endpoint{host: host})
	}
	return list, nil
}

// envTLS reads DOCKER_TLS_VERIFY and DOCKER_CERT_PATH.
func (f finder) envTLS(ep *endpoint) error {
	dir := f.env("DOCKER_CERT_PATH")
	if dir == "" && f.env("DOCKER_TLS_VERIFY") == "" {
		return nil
	}
	if dir == "" {
		dir = f.configDir
	}
	data, err := clicontext.TLSDataFromFiles(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		return &Error{Kind: KindOther, Address: ep.host, Err: fmt.Errorf("read certificates: %w", err)}
	}
	ep.tls, err = tlsConfig(data, f.env("DOCKER_TLS_VERIFY") == "")
	if err != nil {
		return &Error{Kind: KindOther, Address: ep.host, Err: err}
	}
	return nil
}

func (f finder) configFile() *configfile.ConfigFile {
	file, err := config.Load(f.configDir)
	if err != nil || file == nil {
		return configfile.New("")
	}
	return file
}

func (f finder) currentContext() string {
	name := f.env("DOCKER_CONTEXT")
	if name == "" {
		name = f.configFile().CurrentContext
	}
	if name == "" {
		name = defaultContext
	}
	return name
}

func (f finder) store() *store.ContextStore {
	return store.New(filepath.Join(f.configDir, "contexts"), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter("docker", func() any { return &clicontext.EndpointMetaBase{} }),
	))
}

func (f finder) contexts() ([]Context, error) {
	current := f.currentContext()
	first := Context{Name: defaultContext, Address: f.defaultHost(), Current: current == defaultContext}
	if host := f.env("DOCKER_HOST"); host != "" {
		// docker's command line shows DOCKER_HOST as the default context, too.
		first.Address, first.Current, current = host, true, defaultContext
	}
	metas, err := f.store().List()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list docker contexts: %w", err)
	}
	out := []Context{first}
	for _, m := range metas {
		ep, ok := m.Endpoints["docker"].(clicontext.EndpointMetaBase)
		if !ok || m.Name == defaultContext {
			continue
		}
		out = append(out, Context{Name: m.Name, Address: ep.Host, Description: description(m), Current: m.Name == current})
	}
	slices.SortFunc(out[1:], func(a, b Context) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func description(m store.Metadata) string {
	fields, _ := m.Metadata.(map[string]any)
	text, _ := fields["Description"].(string)
	return text
}

func (f finder) fromContext(name string) (endpoint, error) {
	if err := store.ValidateContextName(name); err != nil {
		return endpoint{}, &Error{Kind: KindNotFound, Err: err}
	}
	st := f.store()
	m, err := st.GetMetadata(name)
	if err != nil {
		return endpoint{}, &Error{Kind: KindNotFound, Err: fmt.Errorf("docker context %q: %w", name, err)}
	}
	meta, ok := m.Endpoints["docker"].(clicontext.EndpointMetaBase)
	if !ok {
		return endpoint{}, &Error{Kind: KindOther, Err: fmt.Errorf("docker context %q has no engine", name)}
	}
	ep := endpoint{host: meta.Host, context: name}
	data, err := clicontext.LoadTLSData(st, name, "docker")
	if err == nil && (data != nil || meta.SkipTLSVerify) {
		ep.tls, err = tlsConfig(data, meta.SkipTLSVerify)
	}
	if err != nil {
		return endpoint{}, &Error{Kind: KindOther, Address: ep.host, Err: fmt.Errorf("docker context %q: %w", name, err)}
	}
	return ep, nil
}

func (f finder) defaultHost() string {
	if f.goos == "windows" {
		return "npipe:////./pipe/docker_engine"
	}
	return "unix:///var/run/docker.sock"
}

// wellKnown lists the default socket and those of other engines.
func (f finder) wellKnown() []string {
	list := []string{f.defaultHost()}
	if f.goos == "windows" {
		return append(list, "npipe:////./pipe/dockerDesktopLinuxEngine", "npipe:////./pipe/podman-machine-default")
	}
	add := func(base string, parts ...string) {
		if base != "" {
			list = append(list, "unix://"+filepath.Join(append([]string{base}, parts...)...))
		}
	}
	run := f.env("XDG_RUNTIME_DIR")
	add(run, "docker.sock")
	add(f.home, ".docker", "run", "docker.sock")
	add(f.home, ".docker", "desktop", "docker.sock")
	add(f.home, ".orbstack", "run", "docker.sock")
	add(f.home, ".colima", "default", "docker.sock")
	add(f.home, ".colima", "docker.sock")
	add(f.home, ".rd", "docker.sock")
	add(run, "podman", "podman.sock")
	add(f.home, ".local", "share", "containers", "podman", "machine", "podman.sock")
	if f.goos == "linux" {
		add("/run", "podman", "podman.sock")
	}
	return list
}

// dial makes a client for ep and asks whether anybody answers.
func dial(ctx context.Context, ep endpoint) (*docker, error) {
	options, err := clientOptions(ep)
	if err != nil {
		return nil, err
	}
	api, err := client.NewClientWithOpts(append(options, client.WithAPIVersionNegotiation())...)
	if err != nil {
		return nil, err
	}
	ping, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if _, err := api.Ping(ping); err != nil {
		_ = api.Close()
		if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
			err = &Error{Kind: KindAbsent, Address: ep.host, Err: fmt.Errorf("no answer within %s", pingTimeout)}
		}
		return nil, err
	}
	return newDocker(api, ep), nil
}

func clientOptions(ep endpoint) ([]client.Opt, error) {
	scheme, rest, _ := strings.Cut(ep.host, "://")
	if scheme == "ssh" {
		return sshOptions(ep.host)
	}
	if scheme == "unix" {
		// The client reports a missing socket and a closed one alike; a look
		// at the file gives the cause in the system's own words.
		if _, err := os.Stat(rest); err != nil {
			return nil, err
		}
	}
	if ep.tls == nil || scheme == "unix" || scheme == "npipe" {
		return []client.Opt{client.WithHost(ep.host)}, nil
	}
	transport := &http.Transport{
		TLSClientConfig: ep.tls,
		DialContext:     (&net.Dialer{Timeout: pingTimeout, KeepAlive: 30 * time.Second}).DialContext,
	}
	hc := &http.Client{Transport: transport, CheckRedirect: client.CheckRedirect}
	return []client.Opt{client.WithHTTPClient(hc), client.WithHost(ep.host)}, nil
}
