package config

import (
	"fmt"
	"strings"
	"sync"
)

// gone has the keys that older configurations may have and that distribution
// dropped with its version 3, with what that means here.
var gone = map[string]string{
	"reporting":     "reports to Bugsnag and New Relic went with version 3 of distribution; watch the log and http.debug.prometheus instead",
	"compatibility": "images of schema version 1 went with version 3 of distribution; push them again with a current client",
}

// wordsFor says what became of a key, or of the section around it.
func wordsFor(key string) string {
	for key != "" {
		if words := gone[key]; words != "" {
			return words
		}
		key = key[:max(strings.LastIndexByte(key, '.'), 0)]
	}
	return ""
}

// unknownKey warns of a key of a file.
func (c *Config) unknownKey(key string, at Origin) {
	if words := wordsFor(key); words != "" {
		c.warn("ignoring %s (%s): %s", key, at, words)
		return
	}
	c.warn("ignoring unknown key %s (%s)%s", key, at, meant(nearestKey(key)))
}

// nearestKey also knows sections; and a name that is only known elsewhere, as
// after a wrong indentation.
func nearestKey(key string) string {
	names := keysAndSections()
	if n := nearest(key, names); n != "" {
		return n
	}
	last := "." + key[strings.LastIndexByte(key, '.')+1:]
	elsewhere := ""
	for _, n := range names {
		switch {
		case !strings.HasSuffix(n, last):
		case elsewhere != "":
			return "" // one of several
		default:
			elsewhere = n
		}
	}
	return elsewhere
}

var keysAndSections = sync.OnceValue(func() []string {
	seen, out := map[string]bool{}, []string(nil)
	for _, name := range keyNames(func(k Key) string { return k.Name }) {
		for end := range len(name) + 1 {
			if part := name[:end]; (end == len(name) || name[end] == '.') && !seen[part] {
				seen[part] = true
				out = append(out, part)
			}
		}
	}
	return out
})

// unknownVariable warns of a variable: those of Kubernetes and of other
// programs share the prefix, so none is an error.
func (c *Config) unknownVariable(variable, value string) {
	key := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, envPrefix), "_", "."))
	switch words := wordsFor(key); {
	case words != "":
		c.warn("ignoring %s: %s", variable, words)
	case strings.HasPrefix(value, "tcp://") || strings.Contains(variable, "_SERVICE_") || strings.Contains(variable, "_TCP_"):
		c.warn("ignoring unrecognized environment variable %s; it looks like one that Kubernetes or Docker set for a service called registry", variable)
	default:
		c.warn("ignoring unrecognized environment variable %s%s", variable, meant(nearestVariable(variable)))
	}
}

func meant(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", name)
}

// nearestVariable knows that the names in variables are not always those in
// config.yml: health.file is REGISTRY_HEALTH_FILECHECKERS.
func nearestVariable(variable string) string {
	at := numbersToZero(variable)
	for _, k := range Keys() {
		if at == envPrefix+strings.ToUpper(strings.NewReplacer("[]", "_0", ".", "_").Replace(k.Name)) {
			return k.Env
		}
	}
	return nearest(at, keyNames(func(k Key) string { return k.Env }))
}

func numbersToZero(variable string) string {
	parts := strings.Split(variable, "_")
	for i, p := range parts {
		if p != "" && strings.Trim(p, "0123456789") == "" {
			parts[i] = "0"
		}
	}
	return strings.Join(parts, "_")
}

func keyNames(of func(Key) string) []string {
	seen, out := map[string]bool{}, []string(nil)
	for _, k := range Keys() {
		if n := of(k); !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// nearest gives the candidate that differs least from name, if it is near.
func nearest(name string, candidates []string) string {
	short := strings.TrimPrefix(name, envPrefix)
	best, distance := "", max(1, len(short)/4)+1
	for _, c := range candidates {
		if d := edits(strings.ToUpper(short), strings.ToUpper(strings.TrimPrefix(c, envPrefix))); d < distance {
			best, distance = c, d
		}
	}
	return best
}

// edits counts the letters to insert, delete, replace or swap with the next
// between two words.
func edits(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := last[j-1]
			if a[i-1] != b[j-1] {
				cost++
			}
			row[j] = min(cost, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

// Keys lists every key that a configuration may have, in the order of the
// sections, with what the documentation says of it.
func Keys() []Key { return allKeys() }

var allKeys = sync.OnceValue(listKeys)

// Docs gives the documented keys with their words, for the test that holds them
// against the types.
func Docs() map[string]string {
	out := map[string]string{}
	for name, d := range docs {
		out[name] = d.Doc
	}
	return out
}
