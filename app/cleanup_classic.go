package app

import (
	"context"
	"errors"
	"io"

	"berth/registry/gc"
)

// CollectOptions are those of distribution's garbage-collect.
type CollectOptions struct {
	// Out gets the lines that distribution prints; Quiet: none.
	Out   io.Writer
	Quiet bool
	// DryRun prints what would go, and leaves it.
	DryRun bool
	// Untagged takes manifests that no tag names, too.
	Untagged bool
}

// Collect does what `registry garbage-collect` of distribution does, on a
// folder that no instance owns: there is no grace, as there, so nobody else may
// write to the folder meanwhile. What is in the trash lives. The first thing
// that could not be removed is the error.
func (c *Core) Collect(ctx context.Context, o CollectOptions) error {
	if !o.DryRun && c.lock.ReadOnly() {
		return readOnlyProblem()
	}
	classic := gc.NewClassic(o.Out, o.Quiet)
	p, err := gc.NewPlan(ctx, c.disk, c.roots, gc.Options{
		Grace: -1, Untagged: o.Untagged, Sparse: optionalChildren(c.cfg.Validation), Marked: classic.Marked,
	})
	if err != nil {
		return AsProblem(err)
	}
	if err := classic.Eligible(p); err != nil {
		return errors.Join(err, p.Close())
	}
	for _, problem := range p.Problems {
		c.log.Error("left alone", "problem", problem.String())
	}
	if o.DryRun {
		return p.Close()
	}
	r, err := p.Execute(ctx, nil)
	if err != nil {
		return AsProblem(err)
	}
	if len(r.Problems) > 0 {
		return &Problem{
			Code: "not_freed", Severity: severityError, Title: "Something could not be removed", Text: r.Problems[0].String(),
			Fix: "See to it, then try again. What was removed is right.", Exit: exitError,
		}
	}
	return nil
}
