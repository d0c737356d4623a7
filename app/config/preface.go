package config

// Preface begins docs/configuration.md.
const Preface = `# Configuration

<!-- Made from app/config/docs.go: go test ./app/config -run Documentation -update -->

Berth reads the ` + "`config.yml`" + ` of CNCF distribution (` + "`registry:2`, `registry:3`" + `) and its ` + "`REGISTRY_*`" + ` variables.

- **Which file**: the argument of ` + "`berth serve`" + `, else ` + "`REGISTRY_CONFIGURATION_PATH`" + `, else ` + "`berth/config.yml`" + ` in the user's configuration
  folder if it is there, else none. In a file that was named, distribution's defaults hold; without, Berth's.
- **What wins**, from weakest to strongest: defaults, the file, ` + "`BERTH_DATA`, `REGISTRY_*`" + `, flags.
- **Variables**: the name is split at ` + "`_`" + ` and followed through the keys; the value is YAML and replaces what it finds. An element of a
  list has its number (` + "`REGISTRY_LOG_HOOKS_0_TYPE`" + `), and may be the one after the last. Numbers count as numbers: there, ` + "`_10`" + ` comes before ` + "`_2`" + `,
  and is an error. ` + "`REGISTRY_STORAGE=inmemory`" + ` replaces the whole section, and
  ` + "`REGISTRY_BERTH_CLEANUP_RULES=[{keep: {newest: 10}}]`" + ` a whole list. Letters must be capitals.
- **What is not known** is ignored, with a warning that says the nearest name: other programs set such variables too.
- **What Berth cannot do yet** is refused, with the line or the variable that asks for it.
- **To see what is in effect**, and from where: ` + "`berth config check config.yml`" + `; to read this page there: ` + "`berth config keys`" + `.
- **Configurations of ` + "`registry:2`" + `** work: ` + "`loglevel`" + ` and ` + "`storage.cache.layerinfo`" + ` are taken, ` + "`reporting`" + ` and ` + "`compatibility`" + ` are ignored with
  words, as in version 3; the storages that version 3 dropped are refused.
- **Logs**: the application log goes to standard error, the access log to standard output. Berth writes no line "response completed" for
  each request beside the access log. Where nobody reads them, lines are lost and counted, and requests go on.
- **Live**: certificates follow their files. Other values are read at the start. SIGHUP ends Berth in order, as SIGTERM does.
`
