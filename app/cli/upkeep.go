package cli

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"

	"berth/app"
)

// asking is a verb that takes a request and prints a reply as JSON.
func asking[Request, Reply any](p *program, name string, call func(app.Service, context.Context, Request) (Reply, error)) *cobra.Command {
	return &cobra.Command{
		Use: name + " [JSON]", Short: "Ask for " + name, Hidden: true, Args: want(0, 1, "one request"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var request Request
			if len(args) > 0 {
				if err := json.Unmarshal([]byte(args[0]), &request); err != nil {
					return usage(cmd, err.Error())
				}
			}
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := call(s, ctx, request)
				if err != nil {
					return err
				}
				p.json = true
				return p.print(reply, nil)
			})
		},
	}
}

func (p *program) upkeep() []*cobra.Command {
	return []*cobra.Command{
		p.rules(), p.pin(), p.unpin(), p.pins(),
		p.verify(), p.repair(),
		asking(p, "usage", app.Service.Usage),
		p.cleanup(), p.collect(),
	}
}
