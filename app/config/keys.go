package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"berth/registry/retention"
)

// Key is one key of config.yml.
type Key struct {
	// Name as in "http.addr"; an element of a list is "[]".
	Name string `json:"name"`
	// Env is the variable that overrides it, with the first element of a list.
	Env string `json:"variable,omitempty"`
	// Default in words of YAML; empty for none.
	Default string `json:"default,omitempty"`
	// Doc says what it does.
	Doc string `json:"meaning"`
	// As says how Berth differs from distribution; empty: not at all.
	As string `json:"differs,omitempty"`
	// Later says that Berth refuses it as yet.
	Later bool `json:"later,omitempty"`
}

func listKeys() []Key {
	d := defaults()
	// What Load decides, if nobody else does.
	d.Storage.Filesystem = &Filesystem{MaxThreads: defaultThreads}
	var out []Key
	visit(reflect.ValueOf(d).Elem(), nil, nil, func(name, env []string, v reflect.Value) {
		k := Key{Name: strings.ReplaceAll(strings.Join(name, "."), ".[]", "[]"), Env: envPrefix + strings.Join(env, "_"), Default: show(v)}
		doc := docs[k.Name]
		if doc.Default != "" {
			k.Default = doc.Default
		}
		k.Doc, k.As, k.Later = doc.Doc, doc.As, v.Type() == reflect.TypeFor[Later]()
		if k.Name == "version" {
			k.Env = ""
		}
		out = append(out, k)
	})
	return out
}

// visit calls leaf for every key below v. Of a list of sections it shows the
// keys of an element.
func visit(v reflect.Value, name, env []string, leaf func(name, env []string, v reflect.Value)) {
	switch {
	case v.Type() == reflect.TypeFor[Later]() || v.Kind() == reflect.Struct && v.NumField() == 0:
		leaf(name, env, v)
	case v.Kind() == reflect.Pointer:
		inner := reflect.New(v.Type().Elem()).Elem()
		if !v.IsNil() {
			inner = v.Elem()
		}
		visit(inner, name, env, leaf)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		visit(reflect.New(v.Type().Elem()).Elem(), append(slices.Clip(name), "[]"), append(slices.Clip(env), "0"), leaf)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if key := keyOf(field); key != "" {
				visit(v.Field(i), append(slices.Clip(name), key), append(slices.Clip(env), strings.ToUpper(field.Name)), leaf)
			}
		}
	default:
		leaf(name, env, v)
	}
}

// show writes a value as a person would in YAML.
func show(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return Brief(x)
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case int:
		return strconv.Itoa(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case retention.Age:
		return x.String()
	case Bytes:
		return x.String()
	}
	switch v.Kind() {
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Struct && v.Len() > 0 {
			return line(v)
		}
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = fmt.Sprint(v.Index(i).Interface())
		}
		if len(parts) == 0 {
			return ""
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case reflect.Map:
		if v.Len() == 0 {
			return ""
		}
		return strings.TrimPrefix(fmt.Sprint(v.Interface()), "map")
	}
	return ""
}

// Brief writes a duration as people do: 30m, 36h.
func Brief(d time.Duration) string {
	text := d.String()
	for _, nothing := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, nothing) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// Setting is the value that a key has, and where it comes from.
type Setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// secretKeys are not shown.
var secretKeys = []string{"http.secret", "password"}

func hidden(key string) bool {
	return slices.ContainsFunc(secretKeys, func(secret string) bool { return strings.HasSuffix(key, secret) })
}

// Settings lists what is in effect, key by key. Secrets are hidden.
func (c *Config) Settings() []Setting {
	var out []Setting
	c.effective(reflect.ValueOf(c).Elem(), nil, func(key string, v reflect.Value) {
		s := Setting{Key: key, Value: show(v), Origin: c.exact(key).String()}
		if hidden(key) && s.Value != "" {
			s.Value = "(hidden)"
		}
		out = append(out, s)
	})
	return out
}

func (c *Config) effective(v reflect.Value, path []string, leaf func(key string, v reflect.Value)) {
	switch {
	case v.Type() == reflect.TypeFor[Later]():
	case len(path) > 0 && Live(strings.Join(path, ".")):
		leaf(strings.Join(path, "."), v)
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			c.effective(v.Elem(), path, leaf)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			c.effective(v.Index(i), append(slices.Clip(path), strconv.Itoa(i)), leaf)
		}
	case v.Kind() == reflect.Struct && v.NumField() > 0:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if key := keyOf(field); key != "" {
				c.effective(v.Field(i), append(slices.Clip(path), key), leaf)
			}
		}
	default:
		leaf(strings.Join(path, "."), v)
	}
}
