package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"
)

// liveKeys are those that can be set while Berth runs, and act at once; what
// ends with a point means all below.
var liveKeys = []string{
	"log.level", "storage.delete.enabled", "storage.maintenance.", "berth.cleanup.", "berth.trash.keep", "berth.verify.rate", "berth.immutable",
}

// Live reports whether a key, such as "berth.cleanup.rules", can be set while
// Berth runs. A list is one key: those of its elements are not.
func Live(key string) bool { return slices.Contains(allLive(), key) }

// LiveKeys lists them.
func LiveKeys() []string { return slices.Clone(allLive()) }

var allLive = sync.OnceValue(func() (out []string) {
	for _, k := range Keys() {
		whole, _, _ := strings.Cut(k.Name, "[")
		for _, live := range liveKeys {
			below := strings.HasSuffix(live, ".") && strings.HasPrefix(whole, live)
			if (whole == live || below) && !slices.Contains(out, whole) {
				out = append(out, whole)
			}
		}
	}
	return out
})

// at gives the field of a key without lists in it; the zero Value for none.
func at(v reflect.Value, key string) reflect.Value {
	for part := range strings.SplitSeq(key, ".") {
		next := reflect.Value{}
		if v.Kind() == reflect.Struct {
			for i := range v.NumField() {
				if keyOf(v.Type().Field(i)) == part {
					next = v.Field(i)
				}
			}
		}
		if v = next; !v.IsValid() {
			return v
		}
	}
	return v
}

// WithLive gives c with what is live from next, which is a later reading of the
// same sources; the rest holds until the program starts again.
func (c *Config) WithLive(next *Config) *Config {
	out := *c
	out.origins.set = maps.Clone(c.origins.set)
	out.from, out.Warnings, out.Damage = next.from, next.Warnings, next.Damage
	for _, key := range allLive() {
		at(reflect.ValueOf(&out).Elem(), key).Set(at(reflect.ValueOf(next).Elem(), key))
		for set := range out.origins.set {
			if strings.HasPrefix(set, key+".") {
				delete(out.origins.set, set)
			}
		}
		out.origins.put(key, next.exact(key))
		if by, ok := next.Locked(key); ok {
			out.origins.put(key, by)
		}
	}
	return &out
}

// Restart lists the keys that are other in next and need a restart to act.
func (c *Config) Restart(next *Config) (keys []string) {
	was, is := c.texts(), next.texts()
	for key, text := range is {
		if before, ok := was[key]; (!ok || before != text) && !Live(key) {
			keys = append(keys, key)
		}
	}
	for key := range was {
		if _, ok := is[key]; !ok && !Live(key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func (c *Config) texts() map[string]string {
	out := map[string]string{}
	c.effective(reflect.ValueOf(c).Elem(), nil, func(key string, v reflect.Value) { out[key] = fmt.Sprint(v.Interface()) })
	return out
}

// Locked says which variable or flag decides on a live key, or on a part of it,
// so that it cannot be set.
func (c *Config) Locked(key string) (by Origin, ok bool) {
	if o := c.Origin(key); o.Source == SourceEnv || o.Source == SourceFlag {
		return o, true
	}
	for _, set := range slices.Sorted(maps.Keys(c.origins.set)) {
		if o := c.origins.set[set].Origin; strings.HasPrefix(set, key+".") && o.Source == SourceEnv {
			return o, true
		}
	}
	return Origin{}, false
}

// Known reports whether a key, such as "http.addr" or "log.hooks.0.type", is one
// of config.yml. For a part of a list that is live, whole is the key of the
// list; for a key that nobody knows, the nearest one, or nothing.
func Known(key string) (whole string, ok bool) {
	for _, live := range allLive() {
		if strings.HasPrefix(key, live+".") || strings.HasPrefix(key, live+"[") {
			return live, true
		}
	}
	general := strings.ToLower(strings.ReplaceAll(numbersToZero(strings.NewReplacer(".", "_", "[]", "_0").Replace(key)), "_", "."))
	for _, k := range Keys() {
		name := strings.ReplaceAll(k.Name, "[]", ".0")
		if name == general || strings.HasPrefix(name, general+".") {
			return key, true
		}
	}
	return nearestKey(key), false
}

// Value is the value that a key has.
type Value struct {
	Key string
	// Value and Default are in YAML, in one line.
	Value, Default string
	Origin         Origin
	// Live values can be set while Berth runs, but not those that are Locked:
	// the Origin says what decides.
	Live, Locked bool
	Doc          string
}

// Values lists what is in effect, key by key. Secrets are hidden.
func (c *Config) Values() []Value {
	known := map[string]Key{}
	for _, k := range Keys() {
		known[strings.ReplaceAll(k.Name, "[]", ".0")] = k
	}
	d := defaults()
	d.Storage.Delete.Enabled = !c.Named
	var out []Value
	c.effective(reflect.ValueOf(c).Elem(), nil, func(key string, v reflect.Value) {
		k := known[strings.ReplaceAll(numbersToZero(strings.ReplaceAll(key, ".", "_")), "_", ".")]
		value := Value{Key: key, Value: line(v), Default: k.Default, Origin: c.exact(key), Live: Live(key), Doc: k.Doc}
		if hidden(key) && v.String() != "" {
			value.Value = "(hidden)"
		}
		if value.Live {
			value.Default = line(at(reflect.ValueOf(d).Elem(), key))
			if by, ok := c.Locked(key); ok {
				value.Locked, value.Origin = true, by
			}
			if value.Doc == "" {
				value.Doc = listDocs[key]
			}
		}
		out = append(out, value)
	})
	return out
}

// line writes a value as YAML in one line.
func line(v reflect.Value) string {
	if d, ok := v.Interface().(time.Duration); ok {
		return show(reflect.ValueOf(d))
	}
	var node yaml.Node
	if text := v.String(); v.Kind() == reflect.String && yaml.Unmarshal([]byte(text), &node) == nil &&
		len(node.Content) == 1 && node.Content[0].Kind == yaml.ScalarNode && node.Content[0].Value == text {
		return text // the encoder would quote off, which means a string here
	}
	if err := node.Encode(v.Interface()); err != nil {
		return fmt.Sprint(v.Interface())
	}
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" || node.Kind == yaml.SequenceNode && len(node.Content) == 0 {
		return "[]"
	}
	node.Style |= yaml.FlowStyle
	text, err := yaml.Marshal(&node)
	if err != nil {
		return fmt.Sprint(v.Interface())
	}
	return strings.TrimSuffix(string(text), "\n")
}
