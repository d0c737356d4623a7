package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) rulesPreview() *cobra.Command {
	var r app.PreviewRulesRequest
	var rule string
	var all bool
	c := &cobra.Command{
		Use:   "preview",
		Short: "Show what rules would drop, and why; change nothing",
		Long: `Show what each rule would drop if it were the only one, and what they drop
together. With --verdicts, list each tag with the reason why it stays or goes;
with --dropped, only what goes. Nothing is changed.`,
		Example: "  berth rules preview\n  berth rules preview --dropped --repository acme/app\n  berth rules preview --rule releases --verdicts",
		Args:    want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r.Verdicts = r.Verdicts || r.Dropped || all || r.Search != "" || r.Repository != ""
			if all {
				r.Limit = 1 << 30
			}
			r.Repository = withoutHost(r.Repository)
			return p.with(cmd, func(ctx context.Context, s app.Service) error { return p.preview(ctx, s, r, rule) })
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := c.Flags()
	f.BoolVar(&r.Verdicts, "verdicts", false, "list each tag, and why it stays or goes")
	f.BoolVar(&r.Dropped, "dropped", false, "list only what goes")
	f.BoolVar(&all, "all", false, "list however many there are")
	f.StringVar(&r.Repository, "repository", "", "list tags of this repository only, or of those that a pattern matches")
	f.StringVar(&r.Search, "search", "", "list only what has this in its name or digest")
	f.IntVar(&r.Limit, "limit", 0, "how many are listed (default 1000)")
	f.StringVar(&rule, "rule", "", "only this rule, by name or number, as if it were on and the only one")
	if err := c.RegisterFlagCompletionFunc("rule", p.completeRules(0)); err != nil {
		panic(err) // the line above defines it
	}
	return c
}

func (p *program) preview(ctx context.Context, s app.Service, r app.PreviewRulesRequest, rule string) error {
	r.Measured = true
	rules, err := s.Rules(ctx, app.RulesRequest{})
	if err != nil {
		return err
	}
	list := rules.Rules
	if rule != "" {
		i, err := findRule(list, rule)
		if err != nil {
			return err
		}
		alone := list[i]
		alone.Name, alone.Off = ruleName(alone, i), false
		list = []app.Rule{alone}
		r.Rules = &list
	}
	reply, err := s.PreviewRules(ctx, r)
	if err != nil {
		return err
	}
	return p.print(reply, func() error {
		if err := p.printPreview(list, reply, r); err != nil {
			return err
		}
		p.warnEmptied(list, reply)
		return nil
	})
}

// warnEmptied says in one line that a repository would keep no tag at all.
func (p *program) warnEmptied(rules []app.Rule, reply app.PreviewRulesReply) {
	what, row := "The rules", reply.All
	for i := 0; row.Emptied == 0 && i < min(len(rules), len(reply.Rules)); i++ {
		what, row = "By itself, "+ruleName(rules[i], i), reply.Rules[i]
	}
	if row.Emptied == 0 {
		return
	}
	more := ""
	if n := row.Emptied - 1; n > 0 {
		more = " and of " + plural(n, "other repository", "other repositories")
	}
	fmt.Fprintf(p.Err, "Warning: %s would drop every tag of %s%s. To see why: berth rules preview --verdicts --repository %s\n", what, row.Emptying, more, row.Emptying)
}

// warnOfRules warns of what the rules in effect would empty, where that is
// known.
func (p *program) warnOfRules(ctx context.Context, s app.Service) {
	if p.json {
		return
	}
	if reply, err := s.PreviewRules(ctx, app.PreviewRulesRequest{}); err == nil {
		p.warnEmptied(nil, reply)
	}
}

// nothingListed says that no tag is what was asked for.
func nothingListed(r app.PreviewRulesRequest) string {
	of := ""
	if r.Repository != "" {
		of = " of " + r.Repository
	}
	switch {
	case r.Search != "":
		return fmt.Sprintf("Nothing%s that has %q in its name or digest is there%s.", of, r.Search, map[bool]string{true: " and would be dropped"}[r.Dropped])
	case r.Dropped:
		return "Nothing" + of + " would be dropped."
	}
	return "Nothing" + of + " is there."
}

func (p *program) printPreview(rules []app.Rule, reply app.PreviewRulesReply, r app.PreviewRulesRequest) error {
	switch {
	case reply.Indexing:
		fmt.Fprintln(p.Err, "Berth is still reading the data folder. Until everything is known, no rule drops anything.")
		return nil
	case len(rules) == 0:
		fmt.Fprintln(p.Err, "There are no rules, so nothing is dropped. To make one: berth rules add --help")
		return nil
	}
	if r.Verdicts && len(reply.Verdicts) == 0 && reply.Cut == 0 {
		fmt.Fprintln(p.Err, nothingListed(r))
		return nil
	}
	if r.Verdicts {
		t := table{head: []string{"VERDICT", "IMAGE", ">SIZE", "WHY"}}
		for _, v := range reply.Verdicts {
			verdict, name := "drop", v.Repository+":"+v.Tag
			if v.Keep {
				verdict = "keep"
			}
			if v.Tag == "" {
				name = v.Repository + "@" + short(v.Digest)
			}
			why := v.Because
			if v.Rule != "" {
				why = v.Rule + ": " + why
			}
			t.add(verdict, name, size(v.Size), why)
		}
		if err := t.write(p.Out); err != nil {
			return err
		}
		if reply.Cut > 0 {
			fmt.Fprintf(p.Err, "… and %d more: --all lists them, --search and --repository narrow the list.\n", reply.Cut)
		}
		return nil
	}
	t := table{head: []string{">#", "RULE", ">TAGS", ">UNTAGGED", ">FREES", "STATE"}}
	for i, row := range reply.Rules {
		if i >= len(rules) {
			break
		}
		state := "on"
		if rules[i].Off {
			state = "off"
		}
		t.add(strconv.Itoa(i+1), ruleName(rules[i], i), strconv.Itoa(row.Tags), strconv.Itoa(row.Manifests), size(row.Frees), state)
	}
	t.add("", "together", strconv.Itoa(reply.All.Tags), strconv.Itoa(reply.All.Manifests), size(reply.All.Frees), "")
	if err := t.write(p.Out); err != nil {
		return err
	}
	if reply.All.Tags+reply.All.Manifests > 0 {
		fmt.Fprintln(p.Err, "To see which, and why: berth rules preview --dropped")
	}
	return nil
}

func (p *program) rulesApply() *cobra.Command {
	var dry bool
	c := &cobra.Command{
		Use:   "apply",
		Short: "Drop now what the rules say; it goes to the trash",
		Long: `Drop now what the rules say. It goes to the trash, where berth restore brings it
back, and frees its space once the trash has let go. A tag that is pushed, pulled
or pinned meanwhile stays.`,
		Example: "  berth rules apply --dry-run\n  berth rules apply",
		Args:    want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				if dry {
					return p.preview(ctx, s, app.PreviewRulesRequest{Verdicts: true, Dropped: true}, "")
				}
				return p.applyRules(ctx, s)
			})
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "list what would go, and why; change nothing")
	return c
}

func (p *program) applyRules(ctx context.Context, s app.Service) error {
	p.warnOfRules(ctx, s)
	started, err := s.ApplyRules(ctx, app.ApplyRulesRequest{})
	if err != nil {
		return err
	}
	j, err := p.waitFor(ctx, s, started.ID, silent{})
	switch {
	case err != nil:
		return err
	case j.State == app.JobFailed && j.Problem != nil:
		return j.Problem
	}
	if err := p.print(j, func() error { return p.printDropped(j) }); err != nil {
		return err
	}
	if j.State != app.JobDone {
		return &app.Problem{
			Code: "cancelled", Severity: "warning", Exit: exitError, Title: "The rules were not applied to the end",
			Text: "What went is in the trash.", Fix: "To go on:", Command: "berth rules apply",
		}
	}
	if j.Receipt != nil && len(j.Receipt.Problems) > 0 {
		return &app.Problem{Code: "rules_partly", Severity: "warning", Exit: exitError, Title: "Not everything could be dropped", Text: "It stays, and the next clean-up tries again."}
	}
	return nil
}

func (p *program) printDropped(j app.Job) error {
	if j.Receipt == nil {
		return nil
	}
	if j.Receipt.Dropped == 0 {
		fmt.Fprintln(p.Err, "Nothing was to be dropped.")
	} else {
		if _, err := fmt.Fprintf(p.Out, "Dropped %s\n", plural(j.Receipt.Dropped, "tag or manifest", "tags and manifests")); err != nil {
			return err
		}
		fmt.Fprintln(p.Err, "They are in the trash: berth trash")
	}
	for _, problem := range slices.Compact(j.Receipt.Problems) {
		fmt.Fprintln(p.Err, problem)
	}
	return nil
}
