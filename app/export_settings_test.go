package app

import "berth/app/config"

// LookAtConfig looks whether config.yml changed, as happens every few seconds.
func LookAtConfig(c *Core) { c.lookAtConfig() }

// OnSettings calls follow after each change.
func OnSettings(c *Core, follow func(old, new *config.Config)) { c.onSettings(follow) }
