package config

// doc is what docs/configuration.md says of a key. Default replaces what the
// program would show, As says what is other than in distribution.
type doc struct{ Doc, Default, As string }

const (
	laterAs = "Not yet: Berth refuses to start with it."
	ownAs   = "Berth's own key."
)

// listDocs is what is said of lists of sections that are set as a whole.
var listDocs = map[string]string{
	"berth.cleanup.rules": "Which tags a clean-up keeps; the others go to the trash. A tag goes only if every rule that speaks of it drops it.",
	"berth.immutable":     "Which tags cannot be moved or deleted.",
}

// docs has every key; a test holds it against the types.
var docs = map[string]doc{
	"version":  {Doc: "Version of the format. It must be 0.1 in a file, and cannot be overridden."},
	"loglevel": {Doc: "Old name of log.level."},

	"log.accesslog.disabled": {
		Doc: "Switches off the line for each request, in Apache's combined format, that `berth serve` writes to standard output.",
		As:  "The desktop (berth without a verb) writes none in any case.",
	},
	"log.level":        {Doc: "Least level that is logged to standard error: error, warn, info or debug."},
	"log.formatter":    {Doc: "Form of the log: text, json, or logstash.", As: "logstash is in its version 1 form, with @timestamp and @version; distribution 3 writes plain JSON for it."},
	"log.fields":       {Doc: "Names and values that are added to every line."},
	"log.reportcaller": {Doc: "Adds the function and the line of the program to every log line."},

	"log.hooks[].disabled":              {Doc: "Switches this hook off."},
	"log.hooks[].type":                  {Doc: "Kind of hook: mail."},
	"log.hooks[].levels":                {Doc: "Levels that are sent: panic, fatal, error, warn, info, debug. Without any, none is.", As: "panic and fatal mean error: Berth knows none above."},
	"log.hooks[].options.smtp.addr":     {Doc: "Mail server, as host:port."},
	"log.hooks[].options.smtp.username": {Doc: "Name to sign in to the mail server with.", As: "Without one, Berth does not sign in."},
	"log.hooks[].options.smtp.password": {Doc: "Password to sign in to the mail server with."},
	"log.hooks[].options.smtp.insecure": {Doc: "Takes any certificate of the mail server, and signs in without encryption where it has none."},
	"log.hooks[].options.from":          {Doc: "Address that mail comes from."},
	"log.hooks[].options.to":            {Doc: "Addresses that mail goes to.", As: "Mail is sent in the background; of a flood, what waits is bounded and the number lost is logged."},

	"storage.filesystem.rootdirectory": {
		Doc:     "Folder that holds the registry. --data and BERTH_DATA go before the file, --data before REGISTRY_*.",
		Default: "/var/lib/registry in a named file; otherwise the user's data folder",
	},
	"storage.filesystem.maxthreads": {Doc: "How many operations wait for the disk at one time; at least 25."},
	"storage.inmemory":              {Doc: "Keeps everything in memory, until the process ends. For tests."},
	"storage.s3":                    {Doc: "Amazon S3 and what speaks like it.", As: laterAs},
	"storage.azure":                 {Doc: "Azure Blob Storage.", As: laterAs},
	"storage.gcs":                   {Doc: "Google Cloud Storage.", As: laterAs},
	"storage.delete.enabled": {
		Doc:     "Lets clients delete manifests, tags and blobs.",
		Default: "false in a named file; otherwise true",
		As:      "`\"true\"` in quotes, in a variable, counts as true; there it counts as false in silence.",
	},
	"storage.maintenance.uploadpurging.enabled":  {Doc: "Removes uploads that nobody finished."},
	"storage.maintenance.uploadpurging.age":      {Doc: "How long ago an upload was last written, to count as given up.", As: "The last write counts, not the start, so a slow upload is not cut."},
	"storage.maintenance.uploadpurging.interval": {Doc: "How often to look.", As: "The first look is after 10 minutes, or after the interval if that is shorter; there, after 0 to 59 minutes by chance."},
	"storage.maintenance.uploadpurging.dryrun":   {Doc: "Only logs what would be removed."},
	"storage.maintenance.readonly.enabled":       {Doc: "Refuses every push and delete; pulls go on."},
	"storage.cache.blobdescriptor":               {Doc: "Where descriptions of blobs are kept: inmemory.", As: "Always in memory. redis is refused: Berth's own memory is faster, and has to be asked anyway."},
	"storage.cache.layerinfo":                    {Doc: "Old name of storage.cache.blobdescriptor."},
	"storage.cache.blobdescriptorsize":           {Doc: "How many descriptions are kept.", As: "Berth keeps whole manifests and bounds their bytes: 1.6 KiB for each description that is allowed here, so 16 MiB by default."},
	"storage.redirect.disable":                   {Doc: "Never sends clients to the storage itself.", As: "Accepted: a filesystem has no address to send clients to, here and there."},
	"storage.tag.concurrencylimit":               {Doc: "How many tags are read at once when a folder must be searched for those of a manifest.", Default: "number of processors", As: "Accepted: Berth finds them in its index, and reads the folder only while that is built, one tag at a time."},

	"auth":       {Doc: "Who may come in.", As: laterAs},
	"middleware": {Doc: "Parts put between registry and storage.", As: laterAs},

	"http.addr": {
		Doc:     "Address to listen at, as host:port; with http.net unix the path of a socket.",
		Default: DefaultAddr,
		As:      "localhost means both 127.0.0.1 and ::1. A port may be left out: 5000. Listening on this machine only, Berth answers requests to localhost, to addresses and to the name in http.host, and no others: behind a proxy that hands the Host on, set http.host.",
	},
	"http.net":          {Doc: "tcp or unix.", As: "A socket that a killed process left is removed, if nobody answers there."},
	"http.host":         {Doc: "URL that clients see, as https://registry.example.com, for a registry behind a proxy."},
	"http.prefix":       {Doc: "Path before /v2/, as /registry/."},
	"http.secret":       {Doc: "Signs the state of uploads. Several instances on one storage need the same.", Default: "random", As: "The random one is kept in the data folder, so that uploads go on after a restart."},
	"http.relativeurls": {Doc: "Location headers are paths without scheme and host."},
	"http.draintimeout": {
		Doc: "How long a stop waits for uploads and requests that are under way. An upload that sends nothing for 5 seconds is not waited for.",
		As:  "0 means the default. There it means that a stop cuts what is under way.",
	},
	"http.tls.certificate":  {Doc: "PEM file with the certificate of the registry and those that vouch for it.", As: "A changed file is taken without a restart."},
	"http.tls.key":          {Doc: "PEM file with the key of the certificate."},
	"http.tls.clientcas":    {Doc: "PEM files with the authorities that certificates of clients must come from.", As: "Changed files are taken without a restart."},
	"http.tls.clientauth":   {Doc: "What is asked of clients when there are clientcas: request-client-cert, require-any-client-cert, verify-client-cert-if-given or require-and-verify-client-cert.", Default: "require-and-verify-client-cert with clientcas"},
	"http.tls.minimumtls":   {Doc: "Oldest version of TLS: tls1.0, tls1.1, tls1.2 or tls1.3."},
	"http.tls.ciphersuites": {Doc: "Cipher suites up to tls1.2, by the names of Go.", Default: "the secure ones"},

	"http.tls.letsencrypt.cachefile":    {Doc: "Folder that keeps the certificates that Berth gets by itself (ACME, tls-alpn-01, so port 443 of the hosts must lead here).", As: "A folder, as in distribution since 2.7; a file of an older one is refused."},
	"http.tls.letsencrypt.email":        {Doc: "Address that the authority may write to."},
	"http.tls.letsencrypt.hosts":        {Doc: "Host names to get certificates for.", As: "Must not be empty: there, that refuses every client."},
	"http.tls.letsencrypt.directoryurl": {Doc: "Directory of another ACME authority.", Default: "Let's Encrypt"},

	"http.headers":                  {Doc: "Headers that are added to every answer, each with a list of values.", As: "Access-Control-Allow-Origin also lets pages of these origins in, preflights are answered by the other Access-Control headers (browsers may remember them for 10 minutes at most), and a name in a variable replaces the same name of the file in whatever case."},
	"http.debug.addr":               {Doc: "Address of a second server with /debug/health, /debug/vars, /debug/pprof/ and metrics. It has no sign-in: keep it on this machine.", As: "An address that others can reach is warned of; at others, names are checked as for http.addr."},
	"http.debug.prometheus.enabled": {Doc: "Serves metrics on the debug server.", As: "registry_storage_cache_* are absent: Berth has no cache of that kind. Without this key, nothing is measured."},
	"http.debug.prometheus.path":    {Doc: "Path of the metrics."},
	"http.http2.disabled":           {Doc: "Speaks HTTP/1.1 only over TLS."},
	"http.h2c.enabled":              {Doc: "Also speaks HTTP/2 without TLS.", As: "To clients that begin with it; the Upgrade header, which RFC 9113 dropped, is not answered."},

	"notifications": {Doc: "Web hooks.", As: laterAs},
	"redis":         {Doc: "Connection to Redis.", As: laterAs},

	"health.storagedriver.enabled":   {Doc: "Looks regularly whether the storage answers; while it does not, every request is answered 503 UNAVAILABLE."},
	"health.storagedriver.interval":  {Doc: "How often."},
	"health.storagedriver.threshold": {Doc: "How many failures in a row count."},
	"health.file[].file":             {Doc: "Requests are answered 503 while this file exists."},
	"health.file[].interval":         {Doc: "How often to look.", Default: "10s"},
	"health.file[].threshold":        {Doc: "Accepted; a file is there or not.", As: "No effect, as there."},
	"health.http[].uri":              {Doc: "Requests are answered 503 while this URL does not answer a HEAD request as it should."},
	"health.http[].headers":          {Doc: "Headers of that request."},
	"health.http[].statuscode":       {Doc: "Status that it should answer.", Default: "200"},
	"health.http[].timeout":          {Doc: "How long it may take.", Default: "none", As: "Without one, 10s."},
	"health.http[].interval":         {Doc: "How often to ask.", Default: "10s"},
	"health.http[].threshold":        {Doc: "How many failures in a row count.", Default: "1"},
	"health.tcp[].addr":              {Doc: "Requests are answered 503 while nobody listens at this address, host:port."},
	"health.tcp[].timeout":           {Doc: "How long it may take.", Default: "none", As: "Without one, 10s."},
	"health.tcp[].interval":          {Doc: "How often to try.", Default: "10s"},
	"health.tcp[].threshold":         {Doc: "How many failures in a row count.", Default: "1"},

	"catalog.maxentries": {Doc: "Most repositories in one answer of the catalog."},
	"tags.maxtags":       {Doc: "Most tags in one page of a tag list."},
	"proxy":              {Doc: "Pull-through cache of another registry.", As: laterAs},

	"validation.enabled":                                       {Doc: "Old name of the opposite of validation.disabled; it wins over it.", Default: "true"},
	"validation.disabled":                                      {Doc: "Switches off what follows: layers from every address, and indexes without their images.", As: "The config and the layers of an image must be there in any case, here and there."},
	"validation.manifests.urls.allow":                          {Doc: "Regular expressions; an address in a manifest must match one. Empty, with deny empty too: where the section validation is there no address is allowed, otherwise each is.", As: "What is refused is MANIFEST_INVALID, 400; there it is UNKNOWN, 500."},
	"validation.manifests.urls.deny":                           {Doc: "Regular expressions; an address in a manifest must match none."},
	"validation.manifests.indexes.platforms":                   {Doc: "Which images of an index must be there when it is pushed: all, none, or those of a list."},
	"validation.manifests.indexes.platformlist[].architecture": {Doc: "Architecture of an image that must be there, for list."},
	"validation.manifests.indexes.platformlist[].os":           {Doc: "Operating system of an image that must be there, for list."},

	"policy":                 {Doc: "Classes of repositories.", As: laterAs},
	"berth.cleanup.grace":    {Doc: "How old garbage must be before a clean-up frees it. 0s: whatever nothing needs and no client was promised.", As: ownAs},
	"berth.cleanup.untagged": {Doc: "A clean-up also frees manifests that no tag, no index and nothing in the trash needs.", As: ownAs},
	"berth.cleanup.schedule": {Doc: "When rules are applied and space is freed without being asked: off, daily, weekly.", As: ownAs},
	"berth.cleanup.at":       {Doc: "Time of day of the schedule, such as 03:00, in this machine's zone.", As: ownAs},
	"berth.cleanup.weekday":  {Doc: "Day of a weekly schedule, such as sunday.", As: ownAs},
	"berth.cleanup.low":      {Doc: "Room on the disk, such as 5GB, 5GiB or 10%, below which a clean-up runs by itself; if it stays low, the oldest of the trash goes too. Empty: never.", As: ownAs},
	"berth.verify.rate":      {Doc: "How much verifying reads a second: 64MB, 64MiB or a number of bytes; at least 64KB.", As: ownAs},
	"berth.trash.keep":       {Doc: "How long deleted and overwritten tags can be restored.", As: ownAs},

	"berth.cleanup.rules[].name":          {Doc: "What reasons call this rule.", Default: "rule 1, by its place", As: ownAs},
	"berth.cleanup.rules[].repositories":  {Doc: "Repositories that the rule is for, as patterns: `*` is anything within a component, `**` also across, `{a,b}` either, and `re:` or slashes begin a regular expression. Empty: all.", As: ownAs},
	"berth.cleanup.rules[].tags":          {Doc: "Tags that the rule speaks of, as patterns. Empty: all.", As: ownAs},
	"berth.cleanup.rules[].except":        {Doc: "Tags that the rule does not speak of, as patterns; other rules may.", As: ownAs},
	"berth.cleanup.rules[].keep.newest":   {Doc: "How many images stay by their last push, in each repository. A tag that meets any condition of keep stays.", As: ownAs},
	"berth.cleanup.rules[].keep.versions": {Doc: "How many images stay by version: 1.10 is newer than 1.9. The rule speaks only of tags that are versions then.", As: ownAs},
	"berth.cleanup.rules[].keep.younger":  {Doc: "What was pushed since stays, as 30d, 2w or 36h.", As: ownAs},
	"berth.cleanup.rules[].keep.pulled":   {Doc: "What was pulled, or pushed, since stays, as 30d.", As: ownAs},
	"berth.cleanup.rules[].keep.always":   {Doc: "Tags that stay in any case, as patterns.", As: ownAs},
	"berth.cleanup.rules[].untagged":      {Doc: "For how long a manifest stays that no tag names, since it was pushed or pulled by its digest last, as 14d. 0: the rule does not speak of them, and `berth.cleanup.untagged` decides.", As: ownAs},
	"berth.cleanup.rules[].off":           {Doc: "Switches the rule off without forgetting it.", As: ownAs},

	"berth.immutable[].name":         {Doc: "What refusals call this rule.", Default: "its first pattern", As: ownAs},
	"berth.immutable[].repositories": {Doc: "Repositories whose tags cannot be moved or deleted, as patterns. Empty: all.", As: ownAs},
	"berth.immutable[].tags":         {Doc: "Tags that cannot be moved or deleted, as patterns. Empty: all.", As: ownAs},
	"berth.immutable[].except":       {Doc: "Tags that can, as patterns.", As: ownAs},
}
