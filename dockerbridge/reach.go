package dockerbridge

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
)

// reachProbe is a repository that no registry has; asking for it finds out
// whether a registry is there.
const reachProbe = "/berth/reach:probe"

// Reaches says whether the engine can push to address.
func (d *docker) Reaches(ctx context.Context, address string) (bool, error) {
	info, host, err := d.about(ctx)
	if err != nil {
		return false, err
	}
	here, _ := os.Hostname()
	switch {
	case info.Name == "Podman":
		// Podman insists on TLS, also from localhost.
		return false, nil
	case sameMachine(info, host, here, runtime.GOOS) && loopback(address):
		return true, nil
	}
	return d.probe(ctx, address)
}

// sameMachine reports whether «localhost» means the same to the engine and to
// us. Rootless Docker has a network of its own, Docker Desktop a machine.
func sameMachine(info Info, engineHost, ourHost, goos string) bool {
	return goos == "linux" && strings.HasPrefix(info.Address, "unix://") &&
		info.Name == "Docker Engine" && !info.Rootless &&
		engineHost != "" && engineHost == ourHost
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// probe has the engine ask the registry for something that is not there. An
// answer of a registry, even a refusal, means that one is reached; whether it
// is ours, [Send] finds out by what arrives.
func (d *docker) probe(ctx context.Context, address string) (bool, error) {
	_, err := d.api.DistributionInspect(ctx, address+reachProbe, noAuth)
	if err == nil {
		return true, nil
	}
	if ctx.Err() != nil {
		return false, d.fail(ctx.Err())
	}
	var problem *Error
	errors.As(d.fail(err), &problem)
	switch problem.Kind {
	case KindNotFound, KindDenied:
		return true, nil
	case KindAbsent, KindPermission:
		return false, problem
	default:
		return false, nil
	}
}
