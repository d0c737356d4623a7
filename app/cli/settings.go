package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"berth/app"
	"berth/app/config"
)

func (p *program) configShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show [KEY]",
		Short: "Show every value in effect, with where it comes from",
		Long: `Show the values in effect, of the running Berth if there is one, each with its
line, its variable, as “set here”, or as a default. With a KEY, show only that one
or those below it. What a variable or a flag decides on is locked: it cannot be set.`,
		Example: "  berth config show\n  berth config show berth.cleanup",
		Args:    want(0, 1, "one key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.Settings(ctx, app.SettingsRequest{})
				if err != nil {
					return err
				}
				if key := first(args); key != "" {
					if reply.Settings = below(reply.Settings, key); len(reply.Settings) == 0 {
						return noSetting(key)
					}
				}
				return p.print(reply, func() error { return p.settingsTable(reply.Settings) })
			})
		},
		ValidArgsFunction: p.completeSettings(func(app.Setting) bool { return true }),
	}
}

func (p *program) settingsTable(settings []app.Setting) error {
	t := table{head: []string{"KEY", "VALUE", "FROM"}, widest: 60}
	for _, s := range settings {
		from := s.Origin
		if s.Locked {
			from += " (locked)"
		}
		t.add(s.Key, s.Value, from)
	}
	return t.write(p.Out)
}

// below gives the settings of a key, or of a section.
func below(settings []app.Setting, key string) (out []app.Setting) {
	for _, s := range settings {
		if s.Key == key || strings.HasPrefix(s.Key, key+".") {
			out = append(out, s)
		}
	}
	return out
}

func noSetting(key string) error {
	problem := &app.Problem{
		Code: "not_found", Severity: "error", Title: fmt.Sprintf("There is no setting %q", key),
		Fix: "To see those that there are:", Command: "berth config show", Exit: 3,
	}
	switch near, known := config.Known(key); {
	case known:
		problem.Title = fmt.Sprintf("Nothing sets %q", key)
		problem.Fix, problem.Command = "To see what it means:", "berth config keys"
	case near != "":
		problem.Text = "Did you mean " + near + "?"
	}
	return problem
}

func (p *program) configSet() *cobra.Command {
	return &cobra.Command{
		Use:   "set KEY VALUE",
		Short: "Change a setting at once, and for good",
		Long: `Change a setting. It acts at once in the running Berth, and is kept in the data
folder: it goes before config.yml, and after REGISTRY_* variables. VALUE is as in
config.yml; a list is given whole. Only settings that need no restart can be set;
press Tab after “set” to see them.`,
		Example: `  berth config set berth.cleanup.schedule daily
  berth config set berth.trash.keep 14d
  berth config set storage.maintenance.readonly.enabled true
  berth config set berth.immutable "[{tags: ['v*'], except: ['*-rc']}]"`,
		Args: want(2, 2, "a key and a value"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(args[1]) == "" {
				return p.apply(cmd, args[0], `""`)
			}
			return p.apply(cmd, args[0], args[1])
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return settingValues(args[0]), cobra.ShellCompDirectiveNoFileComp
			}
			return p.completeSettings(func(s app.Setting) bool { return s.Live && !s.Locked })(cmd, args, typed)
		},
	}
}

func (p *program) configUnset() *cobra.Command {
	return &cobra.Command{
		Use:               "unset KEY",
		Short:             "Forget what was set, and go back to the configuration",
		Example:           "  berth config unset berth.cleanup.schedule",
		Args:              want(1, 1, "one key"),
		RunE:              func(cmd *cobra.Command, args []string) error { return p.apply(cmd, args[0], "") },
		ValidArgsFunction: p.completeSettings(func(s app.Setting) bool { return s.Origin == setHere }),
	}
}

// setHere is the origin of what was set while Berth ran.
const setHere = "set here"

// apply sets a key, or, with an empty value, unsets it.
func (p *program) apply(cmd *cobra.Command, key, value string) error {
	return p.with(cmd, func(ctx context.Context, s app.Service) error {
		before, err := s.Settings(ctx, app.SettingsRequest{})
		if err != nil {
			return err
		}
		was := settingOf(before, key)
		after, err := s.Apply(ctx, app.ApplyRequest{Values: map[string]string{key: value}})
		if err != nil {
			return err
		}
		is := settingOf(after, key)
		return p.print(is, func() error {
			text := fmt.Sprintf("%s is %s now; it was %s.", key, is.Value, was.Value)
			switch {
			case was.Value == is.Value && is.Origin == setHere:
				text = fmt.Sprintf("%s is %s, as it was.", key, is.Value)
			case value == "":
				text = fmt.Sprintf("%s is %s again (%s).", key, is.Value, is.Origin)
			}
			_, err := fmt.Fprintln(p.Out, text)
			return err
		})
	})
}

func settingOf(r app.SettingsReply, key string) app.Setting {
	for _, s := range r.Settings {
		if s.Key == key {
			return s
		}
	}
	return app.Setting{Key: key}
}

func (p *program) completeSettings(which func(app.Setting) bool) completion {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return p.complete(cmd, func(ctx context.Context, s app.Service) ([]string, error) {
			reply, err := s.Settings(ctx, app.SettingsRequest{})
			var names []string
			for _, s := range reply.Settings {
				if which(s) && strings.HasPrefix(s.Key, typed) {
					names = append(names, s.Key)
				}
			}
			return names, err
		}), cobra.ShellCompDirectiveNoFileComp
	}
}

// settingValues are the words that a setting may have, where they are few.
func settingValues(key string) []string {
	switch {
	case key == "berth.cleanup.schedule":
		return []string{config.ScheduleOff, config.ScheduleDaily, config.ScheduleWeekly}
	case key == "berth.cleanup.weekday":
		return []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
	case key == "log.level":
		return []string{"error", "warn", "info", "debug"}
	case strings.HasSuffix(key, "enabled"), strings.HasSuffix(key, "dryrun"), strings.HasSuffix(key, "untagged"):
		return []string{"true", "false"}
	}
	return nil
}
