package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"berth/registry/retention"
)

// Made are settings that were made while Berth ran: values in YAML, by their
// keys. Only those of [LiveKeys] can be.
type Made map[string]string

// MadePath is the file that keeps the settings of a data folder.
func MadePath(data string) string { return filepath.Join(data, "berth", "settings.yml") }

// madeHeader begins the file, for who finds it.
const madeHeader = "# Settings made in Berth's window or by “berth config set”. They go before config.yml, and after REGISTRY_* variables.\n" +
	"# Change them there; what is changed here counts from the next start.\n"

// Damage is what could not be used of the settings of a data folder.
type Damage struct {
	// Path is the file.
	Path string
	// Keys that were left out; none: the whole file was.
	Keys []string
	Err  error
}

// parseMade reads the form of config.yml. What is no live key is named in bad.
func parseMade(content []byte) (made Made, bad map[string]error, err error) {
	made, bad = Made{}, map[string]error{}
	var document yaml.Node
	switch err := yaml.NewDecoder(bytes.NewReader(content)).Decode(&document); {
	case errors.Is(err, io.EOF):
		return made, bad, nil
	case err != nil:
		return nil, nil, err
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode && root.Tag != "!!null" {
		return nil, nil, errors.New("it has no keys and values")
	}
	made.collect(root, nil, bad)
	return made, bad, nil
}

func (m Made) collect(node *yaml.Node, path []string, bad map[string]error) {
	key := strings.Join(path, ".")
	switch {
	case Live(key):
		text, err := yaml.Marshal(node)
		if err != nil {
			bad[key] = err
			return
		}
		m[key] = strings.TrimSuffix(string(text), "\n")
	case node.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			m.collect(node.Content[i+1], append(slices.Clip(path), node.Content[i].Value), bad)
		}
	case key != "":
		bad[key] = errors.New("it is no key that can be set while Berth runs")
	}
}

// text writes what can be parsed again, in the order of the keys.
func (m Made) text() ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		var document yaml.Node
		if err := yaml.Unmarshal([]byte(m[key]), &document); err != nil || len(document.Content) == 0 {
			return nil, fmt.Errorf("write the setting %s: %w", key, cmpErr(err, "it is empty"))
		}
		unfold(document.Content[0])
		section, parts := root, strings.Split(key, ".")
		for _, part := range parts[:len(parts)-1] {
			section = within(section, part)
		}
		section.Content = append(section.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: parts[len(parts)-1]}, document.Content[0])
	}
	if len(m) == 0 {
		return []byte(madeHeader), nil
	}
	var out bytes.Buffer
	out.WriteString(madeHeader)
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(root), enc.Close()); err != nil {
		return nil, fmt.Errorf("write settings: %w", err)
	}
	return out.Bytes(), nil
}

func cmpErr(err error, otherwise string) error {
	if err == nil {
		return errors.New(otherwise)
	}
	return err
}

// unfold writes sections in lines, and lists of words in one.
func unfold(node *yaml.Node) {
	flat := true
	for _, n := range node.Content {
		unfold(n)
		flat = flat && n.Kind == yaml.ScalarNode
	}
	switch {
	case node.Kind == yaml.SequenceNode && flat:
		node.Style |= yaml.FlowStyle
	case node.Kind != yaml.ScalarNode:
		node.Style &^= yaml.FlowStyle
	}
}

// within gives the section of a name, which it makes where there is none.
func within(section *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(section.Content); i += 2 {
		if section.Content[i].Value == name {
			return section.Content[i+1]
		}
	}
	next := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	section.Content = append(section.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, next)
	return next
}

// Save keeps settings for a data folder. It is all or nothing, also through a
// power cut.
func (m Made) Save(data string) error {
	content, err := m.text()
	if err != nil {
		return err
	}
	path := MadePath(data)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("keep settings: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".settings-*") // 0600
	if err != nil {
		return fmt.Errorf("keep settings: %w", err)
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("keep settings: %w", errors.Join(err, os.Remove(f.Name())))
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync() // some systems cannot; the rename is in its journal then
		_ = dir.Close()
	}
	return nil
}

// apply sets each key of m in c.
func (m Made) apply(c *Config) error {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		c.origins.put(key, Origin{Source: SourceMade, Name: "settings.yml"})
		w := walker{value: m[key]}
		if err := w.set(at(reflect.ValueOf(c).Elem(), key)); err != nil {
			return c.bad(key, err)
		}
	}
	return nil
}

// loadMade gives c with the settings that its data folder keeps. What of them
// cannot be used is left out, and told in Damage.
func (c *Config) loadMade() *Config {
	path := MadePath(c.data)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c
	}
	var made Made
	var bad map[string]error
	if err == nil {
		made, bad, err = parseMade(content)
	}
	if err != nil {
		c.Damage = &Damage{Path: path, Err: err}
		return c
	}
	for {
		next, err := c.WithMade(made)
		if err == nil {
			next.Damage = damage(path, bad)
			return next
		}
		wrong, ok := errors.AsType[*Error](err)
		key := ""
		if ok {
			key = made.of(wrong.Key)
		}
		if key == "" { // it does not go with the rest of the configuration
			c.Damage = &Damage{Path: path, Err: err}
			return c
		}
		bad[key] = wrong.Err
		delete(made, key)
	}
}

// of gives the key that another is, or is a part of; empty for none.
func (m Made) of(key string) string {
	for whole := range m {
		if key == whole || strings.HasPrefix(key, whole+".") {
			return whole
		}
	}
	return ""
}

func damage(path string, bad map[string]error) *Damage {
	if len(bad) == 0 {
		return nil
	}
	d := &Damage{Path: path, Keys: slices.Sorted(maps.Keys(bad))}
	var errs []error
	for _, key := range d.Keys {
		errs = append(errs, fmt.Errorf("%s: %w", key, bad[key]))
	}
	d.Err = errors.Join(errs...)
	return d
}

// durations are written as ages too, which have days: 14d.
func durations(node *yaml.Node, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case node.Kind == yaml.ScalarNode && t == reflect.TypeFor[time.Duration]() && strings.ContainsAny(node.Value, "dw"):
		var age retention.Age
		if age.UnmarshalText([]byte(node.Value)) == nil {
			node.Value = time.Duration(age).String()
		}
	case node.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for _, n := range node.Content {
			durations(n, t.Elem())
		}
	case node.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if field, ok := fieldOf(t, node.Content[i].Value); ok {
				durations(node.Content[i+1], field)
			}
		}
	}
}
