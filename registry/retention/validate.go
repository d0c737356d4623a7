package retention

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Validate says what is wrong with rules, all at once: each error names the
// rule, and what to do. Evaluate drops nothing by rules that are not valid.
func Validate(policies []Policy) error {
	_, err := compileAll(policies)
	return err
}

// rule is a policy that can be asked.
type rule struct {
	Policy
	name                       string
	repos, tags, except, force patterns
	because                    reasons
}

func compileAll(policies []Policy) ([]rule, error) {
	rules, failed := make([]rule, len(policies)), []error(nil)
	names := map[string]int{}
	for i, p := range policies {
		r := &rules[i]
		r.Policy, r.name = p, p.Name
		if r.name == "" {
			r.name = "rule " + strconv.Itoa(i+1)
		}
		if first, ok := names[r.name]; ok {
			failed = append(failed, fmt.Errorf("cleanup rules %d and %d are both called %q; give one another name", first, i+1, r.name))
		} else {
			names[r.name] = i + 1
		}
		if err := r.compile(); err != nil {
			failed = append(failed, fmt.Errorf("cleanup rule %d (%q): %w", i+1, r.name, err))
		}
		r.because = r.sentences()
	}
	return rules, errors.Join(failed...)
}

func (r *rule) compile() error {
	var failed []error
	say := func(err error) {
		if err != nil {
			failed = append(failed, err)
		}
	}
	for _, field := range []struct {
		name  string
		texts []string
		repos bool
		into  *patterns
	}{
		{"repositories", r.Repositories, true, &r.repos},
		{"tags", r.Tags, false, &r.tags},
		{"except", r.Except, false, &r.except},
		{"keep.always", r.Keep.Always, false, &r.force},
	} {
		var err error
		if *field.into, err = compile(field.texts, field.repos); err != nil {
			say(fmt.Errorf("%s: %w", field.name, err))
		}
	}
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"keep.newest", int64(r.Keep.Newest)},
		{"keep.versions", int64(r.Keep.Versions)},
		{"keep.younger", int64(r.Keep.Younger)},
		{"keep.pulled", int64(r.Keep.Pulled)},
		{"untagged", int64(r.Untagged)},
	} {
		if n.value < 0 {
			say(fmt.Errorf("%s is negative; leave it out for none", n.name))
		}
	}
	k := r.Keep
	switch {
	case k.empty() && (len(r.Tags) > 0 || len(r.Except) > 0):
		say(errors.New("keep is empty, so all its tags would go; say what stays, such as keep: {newest: 10} or keep: {younger: 30d}"))
	case k.empty() && r.Untagged == 0:
		say(errors.New("it says neither keep nor untagged, so it does nothing; add one of them, such as keep: {newest: 10}"))
	case !k.empty() && !k.conditions() && !r.keepsAll():
		say(errors.New("keep has nothing but always, so all other tags would go; add newest, versions, younger or pulled, or say always: ['*'] to keep all that it selects"))
	}
	return errors.Join(failed...)
}

// keepsAll reports whether the rule keeps whatever it selects.
func (r *rule) keepsAll() bool {
	return slices.ContainsFunc(r.Keep.Always, func(p string) bool { return p == "*" || p == "**" || slices.Contains(r.Tags, p) && len(r.Tags) == 1 })
}

// speaksOfTags reports whether the rule judges tags of a repository at all.
func (r *rule) speaksOfTags() bool { return !r.Keep.empty() }

// forRepository reports whether the rule speaks of a repository.
func (r *rule) forRepository(repo string) bool {
	return !r.Off && (len(r.repos) == 0 || r.repos.match(repo))
}

// selects reports whether the rule speaks of a tag.
func (r *rule) selects(tag string) bool {
	return (len(r.tags) == 0 || r.tags.match(tag)) && !r.except.match(tag) && (r.Keep.Versions == 0 || isVersion(tag))
}
