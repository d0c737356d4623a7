package retention

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

const (
	// maxPattern bounds a pattern, and maxBraces what its braces make of it.
	maxPattern = 512
	maxBraces  = 64
)

// pattern is one glob or regular expression.
type pattern struct {
	text  string
	globs []string       // without braces; of a tag
	re    *regexp.Regexp // of a repository, and of whatever is a regular expression
}

// patterns match what one of them matches.
type patterns []pattern

func (ps patterns) match(name string) bool {
	_, ok := ps.first(name)
	return ok
}

// first gives the text of the first pattern that matches.
func (ps patterns) first(name string) (string, bool) {
	for i := range ps {
		if ps[i].match(name) {
			return ps[i].text, true
		}
	}
	return "", false
}

func (p *pattern) match(name string) bool {
	if p.re != nil {
		return p.re.MatchString(name)
	}
	for _, g := range p.globs {
		if wildcard(g, name) {
			return true
		}
	}
	return false
}

// Repositories gives what matches a pattern of repositories, as in a rule.
func Repositories(text string) (func(name string) bool, error) {
	p, err := compileOne(text, true)
	return p.match, err
}

// compile reads patterns; those of repositories know components.
func compile(texts []string, repositories bool) (patterns, error) {
	out, failed := make(patterns, 0, len(texts)), []error(nil)
	for _, text := range texts {
		p, err := compileOne(text, repositories)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		out = append(out, p)
	}
	return out, errors.Join(failed...)
}

func compileOne(text string, repositories bool) (pattern, error) {
	if text == "" || len(text) > maxPattern {
		return pattern{}, fmt.Errorf("the pattern %.40q must have between 1 and %d characters", text, maxPattern)
	}
	if expression, ok := expression(text); ok {
		// By itself first: an error must speak of what was written, and nothing
		// in it may close our parentheses.
		_, err := regexp.Compile(expression)
		if err != nil {
			return pattern{}, fmt.Errorf("%q is not a regular expression: %w", text, err)
		}
		re, err := regexp.Compile(`\A(?:` + expression + `)\z`)
		if err != nil {
			return pattern{}, fmt.Errorf("%q is not a regular expression: %w", text, err)
		}
		return pattern{text: text, re: re}, nil
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return !inGlob(r, repositories) }); i >= 0 {
		return pattern{}, fmt.Errorf("the pattern %q has a %q, which no name has; a regular expression begins with re: or stands between slashes", text, []rune(text[i:])[0])
	}
	globs, err := braces(text)
	if err != nil {
		return pattern{}, err
	}
	if !repositories {
		return pattern{text: text, globs: globs}, nil
	}
	for i, g := range globs {
		globs[i] = translate(g)
	}
	re, err := regexp.Compile(`\A(?:` + strings.Join(globs, "|") + `)\z`)
	if err != nil {
		return pattern{}, fmt.Errorf("the pattern %q cannot be used: %w", text, err)
	}
	return pattern{text: text, re: re}, nil
}

// expression finds the regular expression in "re:…" and "/…/".
func expression(text string) (string, bool) {
	if rest, ok := strings.CutPrefix(text, "re:"); ok {
		return rest, true
	}
	if len(text) > 2 && text[0] == '/' && text[len(text)-1] == '/' {
		return text[1 : len(text)-1], true
	}
	return "", false
}

func inGlob(r rune, repositories bool) bool {
	switch {
	case 'a' <= r && r <= 'z', '0' <= r && r <= '9', strings.ContainsRune("._-*?{,}", r):
		return true
	case 'A' <= r && r <= 'Z':
		return !repositories
	}
	return repositories && r == '/'
}

// braces writes a glob with {a,b} as several without. They do not nest.
func braces(text string) ([]string, error) {
	out := []string{""}
	for rest := text; rest != ""; {
		open := strings.IndexAny(rest, "{},")
		if open < 0 {
			open = len(rest)
		}
		for i := range out {
			out[i] += rest[:open]
		}
		if open == len(rest) {
			break
		}
		end := strings.IndexAny(rest[open+1:], "{}")
		if rest[open] != '{' || end < 0 || rest[open+1+end] != '}' {
			return nil, fmt.Errorf("the braces of the pattern %q do not fit; write {a,b}", text)
		}
		choices := strings.Split(rest[open+1:open+1+end], ",")
		if len(out)*len(choices) > maxBraces {
			return nil, fmt.Errorf("the braces of the pattern %q stand for more than %d patterns", text, maxBraces)
		}
		var next []string
		for _, o := range out {
			for _, c := range choices {
				next = append(next, o+c)
			}
		}
		out, rest = next, rest[open+end+2:]
	}
	return out, nil
}

// translate writes the glob of a repository as a regular expression, which
// takes time by the length of the name and nothing else.
func translate(glob string) string {
	var b strings.Builder
	for i := 0; i < len(glob); i++ {
		rest := glob[i:]
		switch {
		case strings.HasPrefix(rest, "**/") && (i == 0 || glob[i-1] == '/'):
			b.WriteString(`(?:.*/)?`)
			i += 2
		case strings.HasPrefix(rest, "**"):
			b.WriteString(`.*`)
			i++
		case glob[i] == '*':
			b.WriteString(`[^/]*`)
		case glob[i] == '?':
			b.WriteString(`[^/]`)
		default:
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
	}
	return b.String()
}

// wildcard matches the glob of a tag: * is anything, ? one character. It goes
// back to the last * only, so it takes at most the product of both lengths.
func wildcard(glob, name string) bool {
	i, j, star, from := 0, 0, -1, 0
	for j < len(name) {
		switch {
		case i < len(glob) && glob[i] == '*':
			star, from = i, j
			i++
		case i < len(glob) && (glob[i] == '?' || glob[i] == name[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(glob[i:], "*") == ""
}
