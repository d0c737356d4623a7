package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"berth/app"
)

// While an instance starts or ends it owns the folder but does not answer yet
// or any more; a command waits that long for it.
const (
	connectPause = 100 * time.Millisecond
	connectTries = 30
)

// with runs a verb over the running instance, or else over the data folder.
func (p *program) with(cmd *cobra.Command, verb func(ctx context.Context, s app.Service) error) (err error) {
	ctx := cmd.Context()
	s, closeService, err := p.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeService()) }()
	return verb(ctx, s)
}

// running is with, for verbs that make sense for a running instance only.
func (p *program) running(cmd *cobra.Command, verb func(ctx context.Context, s app.Service) error) (err error) {
	ctx := cmd.Context()
	s, closeService, err := p.Dial(ctx, p.where)
	if errors.Is(err, ErrNoInstance) {
		return &app.Problem{
			Code: "not_running", Severity: "error", Title: "Berth is not running",
			Text: "No running Berth uses this data folder.", Fix: "Start it:", Command: "berth", Exit: exitError,
		}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeService()) }()
	return verb(ctx, s)
}

func (p *program) connect(ctx context.Context) (app.Service, func() error, error) {
	for try := 1; ; try++ {
		s, closeService, err := p.Dial(ctx, p.where)
		if !errors.Is(err, ErrNoInstance) {
			return s, closeService, err
		}
		s, closeService, err = p.Open(ctx, p.where)
		if problem, ok := errors.AsType[*app.Problem](err); !ok || problem.Code != "data_locked" || try == connectTries {
			return s, closeService, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(connectPause):
		}
	}
}
