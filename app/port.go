package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// holder is who has a port.
type holder struct {
	// kind is airplay, berth, container, registry, process or unknown.
	kind string
	// name of the container or the process.
	name  string
	image string
	pid   int
}

// prober finds out who has a port. Its fields are for tests.
type prober struct {
	client  *http.Client
	process func(ctx context.Context, port int) (pid int, name string, ok bool)
	run     func(ctx context.Context, name string, args ...string) (string, error)
}

// probeTime bounds each question: a start must not wait for a deaf neighbour.
const probeTime = time.Second

func newProber() *prober {
	return &prober{
		client: &http.Client{
			Timeout:       probeTime,
			Transport:     &http.Transport{DisableKeepAlives: true, Proxy: nil},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		process: portProcess,
		run: func(ctx context.Context, name string, args ...string) (string, error) {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			out, err := exec.CommandContext(ctx, name, args...).Output()
			return string(out), err
		},
	}
}

// find asks the port itself, then the engine's command line, then the system.
func (p *prober) find(ctx context.Context, port int) holder {
	kind := p.ask(ctx, port)
	if kind == "airplay" {
		return holder{kind: kind}
	}
	if h, ok := p.container(ctx, port); ok {
		return h
	}
	if pid, name, ok := p.process(ctx, port); ok {
		switch {
		case strings.HasPrefix(name, "ControlCe"):
			return holder{kind: "airplay"}
		case name == "berth" || name == "berth.exe":
			return holder{kind: "berth", name: name, pid: pid}
		}
		return holder{kind: "process", name: name, pid: pid}
	}
	return holder{kind: kind}
}

// ask says airplay, registry or unknown by what the port answers.
func (p *prober) ask(ctx context.Context, port int) string {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/v2/", port), nil)
	if err != nil {
		return "unknown"
	}
	response, err := p.client.Do(r)
	if err != nil {
		return "unknown"
	}
	_ = response.Body.Close()
	switch {
	case strings.HasPrefix(response.Header.Get("Server"), "AirTunes"),
		response.StatusCode == http.StatusForbidden && runtime.GOOS == "darwin" && response.Header.Get("Docker-Distribution-Api-Version") == "":
		return "airplay"
	case response.Header.Get("Docker-Distribution-Api-Version") != "":
		return "registry"
	}
	return "unknown"
}

// container asks the command lines of engines, because the programs that hold
// a container's port, docker-proxy and rootlessport, do not know its name.
func (p *prober) container(ctx context.Context, port int) (holder, bool) {
	for _, engine := range []string{"docker", "podman"} {
		out, err := p.run(ctx, engine, "ps", "--filter", "publish="+strconv.Itoa(port), "--format", `{"name":{{json .Names}},"image":{{json .Image}}}`)
		if err != nil {
			continue
		}
		line, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
		var found struct {
			Name  any    `json:"name"` // podman: a list
			Image string `json:"image"`
		}
		if json.Unmarshal([]byte(line), &found) != nil {
			continue
		}
		name, ok := found.Name.(string)
		if list, isList := found.Name.([]any); isList && len(list) > 0 {
			name, ok = list[0].(string)
		}
		if ok && name != "" {
			return holder{kind: "container", name: name, image: found.Image}, true
		}
	}
	return holder{}, false
}

// portTaken is the problem of an address that somebody else has. With now set,
// Berth went to that address instead.
func portTaken(addr string, h holder, now string) *Problem {
	port := strconv.Itoa(portOf(addr))
	p := &Problem{Code: "port_taken", Severity: severityError, Exit: exitConflict}
	var who string
	switch h.kind {
	case "airplay":
		who = "AirPlay Receiver of macOS"
		p.Fix = "To give the port back to Berth, switch off AirPlay Receiver in System Settings, General, AirDrop & Handoff, and start Berth again."
	case "container":
		who = "the container “" + h.name + "”"
		if h.image != "" {
			who += " (" + h.image + ")"
		}
		p.Fix, p.Command = "To give the port back to Berth, stop the container and start Berth again:", "docker stop "+h.name
	case "berth":
		who = fmt.Sprintf("another Berth (process %d), which uses another data folder", h.pid)
		p.Fix = "Use that one, or quit it and start this one again."
	case "process":
		who = fmt.Sprintf("“%s” (process %d)", h.name, h.pid)
		p.Fix = "To give the port back to Berth, end that program and start Berth again."
	case "registry":
		who = "another container registry"
		p.Fix = "To give the port back to Berth, stop that registry and start Berth again."
	default:
		who = "another program"
		p.Fix = "To give the port back to Berth, end that program and start Berth again."
	}
	p.Title, p.Text = "Port "+port+" is taken", "It is used by "+who+"."
	if now == "" {
		if p.Command == "" {
			p.Fix, p.Command = p.Fix+" Or choose another port:", "berth serve --addr localhost:"+strconv.Itoa(portOf(addr)+1)
		}
		return p
	}
	p.Severity, p.Exit = severityWarning, 0
	p.Title += ", so Berth answers at " + now
	p.Text = sentence(strings.TrimSuffix(p.Text, ".")) + " Use " + now + " in names of images."
	return p
}

// next gives the same host with the port n further.
func next(addr string, n int) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return net.JoinHostPort(host, strconv.Itoa(portOf(addr)+n))
}
