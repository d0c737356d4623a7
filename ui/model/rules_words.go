package model

import (
	"strconv"
	"strings"

	"berth/app"
)

// ruleApplies says what a rule speaks of, as in the table: "acme/* :pr-*".
func ruleApplies(repositories, tags, except []string) string {
	s := "**"
	if len(repositories) > 0 {
		s = strings.Join(repositories, ", ")
	}
	if len(tags) > 0 {
		s += " :" + strings.Join(tags, ", ")
	}
	if len(except) > 0 {
		s += " not " + strings.Join(except, ", ")
	}
	return s
}

// ruleKeep says what a rule keeps: "newest 5, or younger than 7 days".
func ruleKeep(r app.Rule) string {
	var parts []string
	always := everything(r)
	if always {
		parts = []string{"always"}
	} else {
		if r.Newest > 0 {
			parts = append(parts, "newest "+strconv.Itoa(r.Newest))
		}
		if r.Versions > 0 {
			parts = append(parts, "newest "+Count(r.Versions, "version"))
		}
		if r.Younger != "" {
			parts = append(parts, "younger than "+Age(r.Younger))
		}
		if r.Pulled != "" {
			parts = append(parts, "pulled in the last "+since(r.Pulled))
		}
		if len(r.Always) > 0 {
			parts = append(parts, strings.Join(r.Always, ", ")+" always")
		}
	}
	text := strings.Join(parts, ", or ")
	if r.Untagged != "" {
		more := "untagged for " + Age(r.Untagged)
		if text == "" {
			return "all but what is " + more
		}
		text += "; not what is " + more
	}
	if text == "" {
		return "nothing"
	}
	return text
}

// ruleSentence says what a rule does in a whole sentence: "Of the tags pr-* in
// acme/*, keeps the newest 5, and what is younger than 7 days; the others go to
// the trash".
func ruleSentence(r app.Rule) string {
	after := ""
	if r.Untagged != "" {
		after = "; what has had no tag for " + Age(r.Untagged) + " goes to the trash"
	}
	if everything(r) {
		return "Keeps " + spokenTags(r) + ", whatever other rules say" + after
	}
	var kept []string
	add := func(ok bool, text string) {
		if ok {
			kept = append(kept, text)
		}
	}
	add(r.Newest > 0, "the newest "+strconv.Itoa(r.Newest))
	add(r.Versions > 0, "the newest "+Count(r.Versions, "version"))
	add(r.Younger != "", "what is younger than "+Age(r.Younger))
	add(r.Pulled != "", "what was pulled in the last "+since(r.Pulled))
	add(len(r.Always) > 0, "always "+strings.Join(r.Always, ", "))
	switch n := len(kept); {
	case n == 0 && after == "":
		return "Say what the rule keeps"
	case n == 0:
		return "Leaves " + spokenTags(r) + " alone" + after
	case n > 1:
		kept = append(kept[:n-2:n-2], kept[n-2]+" and "+kept[n-1])
	}
	return "Of " + spokenTags(r) + ", keeps " + strings.Join(kept, ", ") + "; the others go to the trash" + after
}

// spokenTags says what a rule speaks of: "the tags pr-* in acme/*".
func spokenTags(r app.Rule) string {
	tags, where := "all tags", "in every repository"
	if len(r.Tags) > 0 {
		tags = "the tags " + strings.Join(r.Tags, ", ")
	}
	if len(r.Except) > 0 {
		tags += " but not " + strings.Join(r.Except, ", ")
	}
	if len(r.Repositories) > 0 {
		where = "in " + strings.Join(r.Repositories, ", ")
	}
	return tags + " " + where
}

// everything says whether a rule keeps whatever it speaks of.
func everything(r app.Rule) bool {
	for _, a := range r.Always {
		if a == "*" || a == "**" || len(r.Tags) == 1 && r.Tags[0] == a {
			return true
		}
	}
	return false
}

// ruleName names a rule where verdicts do.
func ruleName(r app.Rule, i int) string {
	if r.Name != "" {
		return r.Name
	}
	return "rule " + strconv.Itoa(i+1)
}

// patternsOf parts what a person typed: at spaces, and at commas that do not
// stand in braces. A regular expression is taken whole.
func patternsOf(s string) []string {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "re:") || len(s) > 1 && s[0] == '/' && s[len(s)-1] == '/' {
		return []string{s}
	}
	if s == "" {
		return nil
	}
	depth := 0
	return strings.FieldsFunc(s, func(r rune) bool {
		switch r {
		case '{':
			depth++
		case '}':
			depth--
		case ' ', '\t':
			return true
		case ',':
			return depth <= 0
		}
		return false
	})
}

// valuesOf is a rule as the fields of the editor hold it.
func valuesOf(r app.Rule) map[RuleField]string {
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	return map[RuleField]string{
		FieldRepositories: strings.Join(r.Repositories, ", "), FieldTags: strings.Join(r.Tags, ", "), FieldExcept: strings.Join(r.Except, ", "),
		FieldNewest: number(r.Newest), FieldVersions: number(r.Versions), FieldYounger: r.Younger, FieldPulled: r.Pulled,
		FieldAlways: strings.Join(r.Always, ", "), FieldUntagged: r.Untagged,
	}
}

// ruleOf reads the fields of the editor over what a rule was, and says what is
// wrong with them.
func ruleOf(was app.Rule, v map[RuleField]string) (app.Rule, map[RuleField]string) {
	wrong := map[RuleField]string{}
	number := func(f RuleField) int {
		s := strings.TrimSpace(v[f])
		if s == "" {
			return 0
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || n > 1_000_000 {
			wrong[f] = "a number such as 5"
		}
		return n
	}
	age := func(f RuleField) string {
		s := strings.ReplaceAll(strings.TrimSpace(v[f]), " ", "")
		for long, short := range map[string]string{"days": "d", "day": "d", "weeks": "w", "week": "w", "hours": "h", "hour": "h"} {
			if n, ok := strings.CutSuffix(s, long); ok {
				s = n + short
				break
			}
		}
		if _, err := strconv.Atoi(s); err == nil && s != "" {
			s += "d"
		}
		if s != "" && Age(s) == s {
			wrong[f] = "an age such as 7d, 2w or 36h"
		}
		return s
	}
	was.Repositories, was.Tags, was.Except = patternsOf(v[FieldRepositories]), patternsOf(v[FieldTags]), patternsOf(v[FieldExcept])
	was.Newest, was.Versions, was.Younger, was.Pulled = number(FieldNewest), number(FieldVersions), age(FieldYounger), age(FieldPulled)
	was.Always, was.Untagged = patternsOf(v[FieldAlways]), age(FieldUntagged)
	return was, wrong
}

// ruleTitle begins a tooltip: a name as it was given, or "Rule 2".
func ruleTitle(r app.Rule, i int) string {
	if r.Name != "" {
		return r.Name
	}
	return capital(ruleName(r, i))
}
