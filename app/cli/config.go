package cli

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"berth/app/config"
)

func (p *program) config() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Show and change settings; what a configuration means",
		Args:  unknownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(p.configShow(), p.configSet(), p.configUnset(), p.configCheck(), p.configKeys())
	return c
}

// checked is the answer of «config check».
type checked struct {
	File     string           `json:"file"`
	Warnings []string         `json:"warnings"`
	Settings []config.Setting `json:"settings"`
}

func (p *program) configCheck() *cobra.Command {
	c := &cobra.Command{
		Use:   "check [CONFIG.YML]",
		Short: "Read a configuration, and show every value with where it comes from",
		Long: `Read a config.yml and the REGISTRY_* variables as “berth serve” would, without
starting anything. Each value is shown with its line, its variable, or as a
default; what would be ignored is on standard error. A configuration that Berth
cannot run with is an error.`,
		Example: "  berth config check /etc/distribution/config.yml",
		Args:    want(0, 1, "one config.yml"),
		RunE: func(_ *cobra.Command, args []string) error {
			p.where.Config = first(args)
			cfg, err := p.Load(p.where)
			if err != nil {
				return err
			}
			reply := checked{File: cfg.Path, Warnings: append([]string{}, cfg.Warnings...), Settings: cfg.Settings()}
			return p.print(reply, func() error {
				for _, w := range cfg.Warnings {
					fmt.Fprintln(p.Err, "berth: "+w)
				}
				t := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
				for _, s := range reply.Settings {
					fmt.Fprintf(t, "%s\t%s\t%s\n", s.Key, s.Value, s.Origin)
				}
				return t.Flush()
			})
		},
	}
	return c
}

func (p *program) configKeys() *cobra.Command {
	return &cobra.Command{
		Use:     "keys",
		Short:   "List every key with its variable, its default and its meaning",
		Example: "  berth config keys",
		Args:    want(0, 0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			return p.print(config.Keys(), func() error {
				for _, k := range config.Keys() {
					fmt.Fprintf(p.Out, "%s\n", k.Name)
					for _, line := range []struct{ name, text string }{{"variable", k.Env}, {"default", k.Default}, {"meaning", k.Doc}, {"differs", k.As}} {
						if line.text != "" {
							fmt.Fprintf(p.Out, "  %-8s  %s\n", line.name, line.text)
						}
					}
				}
				return nil
			})
		},
	}
}
