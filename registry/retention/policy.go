package retention

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Policy is one rule of a cleanup, as it stands under berth.cleanup.rules.
type Policy struct {
	// Name is what reasons call the rule; empty: "rule 1", by its place.
	Name string `yaml:"name,omitempty"`
	// Repositories that the rule is for, as patterns; empty: all. In a glob *
	// stands for anything within a component, ** also across.
	Repositories []string `yaml:"repositories,omitempty"`
	// Tags that it speaks of, as patterns; empty: all.
	Tags []string `yaml:"tags,omitempty"`
	// Except are tags that it does not speak of; other rules may. What must
	// stay whatever other rules say stands under Keep.Always.
	Except []string `yaml:"except,omitempty"`
	// Keep says which of its tags stay; empty: it speaks of no tags.
	Keep Keep `yaml:"keep,omitempty"`
	// Untagged is for how long a manifest stays that no tag names, since it was
	// pushed or pulled by its digest last; 0: the rule does not speak of them.
	Untagged Age `yaml:"untagged,omitempty"`
	// Off switches the rule off without forgetting it: it speaks of nothing,
	// but must be valid all the same.
	Off bool `yaml:"off,omitempty"`
}

// Keep are the conditions of a rule: a tag that meets any of them stays.
type Keep struct {
	// Newest is how many manifests stay by their last push, in each
	// repository. Tags of the same manifest count once.
	Newest int `yaml:"newest,omitempty"`
	// Versions is how many stay by version: 1.10 is newer than 1.9, and 1.0
	// than 1.0-rc1. A rule that has it speaks only of tags that are versions.
	Versions int `yaml:"versions,omitempty"`
	// Younger keeps what was pushed since.
	Younger Age `yaml:"younger,omitempty"`
	// Pulled keeps what was pulled, or pushed, since.
	Pulled Age `yaml:"pulled,omitempty"`
	// Always are patterns of tags that stay.
	Always []string `yaml:"always,omitempty"`
}

func (k Keep) empty() bool {
	return k.Newest == 0 && k.Versions == 0 && k.Younger == 0 && k.Pulled == 0 && len(k.Always) == 0
}

// conditions reports whether something but Always can keep a tag.
func (k Keep) conditions() bool {
	return k.Newest > 0 || k.Versions > 0 || k.Younger > 0 || k.Pulled > 0
}

// UnmarshalYAML reads a rule, and refuses what it does not know: a word that is
// passed over could be the one that keeps an image.
func (p *Policy) UnmarshalYAML(node *yaml.Node) error {
	if err := known(node, "a cleanup rule", "name", "repositories", "tags", "except", "keep", "untagged", "off"); err != nil {
		return err
	}
	type plain Policy
	return node.Decode((*plain)(p))
}

// UnmarshalYAML reads conditions, as strictly.
func (k *Keep) UnmarshalYAML(node *yaml.Node) error {
	if err := known(node, "keep of a cleanup rule", "newest", "versions", "younger", "pulled", "always"); err != nil {
		return err
	}
	type plain Keep
	return node.Decode((*plain)(k))
}

func known(node *yaml.Node, what string, keys ...string) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: %s has the keys %s", node.Line, what, strings.Join(keys, ", "))
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(keys, key.Value) {
			return fmt.Errorf("line %d: %s has no key %q; it has %s", key.Line, what, key.Value, strings.Join(keys, ", "))
		}
	}
	return nil
}

// Age is a length of time, in text as "30d", "2w", "36h" or "1d12h".
type Age time.Duration

// The units of days and weeks, which time.Duration does not have.
const (
	day  = 24 * time.Hour
	week = 7 * day
)

var units = map[byte]time.Duration{'w': week, 'd': day, 'h': time.Hour, 'm': time.Minute, 's': time.Second}

// maxAge is a hundred years, so that a sum cannot overflow.
const maxAge = 36500 * day

// UnmarshalText reads an age; months are not taken, since m is a minute.
func (a *Age) UnmarshalText(text []byte) error {
	s, sum := string(text), time.Duration(0)
	if s == "0" {
		*a = 0
		return nil
	}
	for rest := s; ; {
		n, i := 0, 0
		for i < len(rest) && i < 9 && digit(rest[i]) {
			n, i = 10*n+int(rest[i]-'0'), i+1
		}
		if i == 0 || i == len(rest) || units[rest[i]] == 0 || time.Duration(n) > maxAge/units[rest[i]] {
			return fmt.Errorf("%q is not a time; write it as 30d, 2w, 36h or 1d12h", s)
		}
		if sum += time.Duration(n) * units[rest[i]]; sum > maxAge {
			return fmt.Errorf("%q is more than a hundred years", s)
		}
		if rest = rest[i+1:]; rest == "" {
			break
		}
	}
	*a = Age(sum)
	return nil
}

// MarshalText writes an age so that it can be read back.
func (a Age) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// String writes an age in the largest units.
func (a Age) String() string {
	d := time.Duration(a).Truncate(time.Second)
	if d <= 0 {
		return "0"
	}
	if d%week == 0 {
		return fmt.Sprintf("%dw", d/week)
	}
	var b strings.Builder
	for _, unit := range []byte("dhms") {
		if n := d / units[unit]; n > 0 {
			fmt.Fprintf(&b, "%d%c", n, unit)
			d -= n * units[unit]
		}
	}
	return b.String()
}
