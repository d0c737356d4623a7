package app

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"berth/app/single"
	"berth/registry"
	"berth/registry/gc"
	"berth/registry/pin"
	"berth/registry/store"
	"berth/registry/trash"
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

// CollectAlone opens the folder that no instance owns for [Core.Collect] alone.
// A dry run changes nothing in it, and makes nothing: only when a crash left
// something in Berth's journal is that carried out, as at every start. Errors
// are a [*Problem].
func CollectAlone(ctx context.Context, o Options, with CollectOptions) error {
	if err := CheckData(o.Config); err != nil {
		return err
	}
	o.Alone = true
	open := Open
	if with.DryRun {
		open = openToLook
	}
	c, err := open(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(c.Collect(ctx, with), c.Close())
}

// openToLook gives a Core that can plan and nothing else. It has no index, which
// would have to be made; and a folder without Berth's own is not taken, since
// that would be noted in it.
func openToLook(ctx context.Context, o Options) (_ *Core, err error) {
	c := newCore(o)
	defer func() {
		if err != nil {
			err = AsProblem(errors.Join(err, c.Close()))
		}
	}()
	if err := folder(c.cfg.Data()); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Dir(single.Path(c.cfg.Data()))); !errors.Is(err, fs.ErrNotExist) {
		if c.lock, err = single.Acquire(c.cfg.Data()); err != nil {
			return nil, err
		}
		c.closers = append(c.closers, c.lock.Release)
	}
	drv, err := c.openDriver()
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, drv, nil, store.Options{Logger: c.log, Grace: storeGrace(o, c.cfg)})
	if err != nil {
		return nil, err
	}
	c.closers = append(c.closers, st.Close)
	c.bin, c.pins = trash.New(drv, c.cfg.Berth.Trash.Keep), pin.New(drv)
	c.disk, c.roots = st, []registry.Rooter{c.bin, c.pins}
	return c, nil
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
