package retention

import (
	"slices"
	"strconv"
	"strings"
)

// Rules are policies that can be asked. They are safe for concurrent use.
type Rules struct{ rules []rule }

// Compile reads policies; the error is that of [Validate].
func Compile(policies []Policy) (*Rules, error) {
	rules, err := compileAll(policies)
	if err != nil {
		return nil, err
	}
	return &Rules{rules}, nil
}

// Len counts the rules.
func (r *Rules) Len() int { return len(r.rules) }

// Name gives what reasons call the i-th rule.
func (r *Rules) Name(i int) string { return r.rules[i].name }

// Alone gives the i-th rule as if there were no other, and as if it were on.
func (r *Rules) Alone(i int) *Rules {
	alone := r.rules[i]
	alone.Off = false
	return &Rules{[]rule{alone}}
}

// For gives the rules that speak of a repository; nil when there are none.
func (r *Rules) For(repo string) *Rules {
	var out []rule
	for i := range r.rules {
		if r.rules[i].forRepository(repo) {
			out = append(out, r.rules[i])
		}
	}
	if len(out) == 0 {
		return nil
	}
	return &Rules{out}
}

// Key is the same for rules that judge alike, and give the same reasons.
func (r *Rules) Key() string {
	if r == nil {
		return ""
	}
	var b strings.Builder
	for i := range r.rules {
		r := &r.rules[i]
		b.WriteString(r.scopeKey())
		for _, text := range append([]string{r.name}, r.Repositories...) {
			b.WriteString(strconv.Quote(text))
		}
		for _, n := range []Age{r.Keep.Younger, r.Keep.Pulled, r.Untagged} {
			b.WriteString(" " + strconv.FormatInt(int64(n), 10))
		}
		b.WriteString(strconv.FormatBool(r.Off))
	}
	return b.String()
}

// scopeKey names what of a rule decides about tags whatever the time is.
func (r *rule) scopeKey() string {
	var b strings.Builder
	for _, texts := range [][]string{r.Tags, r.Except, r.Keep.Always} {
		for _, text := range texts {
			b.WriteString(strconv.Quote(text))
		}
		b.WriteByte(';')
	}
	b.WriteString(strconv.Itoa(r.Keep.Newest) + ";" + strconv.Itoa(r.Keep.Versions) + ";")
	return b.String()
}

// scope is what a rule says of the tags of a group whatever the time is.
type scope struct {
	chosen           []int32 // places of the tags that it speaks of
	open             []int32 // those of them that only time can keep
	newest, versions numbers
}

// scope finds out what a rule says of the tags, once.
func (g *Group) scope(r *rule) *scope {
	key := r.scopeKey()
	g.mu.Lock()
	s, ok := g.scopes[key]
	if !ok {
		if len(g.scopes) >= maxScopes {
			clear(g.scopes)
		}
		s = &lazyScope{}
		g.scopes[key] = s
	}
	g.mu.Unlock()
	s.once.Do(func() { s.scope = g.look(r) })
	return &s.scope
}

func (g *Group) look(r *rule) scope {
	s := scope{chosen: g.plain}
	if !r.everything() {
		s.chosen = make([]int32, 0, len(g.plain))
		for _, place := range g.plain {
			if r.selects(g.candidates[place].Tag) {
				s.chosen = append(s.chosen, place)
			}
		}
		s.chosen = slices.Clip(s.chosen)
	}
	s.newest = g.best(s.chosen, r.Keep.Newest, byPush)
	s.versions = g.best(s.chosen, r.Keep.Versions, byVersion)
	for _, place := range s.chosen {
		id := g.number[place]
		if g.settled(place) || s.newest.has(id) || s.versions.has(id) {
			continue
		}
		if len(r.force) > 0 && r.force.match(g.candidates[place].Tag) {
			continue
		}
		s.open = append(s.open, place)
	}
	return s
}

// everything reports whether a rule selects every tag.
func (r *rule) everything() bool {
	return (len(r.tags) == 0 || slices.Contains(r.Tags, "*")) && len(r.except) == 0 && r.Keep.Versions == 0
}
