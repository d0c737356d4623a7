package cli

import "github.com/spf13/cobra"

func (p *program) upkeep() []*cobra.Command {
	return []*cobra.Command{
		p.usage(),
		p.rules(), p.pin(), p.unpin(), p.pins(),
		p.verify(), p.repair(),
		p.cleanup(), p.collect(),
	}
}
