package config

import (
	"fmt"
	"strings"
)

// Source is the kind of place a value comes from.
type Source string

// The sources, from weakest to strongest.
const (
	SourceDefault Source = "default"
	SourceFile    Source = "file"
	// SourceMade is a setting that was made while Berth ran.
	SourceMade Source = "settings"
	SourceEnv  Source = "environment"
	SourceFlag Source = "flag"
)

// Origin is where a value comes from.
type Origin struct {
	Source Source
	// Name is the file, the variable or the flag; empty for a default.
	Name string
	// Line in the file, from 1.
	Line int
}

// String reads as in "config.yml:12".
func (o Origin) String() string {
	switch {
	case o.Source == SourceDefault || o.Source == "":
		return "default"
	case o.Source == SourceMade:
		return "set here"
	case o.Line > 0:
		return fmt.Sprintf("%s:%d", o.Name, o.Line)
	}
	return o.Name
}

type origins struct {
	set   map[string]dated
	count int
}

type dated struct {
	Origin
	order int
}

func (o *origins) put(key string, from Origin) {
	if o.set == nil {
		o.set = map[string]dated{}
	}
	o.count++
	o.set[key] = dated{from, o.count}
}

// Origin says where the value of a key, such as "http.addr", comes from: the
// last place that set it or a section around it.
func (c *Config) Origin(key string) Origin {
	best := dated{Origin: Origin{Source: SourceDefault}}
	for key != "" {
		if d, ok := c.origins.set[key]; ok && d.order > best.order {
			best = d
		}
		key = key[:max(strings.LastIndexByte(key, '.'), 0)]
	}
	return best.Origin
}

// exact is Origin of a value that stands in no file: the sections of a file
// have a line each, but what they leave out is a default.
func (c *Config) exact(key string) Origin {
	o := c.Origin(key)
	if _, set := c.origins.set[key]; !set && o.Source == SourceFile {
		return Origin{Source: SourceDefault}
	}
	return o
}

// Explicit reports whether somebody asked for the value of a key.
func (c *Config) Explicit(key string) bool { return c.Origin(key).Source != SourceDefault }
