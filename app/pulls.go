package app

import (
	"net"
	"net/http"
	"time"

	"berth/registry"
	"berth/registry/event"
)

// One pull is often two requests: by the tag, then by the digest that it named.
// The second does not count within pullPause.
const (
	pullPause = time.Minute
	maxPulls  = 10_000 // that are remembered
)

type pullKey struct {
	repository, host string
	digest           registry.Digest
}

// pulls tells which requests are pulls of their own. Core's follower alone
// uses it.
type pulls map[pullKey]time.Time

func (p pulls) counts(e event.Event) bool {
	if e.Kind != event.Pull || !e.Manifest || e.Caller.Method != http.MethodGet {
		return false
	}
	host, _, err := net.SplitHostPort(e.Caller.RemoteAddr)
	if err != nil {
		host = e.Caller.RemoteAddr
	}
	key := pullKey{e.Repository, host, e.Target.Digest}
	if e.Tag == "" {
		at, known := p[key]
		return !known || e.Time.Sub(at) >= pullPause
	}
	if len(p) >= maxPulls {
		clear(p) // to count one twice does less harm than to grow
	}
	p[key] = e.Time
	return true
}
