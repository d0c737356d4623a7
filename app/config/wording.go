package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mismatch is how the YAML package speaks of a value of another kind.
var mismatch = regexp.MustCompile("^line (\\d+): cannot unmarshal (!!\\w+)(?: `(.*)`)? into (.+)$")

// plain says in words of YAML what a decoder says in words of Go; lined says at
// which lines. Other errors stay as they are.
func plain(err error, lined bool) error {
	wrong, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return err
	}
	var out []string
	for _, text := range wrong.Errors {
		m := mismatch.FindStringSubmatch(text)
		if m == nil {
			out = append(out, text)
			continue
		}
		said := fmt.Sprintf("%q", m[3])
		switch m[2] {
		case "!!seq":
			said = "a list"
		case "!!map":
			said = "a section"
		}
		said += " " + expected(m[4])
		if lined {
			said = "line " + m[1] + ": " + said
		}
		out = append(out, said)
	}
	return errors.New(strings.Join(out, "\n"))
}

// expected says what a value of a kind of Go is not.
func expected(kind string) string {
	switch {
	case kind == "time.Duration":
		return "is no time like 10s, 30m or 168h"
	case kind == "config.Bytes":
		return "is no size like 64MB"
	case kind == "bool":
		return "is neither true nor false"
	case strings.HasPrefix(kind, "int"):
		return "is no whole number"
	case kind == "string":
		return "is no single value"
	case kind == "[]string":
		return "is no list like [a, b]"
	case strings.HasPrefix(kind, "[]"):
		return "is no list"
	}
	return "is no section of keys and values"
}
