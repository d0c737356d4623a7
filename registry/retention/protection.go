package retention

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Protect is a rule about tags that cannot be moved, as it stands under
// berth.immutable.
type Protect struct {
	// Name is what refusals call the rule; empty: its patterns.
	Name string `yaml:"name,omitempty"`
	// Repositories, Tags and Except select as those of a [Policy] do.
	Repositories []string `yaml:"repositories,omitempty"`
	Tags         []string `yaml:"tags,omitempty"`
	Except       []string `yaml:"except,omitempty"`
}

// UnmarshalYAML reads a rule, and refuses what it does not know.
func (p *Protect) UnmarshalYAML(node *yaml.Node) error {
	if err := known(node, "an immutability rule", "name", "repositories", "tags", "except"); err != nil {
		return err
	}
	type plain Protect
	return node.Decode((*plain)(p))
}

// Protection says which tags are immutable. The zero value holds none; it is
// safe for concurrent use.
type Protection struct{ rules []protected }

type protected struct {
	name                string
	repos, tags, except patterns
}

// NewProtection reads rules; the error names each that cannot be read, and
// what to do.
func NewProtection(rules []Protect) (*Protection, error) {
	p, failed := &Protection{}, []error(nil)
	for i, r := range rules {
		repos, err1 := compile(r.Repositories, true)
		tags, err2 := compile(r.Tags, false)
		except, err3 := compile(r.Except, false)
		name := r.Name
		if name == "" {
			name = "rule " + strconv.Itoa(i+1)
		}
		if err := errors.Join(err1, err2, err3); err != nil {
			failed = append(failed, fmt.Errorf("immutability rule %d (%q): %w", i+1, name, err))
		}
		if r.Name == "" && len(r.Tags) > 0 {
			name = r.Tags[0]
		}
		p.rules = append(p.rules, protected{name, repos, tags, except})
	}
	if err := errors.Join(failed...); err != nil {
		return nil, err
	}
	return p, nil
}

// In reports whether any rule is about a repository.
func (p *Protection) In(repo string) bool {
	return p != nil && slices.ContainsFunc(p.rules, func(r protected) bool { return len(r.repos) == 0 || r.repos.match(repo) })
}

// Rule gives the name of the first rule that makes a tag immutable. Tags that
// clients keep for referrers (sha256-<hex>, and cosign's) never are: they
// change whenever something is signed.
func (p *Protection) Rule(repo, tag string) (name string, ok bool) {
	if p == nil {
		return "", false
	}
	for i := range p.rules {
		r := &p.rules[i]
		if (len(r.tags) == 0 || r.tags.match(tag)) && (len(r.repos) == 0 || r.repos.match(repo)) && !r.except.match(tag) {
			_, _, attached := attachment(tag)
			return r.name, !attached
		}
	}
	return "", false
}
