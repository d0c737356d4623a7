package cli

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"berth/app"
)

// mostSwaps bounds how often rules that others keep changing are tried again.
const mostSwaps = 100

// swapRules sets what change makes of the rules in effect, anew when others
// changed them meanwhile.
func swapRules(ctx context.Context, s app.Service, change func(app.RulesReply) (app.SetRulesRequest, error)) (app.RulesReply, error) {
	for n := 1; ; n++ {
		was, err := s.Rules(ctx, app.RulesRequest{})
		if err != nil {
			return was, err
		}
		r, err := change(was)
		if err != nil {
			return was, err
		}
		r.Version = was.Version
		is, err := s.SetRules(ctx, r)
		if p, ok := errors.AsType[*app.Problem](err); ok && p.Code == app.CodeRulesChanged && n < mostSwaps {
			continue
		}
		return is, err
	}
}

// picked finds rules by what a person called them. A number means the rule that
// stood there at the first look, whatever others change meanwhile.
type picked map[string]app.Rule

func (seen picked) find(rules []app.Rule, name string) (int, error) {
	i, err := findRule(rules, name)
	if err == nil && rules[i].Name == name {
		return i, nil
	}
	was, again := seen[name]
	if err == nil && !again {
		seen[name] = cloneRule(rules[i])
		return i, nil
	}
	if again && (err != nil || !reflect.DeepEqual(was, rules[i])) {
		return 0, rulesMoved("berth rules")
	}
	return i, err
}

// cloneRule is for a copy that does not change when the rule is edited.
func cloneRule(r app.Rule) app.Rule {
	r.Repositories, r.Tags, r.Except, r.Always = slices.Clone(r.Repositories), slices.Clone(r.Tags), slices.Clone(r.Except), slices.Clone(r.Always)
	return r
}

func rulesMoved(command string) error {
	return &app.Problem{
		Code: app.CodeRulesChanged, Severity: "error", Title: "Somebody else changed the rules meanwhile",
		Text: "Another rule has that number now, so nothing was changed.", Fix: "Look at them, and try again:", Command: command, Exit: 4,
	}
}
