package config

// Log says what is logged and how.
type Log struct {
	AccessLog struct {
		Disabled bool `yaml:"disabled"`
	} `yaml:"accesslog"`
	// Level is error, warn, info or debug.
	Level string `yaml:"level"`
	// Formatter is text, json or logstash.
	Formatter string `yaml:"formatter"`
	// Fields are added to every line.
	Fields map[string]any `yaml:"fields"`
	// Hooks send lines elsewhere.
	Hooks []LogHook `yaml:"hooks"`
	// ReportCaller adds the place in the program to every line.
	ReportCaller bool `yaml:"reportcaller"`
}

// LogHook sends log lines of some levels by mail.
type LogHook struct {
	Disabled bool `yaml:"disabled"`
	// Type is mail.
	Type string `yaml:"type"`
	// Levels are panic, fatal, error, warn, info and debug.
	Levels      []string    `yaml:"levels"`
	MailOptions MailOptions `yaml:"options"`
}

// MailOptions says how mail is sent, from whom and to whom.
type MailOptions struct {
	SMTP SMTP     `yaml:"smtp"`
	From string   `yaml:"from"`
	To   []string `yaml:"to"`
}

// SMTP is a mail server.
type SMTP struct {
	// Addr is host:port.
	Addr     string `yaml:"addr"`
	Username string `yaml:"username"`
	Password string `yaml:"password"`
	// Insecure takes any certificate of the server, and signs in without
	// encryption where the server has none.
	Insecure bool `yaml:"insecure"`
}
