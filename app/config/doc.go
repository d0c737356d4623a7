// Package config reads how Berth is to run, from where each kind of user says
// it: distribution's config.yml, its REGISTRY_* variables under its own
// override rule, and flags. Every value remembers where it came from.
//
// From weakest to strongest: Berth's defaults, config.yml, [Made] (the settings
// that were made while Berth ran, kept in the data folder), BERTH_DATA,
// REGISTRY_*, flags. The names of the Go fields are part of the format, because
// the override rule matches them: REGISTRY_HTTP_DRAINTIMEOUT is
// Config.HTTP.DrainTimeout. What Berth adds lives under "berth:". [Keys] lists
// every key with its documentation, from which docs/configuration.md is made.
//
// Keys that distribution knows and Berth cannot honour yet are refused with an
// [*Error] that names them; names nobody knows only give a warning. The package
// imports the standard library, yaml, xdg, humanize, and retention for its rules; it has no lock, since a Config is
// not changed after Load.
package config
