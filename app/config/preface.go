package config

// Preface begins docs/configuration.md.
const Preface = `# Configuration

<!-- Made from app/config/docs.go: go test ./app/config -run Documentation -update -->

Berth reads the ` + "`config.yml`" + ` of CNCF distribution (` + "`registry:2`, `registry:3`" + `) and its ` + "`REGISTRY_*`" + ` variables.

- **Which file**: the argument of ` + "`berth serve`" + `, else ` + "`REGISTRY_CONFIGURATION_PATH`" + `, else ` + "`berth/config.yml`" + ` in the user's configuration
  folder if it is there, else none. In a file that was named, distribution's defaults hold; without, Berth's.
- **What wins**, from weakest to strongest: defaults, the file, what was set while Berth ran (see Live), ` + "`BERTH_DATA`, `REGISTRY_*`" + `, flags.
- **Variables**: the name is split at ` + "`_`" + ` and followed through the keys; the value is YAML and replaces what it finds. An element of a
  list has its number (` + "`REGISTRY_LOG_HOOKS_0_TYPE`" + `), and may be the one after the last. Numbers count as numbers: there, ` + "`_10`" + ` comes before ` + "`_2`" + `,
  and is an error. ` + "`REGISTRY_STORAGE=inmemory`" + ` replaces the whole section, and
  ` + "`REGISTRY_BERTH_CLEANUP_RULES=[{keep: {newest: 10}}]`" + ` a whole list. Letters must be capitals.
- **What is not known** is ignored, with a warning that says the nearest name: other programs set such variables too.
- **What Berth cannot do yet** is refused, with the line or the variable that asks for it.
- **To see what is in effect**, and from where: ` + "`berth config show`" + `; what a file would mean: ` + "`berth config check config.yml`" + `; to read this page there: ` + "`berth config keys`" + `.
- **Configurations of ` + "`registry:2`" + `** work: ` + "`loglevel`" + ` and ` + "`storage.cache.layerinfo`" + ` are taken, ` + "`reporting`" + ` and ` + "`compatibility`" + ` are ignored with
  words, as in version 3; the storages that version 3 dropped are refused.
- **Logs**: the application log goes to standard error, the access log to standard output. Berth writes no line "response completed" for
  each request beside the access log. Where nobody reads them, lines are lost and counted, and requests go on.
- **Live**: these can be set while Berth runs, in its window or by ` + "`berth config set KEY VALUE`" + `, and act at once: ` + "`berth.cleanup.*`, `berth.trash.keep`,\n" +
	"  `berth.immutable`, `berth.verify.rate`, `storage.delete.enabled`, `storage.maintenance.*`, `log.level`" + `. See below. Certificates follow their
  files. Other values are read at the start. SIGHUP ends Berth in order, as SIGTERM does.

## Live

What is set while Berth runs is kept in ` + "`berth/settings.yml`" + ` of the data folder, in the form of config.yml, and only what was set.

- **What wins**, from weakest to strongest: defaults, config.yml, what was set, ` + "`REGISTRY_*`" + `, flags. ` + "`berth config show`" + ` says “set here” of what was set, and
  “locked” of what a variable or a flag decides on: that cannot be set. ` + "`berth config unset KEY`" + ` goes back to the configuration; so does deleting
  settings.yml before a start.
- **Without a running Berth** ` + "`berth config set`" + ` writes the file, and the next start has it. Several values, as the window sets them, are taken all or none.
- **Lists** (` + "`berth.cleanup.rules`, `berth.immutable`" + `) are set whole: ` + "`berth config set berth.immutable \"[{tags: ['v*']}]\"`" + `.
- **A changed config.yml** acts for the same keys within a few seconds, without a restart, also when an editor or Kubernetes puts another file there. Of
  other keys that changed, the log says that they need a restart. A file that is wrong is not taken: what held before holds on, and
  ` + "`berth health`" + ` says why until it is mended.
- **A damaged settings.yml** does not keep Berth from starting. What can be read of it is used, the file is kept as ` + "`settings.damaged.yml`" + `, and health says
  so until that is deleted.
- **Read-only** refuses what begins after it was switched on with 405 UNSUPPORTED; what a client is sending just then is taken. How far an upload is
  can still be asked.
- **Times** may have days and weeks: ` + "`14d`, `2w`, `1d12h`" + `, in the file too.
`
