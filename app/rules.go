package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"berth/app/config"
	"berth/registry/retention"
)

// The settings that hold rules.
const (
	keyRules     = "berth.cleanup.rules"
	keyImmutable = "berth.immutable"
)

// CodeRulesChanged is the code of the problem that the rules were changed since
// they were read; see [SetRulesRequest].
const CodeRulesChanged = "rules_changed"

// Rules gives the rules in effect; see [Service].
func (c *Core) Rules(context.Context, RulesRequest) (RulesReply, error) {
	return rulesOf(c.conf()), nil
}

func rulesOf(cfg *config.Config) RulesReply {
	reply := RulesReply{
		Rules: []Rule{}, Immutable: []ImmutableRule{},
		Locked: lockedBy(cfg, keyRules), ImmutableLocked: lockedBy(cfg, keyImmutable),
	}
	for _, p := range cfg.Berth.Cleanup.Rules {
		reply.Rules = append(reply.Rules, ruleRow(p))
	}
	for _, p := range cfg.Berth.Immutable {
		reply.Immutable = append(reply.Immutable, ImmutableRule(p))
	}
	if text, err := json.Marshal([]any{reply.Rules, reply.Immutable}); err == nil { // which words and numbers cannot fail
		sum := sha256.Sum256(text)
		reply.Version = hex.EncodeToString(sum[:8])
	}
	return reply
}

// lockedBy says what decides on a setting so that it cannot be changed here.
func lockedBy(cfg *config.Config, key string) string {
	if by, ok := cfg.Locked(key); ok {
		return by.String()
	}
	return ""
}

// SetRules replaces rules; see [Service]. Either all of the request is taken, or
// nothing.
func (c *Core) SetRules(ctx context.Context, r SetRulesRequest) (RulesReply, error) {
	values := map[string]string{}
	if r.Rules != nil {
		policies, err := policiesOf(*r.Rules)
		if err != nil {
			return RulesReply{}, rulesProblem(err)
		}
		if values[keyRules], err = written(policies); err != nil {
			return RulesReply{}, err
		}
	}
	if r.Immutable != nil {
		protects, err := protectsOf(*r.Immutable)
		if err != nil {
			return RulesReply{}, rulesProblem(err)
		}
		if values[keyImmutable], err = written(protects); err != nil {
			return RulesReply{}, err
		}
	}
	for key := range values {
		if by := lockedBy(c.conf(), key); by != "" {
			return RulesReply{}, rulesLocked(key, by)
		}
	}
	if len(values) > 0 {
		if err := c.changeSettings(ctx, values, r.unchanged); err != nil {
			return RulesReply{}, AsProblem(err)
		}
	}
	return c.Rules(ctx, RulesRequest{})
}

// unchanged refuses rules that were made from others than those of was.
func (r SetRulesRequest) unchanged(was *config.Config) error {
	if r.Version == "" || r.Version == rulesOf(was).Version {
		return nil
	}
	return &Problem{
		Code: CodeRulesChanged, Severity: severityError, Title: "The rules were changed by somebody else",
		Text: "What you changed was made from the rules as they were before.", Fix: "Nothing was changed. Look at them, and try again:",
		Command: "berth rules", Exit: exitConflict,
	}
}

// written writes a setting as it stands in a file.
func written[T any](list []T) (string, error) {
	if len(list) == 0 {
		return "[]", nil
	}
	text, err := yaml.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("write rules: %w", err)
	}
	return string(text), nil
}

func ruleRow(p retention.Policy) Rule {
	return Rule{
		Name: p.Name, Repositories: p.Repositories, Tags: p.Tags, Except: p.Except, Newest: p.Keep.Newest, Versions: p.Keep.Versions,
		Younger: ageText(p.Keep.Younger), Pulled: ageText(p.Keep.Pulled), Always: p.Keep.Always, Untagged: ageText(p.Untagged), Off: p.Off,
	}
}

func ageText(a retention.Age) string {
	if a == 0 {
		return ""
	}
	return a.String()
}

// policiesOf reads rules, and says all that is wrong with them.
func policiesOf(rules []Rule) ([]retention.Policy, error) {
	policies, failed := make([]retention.Policy, len(rules)), []error(nil)
	for i, r := range rules {
		p := &policies[i]
		*p = retention.Policy{
			Name: strings.TrimSpace(r.Name), Repositories: r.Repositories, Tags: r.Tags, Except: r.Except, Off: r.Off,
			Keep: retention.Keep{Newest: r.Newest, Versions: r.Versions, Always: r.Always},
		}
		for _, age := range []struct {
			name, text string
			into       *retention.Age
		}{{"younger", r.Younger, &p.Keep.Younger}, {"pulled", r.Pulled, &p.Keep.Pulled}, {"untagged", r.Untagged, &p.Untagged}} {
			if age.text == "" {
				continue
			}
			if err := age.into.UnmarshalText([]byte(age.text)); err != nil {
				failed = append(failed, fmt.Errorf("cleanup rule %d (%q): %s: %w", i+1, ruleName(p.Name, i), age.name, err))
			}
		}
	}
	if len(failed) > 0 {
		return nil, errors.Join(failed...)
	}
	return policies, retention.Validate(policies)
}

// ruleName is what reasons call the i-th rule.
func ruleName(name string, i int) string {
	if name == "" {
		return "rule " + strconv.Itoa(i+1)
	}
	return name
}

func protectsOf(rules []ImmutableRule) ([]retention.Protect, error) {
	protects := make([]retention.Protect, len(rules))
	for i, r := range rules {
		protects[i] = retention.Protect(r)
		if len(r.Repositories)+len(r.Tags)+len(r.Except) == 0 {
			return nil, fmt.Errorf("immutability rule %d says nothing; give it tags, such as v*, or * for all", i+1)
		}
	}
	_, err := retention.NewProtection(protects)
	return protects, err
}

func rulesProblem(err error) *Problem {
	return &Problem{
		Code: "rules_invalid", Severity: severityError, Title: "The rules cannot be used",
		Text: sentence(strings.ReplaceAll(err.Error(), "\n", "; ")), Fix: "Nothing was changed. Correct them and try again.", Exit: exitUsage,
	}
}

func rulesLocked(key, by string) *Problem {
	what := "The rules"
	if key == keyImmutable {
		what = "The rules of immutable tags"
	}
	return &Problem{
		Code: "locked", Severity: severityError, Title: what + " are set by " + by,
		Text: "A variable or a flag decides on “" + key + "”, so it cannot be changed here.",
		Fix:  "Take it away and start Berth again, or change it there.", Exit: exitConflict,
	}
}
