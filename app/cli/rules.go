package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) rules() *cobra.Command {
	c := &cobra.Command{
		Use:   "rules",
		Short: "Say which tags a clean-up keeps, and see what that would drop",
		Long: `List the rules. A rule speaks of the tags that it selects, and keeps those that
meet any of its conditions. A tag goes only if every rule that speaks of it would
drop it; what no rule speaks of stays. Dropped tags go to the trash.

Patterns are globs (* is anything, in a repository anything without a slash, **
anything; {a,b} is either), or regular expressions behind re:.`,
		Example: `  berth rules add --repository 'acme/*' --tag 'pr-*' --newest 5 --younger 7d
  berth rules preview --dropped
  berth rules apply`,
		Args: want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.Rules(ctx, app.RulesRequest{})
				if err != nil {
					return err
				}
				return p.printRules(reply)
			})
		},
	}
	c.AddCommand(p.rulesPreview(), p.rulesApply(), p.rulesAdd(), p.rulesEdit(), p.rulesSwitch("on", "Switch rules on"),
		p.rulesSwitch("off", "Switch rules off, without forgetting them"), p.rulesRemove(), p.rulesSet(), p.immutable())
	return c
}

func (p *program) printRules(reply app.RulesReply) error {
	return p.print(reply, func() error {
		if len(reply.Rules) == 0 {
			fmt.Fprintln(p.Err, "There are no rules, so nothing is dropped. To make one: berth rules add --help")
		} else {
			t := table{head: []string{">#", "NAME", "REPOSITORIES", "TAGS", "KEEPS", "STATE"}}
			for i, r := range reply.Rules {
				state := "on"
				if r.Off {
					state = "off"
				}
				t.add(strconv.Itoa(i+1), ruleName(r, i), anything(r.Repositories), tagsOf(r.Tags, r.Except), keeps(r), state)
			}
			if err := t.write(p.Out); err != nil {
				return err
			}
		}
		if reply.Locked != "" {
			fmt.Fprintf(p.Err, "They are set by %s, and cannot be changed here.\n", reply.Locked)
		}
		if len(reply.Immutable) > 0 {
			fmt.Fprintln(p.Err, "There are immutable tags, too: berth rules immutable")
		}
		return nil
	})
}

// ruleName is what reasons call a rule.
func ruleName(r app.Rule, i int) string {
	if r.Name != "" {
		return r.Name
	}
	return "rule " + strconv.Itoa(i+1)
}

func anything(patterns []string) string {
	if len(patterns) == 0 {
		return "all"
	}
	return strings.Join(patterns, " ")
}

func tagsOf(tags, except []string) string {
	if len(except) == 0 {
		return anything(tags)
	}
	return anything(tags) + " except " + strings.Join(except, " ")
}

// keeps says in a few words what a rule keeps.
func keeps(r app.Rule) string {
	var parts []string
	say := func(ok bool, format string, a ...any) {
		if ok {
			parts = append(parts, fmt.Sprintf(format, a...))
		}
	}
	say(r.Newest > 0, "newest %d", r.Newest)
	say(r.Versions > 0, "newest %d by version", r.Versions)
	say(r.Younger != "", "younger than %s", r.Younger)
	say(r.Pulled != "", "pulled within %s", r.Pulled)
	say(len(r.Always) > 0, "always %s", strings.Join(r.Always, " "))
	say(r.Untagged != "", "untagged for %s", r.Untagged)
	return strings.Join(parts, ", ")
}

// ruleWords are the flags that a rule is made of.
var ruleWords = []string{"repository", "tag", "except", "always", "newest", "versions", "younger", "pulled", "untagged", "name"}

// ruleFlags are the words of a rule.
func ruleFlags(c *cobra.Command, r *app.Rule) {
	f := c.Flags()
	f.StringVar(&r.Name, "name", "", "what reasons call the rule")
	f.StringArrayVar(&r.Repositories, "repository", nil, "pattern of repositories it is for; again for more (default all)")
	f.StringArrayVar(&r.Tags, "tag", nil, "pattern of tags it speaks of; again for more (default all)")
	f.StringArrayVar(&r.Except, "except", nil, "pattern of tags it does not speak of")
	f.IntVar(&r.Newest, "newest", 0, "keep this many images, by their last push, in each repository")
	f.IntVar(&r.Versions, "versions", 0, "keep this many, by version; then it speaks of versions only")
	f.StringVar(&r.Younger, "younger", "", "keep what was pushed within, such as 7d or 36h")
	f.StringVar(&r.Pulled, "pulled", "", "keep what was pulled within, such as 30d")
	f.StringArrayVar(&r.Always, "always", nil, "pattern of tags that stay, whatever other rules say")
	f.StringVar(&r.Untagged, "untagged", "", "drop manifests without a tag after, such as 14d")
	for _, name := range ruleWords {
		if err := c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions); err != nil {
			panic(err) // the lines above define them
		}
	}
}

func (p *program) rulesAdd() *cobra.Command {
	var r app.Rule
	c := &cobra.Command{
		Use:   "add",
		Short: "Make a rule",
		Long: `Make a rule. It drops nothing by itself: berth rules preview shows what it would
drop, and berth rules apply, or the next clean-up, does it.`,
		Example: `  berth rules add --repository 'acme/*' --tag 'pr-*' --newest 5 --younger 7d
  berth rules add --name releases --tag 'v*' --versions 20
  berth rules add --name leftovers --untagged 14d`,
		Args: want(0, 0, "no argument; the rule is in the flags"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.changeRules(cmd, func(rules []app.Rule) ([]app.Rule, error) { return append(rules, r), nil })
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	ruleFlags(c, &r)
	c.Flags().BoolVar(&r.Off, "off", false, "make it, but leave it off")
	return c
}

func (p *program) rulesEdit() *cobra.Command {
	var r app.Rule
	c := &cobra.Command{
		Use:   "edit RULE",
		Short: "Change words of a rule, given by name or number",
		Long: `Change a rule, which is named, or given by its number in berth rules. What a flag
says replaces what the rule said; --tag '' takes all patterns away, and 0 a number.`,
		Example: "  berth rules edit releases --versions 50\n  berth rules edit 2 --younger 14d --pulled ''",
		Args:    want(1, 1, "one rule"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !words(cmd) {
				return usage(cmd, "say what of the rule changes, such as --newest 20")
			}
			seen := picked{}
			return p.changeRules(cmd, func(rules []app.Rule) ([]app.Rule, error) {
				i, err := seen.find(rules, args[0])
				if err == nil {
					merge(cmd, &rules[i], r)
				}
				return rules, err
			})
		},
		ValidArgsFunction: p.completeRules(1),
	}
	ruleFlags(c, &r)
	return c
}

// words reports whether any flag said a word of a rule.
func words(cmd *cobra.Command) bool { return slices.ContainsFunc(ruleWords, cmd.Flags().Changed) }

// merge takes what flags said into a rule.
func merge(cmd *cobra.Command, into *app.Rule, from app.Rule) {
	said := cmd.Flags().Changed
	list := func(name string, into *[]string, from []string) {
		if said(name) {
			*into = slices.DeleteFunc(from, func(s string) bool { return s == "" })
		}
	}
	list("repository", &into.Repositories, from.Repositories)
	list("tag", &into.Tags, from.Tags)
	list("except", &into.Except, from.Except)
	list("always", &into.Always, from.Always)
	for name, text := range map[string][2]*string{
		"name": {&into.Name, &from.Name}, "younger": {&into.Younger, &from.Younger},
		"pulled": {&into.Pulled, &from.Pulled}, "untagged": {&into.Untagged, &from.Untagged},
	} {
		if said(name) {
			*text[0] = *text[1]
		}
	}
	if said("newest") {
		into.Newest = from.Newest
	}
	if said("versions") {
		into.Versions = from.Versions
	}
}

func (p *program) rulesSwitch(to, short string) *cobra.Command {
	return &cobra.Command{
		Use: to + " RULE...", Short: short, Args: want(1, -1, "one rule, or more"), Example: "  berth rules " + to + " releases",
		RunE: func(cmd *cobra.Command, args []string) error {
			seen := picked{}
			return p.changeRules(cmd, func(rules []app.Rule) ([]app.Rule, error) {
				for _, name := range args {
					i, err := seen.find(rules, name)
					if err != nil {
						return nil, err
					}
					rules[i].Off = to == "off"
				}
				return rules, nil
			})
		},
		ValidArgsFunction: p.completeRules(0),
	}
}

func (p *program) rulesRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove RULE...", Aliases: []string{"rm"}, Short: "Forget rules", Args: want(1, -1, "one rule, or more"),
		Example: "  berth rules remove releases\n  berth rules remove 2",
		RunE: func(cmd *cobra.Command, args []string) error {
			seen := picked{}
			return p.changeRules(cmd, func(rules []app.Rule) ([]app.Rule, error) {
				gone := map[int]bool{}
				for _, name := range args {
					i, err := seen.find(rules, name)
					if err != nil {
						return nil, err
					}
					gone[i] = true
				}
				left := []app.Rule{}
				for i, r := range rules {
					if !gone[i] {
						left = append(left, r)
					}
				}
				return left, nil
			})
		},
		ValidArgsFunction: p.completeRules(0),
	}
}

// changeRules replaces the rules by what change makes of them, and shows them.
func (p *program) changeRules(cmd *cobra.Command, change func([]app.Rule) ([]app.Rule, error)) error {
	return p.with(cmd, func(ctx context.Context, s app.Service) error {
		reply, err := swapRules(ctx, s, func(reply app.RulesReply) (r app.SetRulesRequest, err error) {
			rules, err := change(slices.Clone(reply.Rules))
			r.Rules = &rules
			return r, err
		})
		if err != nil {
			return err
		}
		if err := p.printRules(reply); err != nil {
			return err
		}
		p.warnOfRules(ctx, s)
		return nil
	})
}

// findRule finds a rule by its name, or else by its number.
func findRule(rules []app.Rule, name string) (int, error) {
	for i, r := range rules {
		if ruleName(r, i) == name {
			return i, nil
		}
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= len(rules) {
		return n - 1, nil
	}
	return 0, &app.Problem{
		Code: "not_found", Severity: "error", Title: fmt.Sprintf("There is no rule %s", name),
		Text: "Nothing was changed.", Fix: "These are there:", Command: "berth rules", Exit: 3,
	}
}

func (p *program) rulesSet() *cobra.Command {
	return &cobra.Command{
		Use:   "set FILE",
		Short: "Replace all rules by those of a YAML file; - is standard input",
		Long: `Replace all rules by those of a file: a list in YAML, as it stands under
berth.cleanup.rules in config.yml. Either all of it is taken, or nothing. [] is a
list of none; an empty file is refused.`,
		Example: "  berth rules set rules.yml\n  berth config show berth.cleanup.rules",
		Args:    want(1, 1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readFile(cmd, args[0])
			if err != nil {
				return err
			}
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				if _, err := s.Apply(ctx, app.ApplyRequest{Values: map[string]string{"berth.cleanup.rules": text}}); err != nil {
					return err
				}
				reply, err := s.Rules(ctx, app.RulesRequest{})
				if err != nil {
					return err
				}
				return p.printRules(reply)
			})
		},
	}
}

// maxRules bounds a file of rules.
const maxRules = 1 << 20

func readFile(cmd *cobra.Command, name string) (string, error) {
	in := cmd.InOrStdin()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", usage(cmd, err.Error())
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxRules))
	if err == nil && strings.TrimSpace(string(text)) == "" {
		return "", &app.Problem{
			Code: "usage", Severity: "error", Exit: exitUsage, Title: "There is nothing in " + name,
			Text: "No rule was changed.", Fix: "To forget all rules, say so with an empty list:", Command: "echo '[]' | berth rules set -",
		}
	}
	return string(text), err
}

func (p *program) completeRules(most int) completion {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return p.complete(cmd, func(ctx context.Context, s app.Service) (names []string, err error) {
			reply, err := s.Rules(ctx, app.RulesRequest{})
			for i, r := range reply.Rules {
				if name := ruleName(r, i); strings.HasPrefix(name, typed) && !slices.Contains(args, name) {
					names = append(names, name)
				}
			}
			return names, err
		}), cobra.ShellCompDirectiveNoFileComp
	}
}
