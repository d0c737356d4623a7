package trash

import (
	"sync"
	"time"

	"berth/registry"
)

// pushes remembers the last pushes of tags, so that overwriting a tag again and
// again asks nobody when it was pushed. What was used least recently is
// forgotten, half of it at a time.
type pushes struct {
	mu       sync.Mutex // guards what follows
	new, old map[tagName]push
}

type tagName struct{ repo, tag string }

// push is when a tag was made to name a manifest, and by whom.
type push struct {
	digest registry.Digest
	at     time.Time
	by     string
}

// maxPushes bounds each half.
const maxPushes = 2048

func (p *pushes) note(repo, tag string, last push) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.new) >= maxPushes {
		p.old, p.new = p.new, nil
	}
	if p.new == nil {
		p.new = map[tagName]push{}
	}
	p.new[tagName{repo, tag}] = last
}

func (p *pushes) of(repo, tag string) (push, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, ok := p.new[tagName{repo, tag}]
	if !ok {
		last, ok = p.old[tagName{repo, tag}]
	}
	return last, ok
}

// forget is for what comes to a tag in another way than by a push.
func (p *pushes) forget(repo string, tags ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, tag := range tags {
		delete(p.new, tagName{repo, tag})
		delete(p.old, tagName{repo, tag})
	}
}
