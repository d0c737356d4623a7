package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"berth/app/config"
	"berth/registry/retention"
)

// tuning is what settings that change while Berth runs need.
type tuning struct {
	mu        sync.Mutex                           // one change at a time; guards what follows
	followers []func(old, new *config.Config)      // in the order of onSettings
	candidate []byte                               // a config.yml that was seen
	again     bool                                 // it was seen twice, and read
	restart   string                               // keys that were said to need a restart
	broken    atomic.Pointer[Problem]              // config.yml as it is now; nil: nothing is wrong
	damaged   []string                             // settings files that were laid aside; set by Open
	rules     atomic.Pointer[retention.Protection] // which tags are immutable
}

// Settings lists every value; see [Service].
func (c *Core) Settings(context.Context, SettingsRequest) (SettingsReply, error) {
	return c.settings(), nil
}

func (c *Core) settings() SettingsReply {
	reply := SettingsReply{Settings: []Setting{}}
	for _, v := range c.conf().Values() {
		reply.Settings = append(reply.Settings, Setting{
			Key: v.Key, Value: v.Value, Default: v.Default, Origin: v.Origin.String(), Live: v.Live, Locked: v.Locked, Doc: v.Doc,
		})
	}
	return reply
}

// Apply changes settings; see [Service].
func (c *Core) Apply(ctx context.Context, r ApplyRequest) (SettingsReply, error) {
	if err := c.applySettings(ctx, r.Values); err != nil {
		return SettingsReply{}, AsProblem(err)
	}
	return c.settings(), nil
}

// applySettings sets live keys to values in YAML, all or none: it checks them,
// keeps them and makes them act; when it returns, everybody has heard of them.
// An empty value goes back to what the configuration says.
//
// Errors: [*Problem] setting_unknown, setting_restart, setting_locked,
// setting_invalid, read_only.
func (c *Core) applySettings(ctx context.Context, values map[string]string) error {
	return c.changeSettings(ctx, values, func(*config.Config) error { return nil })
}

// changeSettings is applySettings, unless allow refuses the configuration that
// is in effect when nobody else can change it any more.
func (c *Core) changeSettings(ctx context.Context, values map[string]string, allow func(was *config.Config) error) error {
	c.tuning.mu.Lock()
	defer c.tuning.mu.Unlock()
	was := c.conf()
	if err := allow(was); err != nil {
		return err
	}
	made := was.Made()
	if made == nil {
		made = config.Made{}
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if p := unsettable(was, key, values[key]); p != nil {
			return p
		}
		if delete(made, key); values[key] != "" {
			made[key] = values[key]
		}
	}
	next, err := was.WithMade(made)
	if err != nil {
		return settingProblem(err, values)
	}
	if maps.Equal(made, was.Made()) {
		return nil
	}
	if c.lock.ReadOnly() {
		return readOnlyProblem()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := made.Save(c.cfg.Data()); err != nil {
		return err
	}
	c.log.Info("settings changed", "keys", slices.Sorted(maps.Keys(values)), "by", c.user)
	c.take(next)
	return nil
}

// take makes next the configuration in effect, as far as it is live. The caller
// holds tuning.mu.
func (c *Core) take(next *config.Config) {
	was := c.conf()
	is := c.cfg.WithLive(next)
	c.live.Store(is)
	c.act(is)
	for _, follow := range c.tuning.followers {
		follow(was, is)
	}
	c.notify(Notice{Kind: NoticeUpkeep})
	c.notify(Notice{Kind: NoticeStatus})
}

// onSettings calls follow after each change of the configuration in effect, one
// change at a time. It must neither block nor change settings.
func (c *Core) onSettings(follow func(old, new *config.Config)) {
	c.tuning.mu.Lock()
	defer c.tuning.mu.Unlock()
	c.tuning.followers = append(c.tuning.followers, follow)
}

// act turns the switches that are asked at each request.
func (c *Core) act(cfg *config.Config) {
	c.readOnly.Store(cfg.Storage.Maintenance.ReadOnly.Enabled || c.lock != nil && c.lock.ReadOnly())
	c.deletes.Store(cfg.Storage.Delete.Enabled)
	if rules, err := retention.NewProtection(cfg.Berth.Immutable); err == nil { // Load has checked them
		c.tuning.rules.Store(rules)
	}
	if h, ok := c.log.Handler().(interface{ setLevel(level slog.Level) }); ok {
		h.setLevel(levelOf(cfg))
	}
}

// held gives the name of the rule that makes a tag immutable.
func (c *Core) held(repo, tag string) (rule string, ok bool) {
	return c.tuning.rules.Load().Rule(repo, tag)
}

// unsettable says why a key cannot be set; nil: it can.
func unsettable(cfg *config.Config, key, value string) *Problem {
	if !config.Live(key) {
		return notLive(cfg, key)
	}
	by, locked := cfg.Locked(key)
	if !locked || value == "" {
		return nil
	}
	p := &Problem{
		Code: "setting_locked", Severity: severityError, Title: fmt.Sprintf("“%s” is set by %s", key, by),
		Text: "What a variable of the environment says goes before what is set here.",
		Fix:  "Take " + by.String() + " away and start Berth again, or change it there.", Exit: exitConflict,
	}
	if by.Source == config.SourceFlag {
		p.Text = "What the command line says goes before what is set here."
	}
	return p
}

func notLive(cfg *config.Config, key string) *Problem {
	whole, known := config.Known(key)
	switch {
	case known && whole != key:
		return &Problem{
			Code: "setting_part", Severity: severityError, Title: fmt.Sprintf("“%s” is a part of %s", key, whole),
			Text: "A list is set as a whole.", Fix: "To see it as it is:", Command: "berth config show " + whole, Exit: exitUsage,
		}
	case known:
		where := cfg.Path
		if where == "" {
			where = config.DefaultPath()
		}
		return &Problem{
			Code: "setting_restart", Severity: severityError, Title: fmt.Sprintf("“%s” takes a restart", key),
			Text: "It cannot be changed while Berth runs.", Fix: "Write it in " + where + ", then quit Berth and start it again.", Exit: exitUsage,
		}
	}
	p := &Problem{
		Code: "setting_unknown", Severity: severityError, Title: fmt.Sprintf("There is no setting “%s”", key),
		Fix: "To see those that there are:", Command: "berth config show", Exit: exitUsage,
	}
	if whole != "" {
		p.Text = "Did you mean " + whole + "?"
	}
	return p
}

// settingProblem says which of the values cannot be, and why.
func settingProblem(err error, values map[string]string) *Problem {
	wrong, ok := errors.AsType[*config.Error](err)
	if !ok {
		return AsProblem(err)
	}
	p := &Problem{
		Code: "setting_invalid", Severity: severityError, Title: fmt.Sprintf("That does not work for “%s”", wrong.Key),
		Text: sentence(wrong.Err.Error()), Fix: "Nothing was changed. Correct the value, then try again.", Exit: exitUsage,
	}
	for key := range values {
		if wrong.Key == key || strings.HasPrefix(wrong.Key, key+".") {
			p.Title = fmt.Sprintf("That does not work for “%s”", key)
		}
	}
	return p
}
