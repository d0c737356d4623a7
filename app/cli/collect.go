package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"berth/app"
)

// collect is distribution's garbage-collect, for scripts that have it.
func (p *program) collect() *cobra.Command {
	var o app.CollectOptions
	c := &cobra.Command{
		Use:   "garbage-collect CONFIG.YML",
		Short: "Do what distribution's garbage-collect does",
		Long: `Do what registry garbage-collect of distribution does, with the same output: for
scripts that have it. When Berth runs on the folder, it does the work itself,
also while it is read-only, and what it promised to clients stays.

There is no grace, as there: a registry of distribution that serves the folder
must be stopped or read-only meanwhile. berth cleanup is for every day.`,
		Example: "  berth garbage-collect --dry-run /etc/docker/registry/config.yml\n  berth garbage-collect -m /etc/docker/registry/config.yml",
		Args:    func(cmd *cobra.Command, args []string) error { return asThere(want(0, 1, "one config.yml")(cmd, args)) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return asThere(p.collectWith(cmd, args, o))
		},
	}
	// There a wrong flag prints the usage and is no failure: a script would take
	// it for a clean-up.
	c.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return asThere(usage(cmd, err.Error())) })
	f := c.Flags()
	f.BoolVarP(&o.DryRun, "dry-run", "d", false, "do everything except remove the blobs")
	f.BoolVarP(&o.Untagged, "delete-untagged", "m", false, "delete manifests that are not currently referenced via tag")
	f.BoolVarP(&o.Quiet, "quiet", "q", false, "silence output")
	return c
}

// asThere gives what fails the exit code that it has there.
func asThere(err error) error {
	if err == nil {
		return nil
	}
	problem := *problemOf(err)
	problem.Exit = exitError
	return &problem
}

func (p *program) collectWith(cmd *cobra.Command, args []string, o app.CollectOptions) error {
	o.Out = p.Out
	w := p.where
	if w.Config = first(args); w.Config == "" && os.Getenv("REGISTRY_CONFIGURATION_PATH") == "" {
		return usage(cmd, "garbage-collect needs a config.yml, or its path in REGISTRY_CONFIGURATION_PATH")
	}
	ctx := cmd.Context()
	s, closeService, err := p.Dial(ctx, w)
	if errors.Is(err, ErrNoInstance) {
		return p.Collect(ctx, w, o)
	}
	if err != nil {
		return err
	}
	return errors.Join(p.collectThere(ctx, s, o), closeService())
}

// collectThere has the running instance do it: nothing may be removed beside it.
func (p *program) collectThere(ctx context.Context, s app.Service, o app.CollectOptions) error {
	note := func(format string, a ...any) {
		if !o.Quiet {
			fmt.Fprintf(p.Err, "berth: "+format+"\n", a...)
		}
	}
	if o.DryRun {
		note("a Berth runs on this folder and says what it would free; what it promised to clients stays. For the whole plan: berth cleanup --dry-run")
	} else {
		note("a Berth runs on this folder and does the work; what it promised to clients stays")
	}
	var none time.Duration
	plan, err := s.PlanCleanup(ctx, app.PlanCleanupRequest{Grace: &none, KeepUntagged: !o.Untagged, Untagged: o.Untagged})
	if err != nil {
		return err
	}
	if !o.Quiet {
		if err := p.printEligible(plan); err != nil {
			return err
		}
	}
	if o.DryRun {
		for _, k := range plan.Stays {
			note("would keep %s: %s", keptOf(k), k.Text)
		}
		return nil
	}
	started, err := s.RunCleanup(ctx, app.RunCleanupRequest{Plan: plan.ID, ReadOnly: true})
	if err != nil {
		return err
	}
	j, err := p.waitFor(ctx, s, started.ID, silent{})
	if err != nil {
		return err
	}
	if j.Receipt != nil {
		for _, k := range j.Receipt.Kept {
			note("kept %s: %s", keptOf(k), k.Text)
		}
	}
	switch {
	case j.State == app.JobFailed && j.Problem != nil:
		return j.Problem
	case j.State != app.JobDone:
		return context.Canceled
	case j.Receipt != nil:
		if failed := failures(*j.Receipt, plan.Problems); len(failed) > 0 {
			p.printProblems("Not done", failed)
			return notFreed(failed)
		}
	}
	return nil
}

// printEligible prints a plan as distribution does. What lives is not told by
// an instance, so it is not counted.
func (p *program) printEligible(plan app.CleanupPlan) error {
	_, err := fmt.Fprintf(p.Out, "\n%d blobs and %d manifests eligible for deletion\n", plan.Blobs, plan.Manifests)
	for _, i := range plan.Items {
		switch {
		case err != nil:
			return err
		case i.Kind == "manifest":
			_, err = fmt.Fprintf(p.Out, "manifest eligible for deletion: {%s %s []}\n", i.Repository, i.Digest)
		case i.Kind == "blob":
			_, err = fmt.Fprintf(p.Out, "blob eligible for deletion: %s\n", i.Digest)
		}
	}
	if plan.Cut > 0 && err == nil {
		_, err = fmt.Fprintf(p.Out, "and %d more\n", plan.Cut)
	}
	return err
}
