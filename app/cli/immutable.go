package cli

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) immutable() *cobra.Command {
	c := &cobra.Command{
		Use:   "immutable",
		Short: "Say which tags cannot be moved or deleted",
		Long: `List the rules of immutable tags. The first push of such a tag decides: the same
image can be pushed again, another one is refused, and so is deleting the tag.`,
		Example: "  berth rules immutable add --repository 'acme/*' --tag 'v*' --except '*-rc*'",
		Args:    want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.Rules(ctx, app.RulesRequest{})
				if err != nil {
					return err
				}
				return p.printImmutable(reply)
			})
		},
	}
	c.AddCommand(p.immutableAdd(), p.immutableRemove())
	return c
}

func immutableName(r app.ImmutableRule, i int) string {
	switch {
	case r.Name != "":
		return r.Name
	case len(r.Tags) > 0:
		return r.Tags[0]
	}
	return "rule " + strconv.Itoa(i+1)
}

func (p *program) printImmutable(reply app.RulesReply) error {
	return p.print(reply, func() error {
		if reply.ImmutableLocked != "" {
			fmt.Fprintf(p.Err, "They are set by %s, and cannot be changed here.\n", reply.ImmutableLocked)
		}
		if len(reply.Immutable) == 0 {
			fmt.Fprintln(p.Err, "No tag is immutable. To make some: berth rules immutable add --help")
			return nil
		}
		t := table{head: []string{">#", "NAME", "REPOSITORIES", "TAGS"}}
		for i, r := range reply.Immutable {
			t.add(strconv.Itoa(i+1), immutableName(r, i), anything(r.Repositories), tagsOf(r.Tags, r.Except))
		}
		return t.write(p.Out)
	})
}

func (p *program) immutableAdd() *cobra.Command {
	var r app.ImmutableRule
	c := &cobra.Command{
		Use: "add", Short: "Make tags immutable, from now on", Args: want(0, 0, "no argument; the rule is in the flags"),
		Example: "  berth rules immutable add --tag 'v*'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.changeImmutable(cmd, func(rules []app.ImmutableRule) ([]app.ImmutableRule, error) { return append(rules, r), nil })
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := c.Flags()
	f.StringVar(&r.Name, "name", "", "what refusals call the rule")
	f.StringArrayVar(&r.Repositories, "repository", nil, "pattern of repositories; again for more (default all)")
	f.StringArrayVar(&r.Tags, "tag", nil, "pattern of tags; again for more (default all)")
	f.StringArrayVar(&r.Except, "except", nil, "pattern of tags that can be moved all the same")
	return c
}

func (p *program) immutableRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove RULE...", Aliases: []string{"rm"}, Short: "Let tags be moved and deleted again", Args: want(1, -1, "one rule, by name or number"),
		Example: "  berth rules immutable remove 1",
		RunE: func(cmd *cobra.Command, args []string) error {
			var first []app.ImmutableRule
			return p.changeImmutable(cmd, func(rules []app.ImmutableRule) ([]app.ImmutableRule, error) {
				if first == nil {
					first = rules
				}
				gone := map[int]bool{}
				for _, name := range args {
					i := slices.IndexFunc(rules, func(r app.ImmutableRule) bool { return immutableName(r, -1) == name })
					if n, err := strconv.Atoi(name); i < 0 && err == nil && n >= 1 && n <= len(rules) {
						if i = n - 1; i >= len(first) || !reflect.DeepEqual(first[i], rules[i]) {
							return nil, rulesMoved("berth rules immutable")
						}
					}
					if i < 0 {
						return nil, &app.Problem{
							Code: "not_found", Severity: "error", Title: fmt.Sprintf("There is no rule %s of immutable tags", name),
							Text: "Nothing was changed.", Fix: "These are there:", Command: "berth rules immutable", Exit: 3,
						}
					}
					gone[i] = true
				}
				left := []app.ImmutableRule{}
				for i, r := range rules {
					if !gone[i] {
						left = append(left, r)
					}
				}
				return left, nil
			})
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return p.complete(cmd, func(ctx context.Context, s app.Service) (names []string, err error) {
				reply, err := s.Rules(ctx, app.RulesRequest{})
				for i, r := range reply.Immutable {
					names = append(names, immutableName(r, i))
				}
				return names, err
			}), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func (p *program) changeImmutable(cmd *cobra.Command, change func([]app.ImmutableRule) ([]app.ImmutableRule, error)) error {
	return p.with(cmd, func(ctx context.Context, s app.Service) error {
		reply, err := swapRules(ctx, s, func(reply app.RulesReply) (r app.SetRulesRequest, err error) {
			rules, err := change(slices.Clone(reply.Immutable))
			r.Immutable = &rules
			return r, err
		})
		if err != nil {
			return err
		}
		return p.printImmutable(reply)
	})
}
