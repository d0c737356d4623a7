package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const envPrefix = "REGISTRY_"

// apart from the configuration: names with the prefix that mean something else.
var notKeys = []string{"REGISTRY_CONFIGURATION_PATH"}

var errUnknown = errors.New("no such key")

// override applies REGISTRY_* to c as distribution does: the variables in
// order of their names; each name split at "_" and walked through the
// struct by the names of its fields; the value, YAML, replaces what it finds.
func (c *Config) override(env []string) error {
	sorted := slices.Clone(env)
	slices.SortStableFunc(sorted, func(a, b string) int { return compareNames(name(a), name(b)) })
	for _, entry := range sorted {
		variable, value, ok := strings.Cut(entry, "=")
		if !ok || !strings.HasPrefix(variable, envPrefix) || slices.Contains(notKeys, variable) {
			continue
		}
		from := Origin{Source: SourceEnv, Name: variable}
		w := walker{value: value}
		err := w.walk(reflect.ValueOf(c).Elem(), strings.Split(variable, "_")[1:], nil)
		switch {
		case errors.Is(err, errUnknown):
			c.unknownVariable(variable, value)
		case err != nil:
			return &Error{Kind: Invalid, Key: strings.Join(w.path, "."), Origin: from, Err: err}
		case len(w.path) == 1 && w.path[0] == "version":
			c.Version = "0.1"
			c.warn("ignoring %s: the version of the file cannot be overridden", variable)
		case w.changed:
			c.origins.put(strings.Join(w.path, "."), from)
		}
	}
	return nil
}

// compareNames orders as bytes do, as distribution does; but where numbers of
// elements differ, as numbers: there, the tenth element of a list came before
// the second, and was an error.
func compareNames(a, b string) int {
	as, bs := strings.Split(a, "_"), strings.Split(b, "_")
	for i := range min(len(as), len(bs)) {
		if as[i] == bs[i] {
			continue
		}
		m, errM := strconv.Atoi(as[i])
		n, errN := strconv.Atoi(bs[i])
		switch {
		case errM == nil && errN == nil && m != n:
			return cmp.Compare(m, n)
		case errM == nil && errN != nil:
			return -1
		case errM != nil && errN == nil:
			return 1
		}
		break
	}
	return strings.Compare(a, b)
}

func name(entry string) string {
	n, _, _ := strings.Cut(entry, "=")
	return n
}

func (c *Config) warn(format string, args ...any) {
	c.Warnings = append(c.Warnings, fmt.Sprintf(format, args...))
}

// walker goes down one variable's name; path is where it got to, in the names
// of config.yml.
type walker struct {
	value   string
	path    []string
	changed bool
}

// walk sets the part of v, which is settable, that segments name.
func (w *walker) walk(v reflect.Value, segments, path []string) error {
	w.path = path
	if len(segments) == 0 {
		w.changed = true
		return w.set(v)
	}
	if v.Type() == reflect.TypeFor[Later]() {
		w.changed = true
		v.Set(reflect.ValueOf(Later{set: true}))
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			fresh.Elem().Set(v.Elem())
		}
		if err := w.walk(fresh.Elem(), segments, path); err != nil {
			return err
		}
		v.Set(fresh)
		return nil
	case reflect.Struct:
		return w.walkStruct(v, segments, path)
	case reflect.Map:
		return w.walkMap(v, segments, path)
	case reflect.Slice:
		return w.walkSlice(v, segments, path)
	case reflect.Interface:
		return w.walkAny(v, segments, path)
	}
	// Distribution ignores what is left of a name below a plain value.
	return nil
}

func (w *walker) walkStruct(v reflect.Value, segments, path []string) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key := keyOf(field)
		if key == "" || strings.ToUpper(field.Name) != segments[0] {
			continue
		}
		if known := field.Tag.Get("known"); known != "" && len(segments) > 1 && !knows(known, segments[1]) {
			return errUnknown
		}
		return w.walk(v.Field(i), segments[1:], append(slices.Clip(path), key))
	}
	return errUnknown
}

func knows(known, segment string) bool {
	for name := range strings.SplitSeq(known, ",") {
		if strings.ToUpper(name) == segment {
			return true
		}
	}
	return false
}

func (w *walker) walkMap(v reflect.Value, segments, path []string) error {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	key := strings.ToLower(segments[0])
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, k := range keys {
		if strings.ToUpper(k.String()) == segments[0] {
			key = k.String()
			break
		}
	}
	elem := reflect.New(v.Type().Elem()).Elem()
	if old := v.MapIndex(reflect.ValueOf(key)); old.IsValid() {
		elem.Set(old)
	}
	if err := w.walk(elem, segments[1:], append(slices.Clip(path), key)); err != nil {
		return err
	}
	v.SetMapIndex(reflect.ValueOf(key), elem)
	return nil
}

func (w *walker) walkSlice(v reflect.Value, segments, path []string) error {
	i, err := strconv.Atoi(segments[0])
	if err != nil || i < 0 {
		return fmt.Errorf("%q is not the number of an element", segments[0])
	}
	if i > v.Len() {
		return fmt.Errorf("element %d of a list of %d", i, v.Len())
	}
	// The elements of the file's list are left alone should the walk fail.
	grown := reflect.MakeSlice(v.Type(), max(v.Len(), i+1), max(v.Len(), i+1))
	reflect.Copy(grown, v)
	if err := w.walk(grown.Index(i), segments[1:], append(slices.Clip(path), segments[0])); err != nil {
		return err
	}
	v.Set(grown)
	return nil
}

// walkAny goes on in what a free-form value, such as log.fields, holds now.
func (w *walker) walkAny(v reflect.Value, segments, path []string) error {
	inner := map[string]any{}
	if !v.IsNil() {
		old, ok := v.Interface().(map[string]any)
		if !ok {
			return nil
		}
		for k, value := range old {
			inner[k] = value
		}
	}
	m := reflect.New(reflect.TypeFor[map[string]any]()).Elem()
	m.Set(reflect.ValueOf(inner))
	if err := w.walkMap(m, segments, path); err != nil {
		return err
	}
	v.Set(m)
	return nil
}

// set replaces v with the value, read as YAML.
func (w *walker) set(v reflect.Value) error {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(w.value), &document); err != nil {
		return fmt.Errorf("the value is not YAML: %w", err)
	}
	fresh := reflect.New(v.Type())
	switch s := fresh.Interface().(type) {
	case *Storage:
		s.Maintenance = defaults().Storage.Maintenance
	case *Berth: // no grace and no untagged must be said
		*s = ownDefaults()
	case *Cleanup:
		*s = ownDefaults().Cleanup
	}
	if len(document.Content) > 0 {
		node := document.Content[0]
		// Compose files often quote twice: "true" is meant as true.
		if v.Kind() == reflect.Bool && node.Tag == "!!str" && (node.Value == "true" || node.Value == "false") {
			node.Tag, node.Style = "!!bool", 0
		}
		durations(node, v.Type())
		if err := node.Decode(fresh.Interface()); err != nil {
			return plain(err, false)
		}
	}
	v.Set(fresh.Elem())
	return nil
}
