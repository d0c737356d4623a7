package app

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"berth/app/config"
)

// OpenLog gives the log that a configuration asks for, on w. Close sends what
// mail still waits, and must be called last.
func OpenLog(w io.Writer, cfg *config.Config) (log *slog.Logger, closeLog func() error) {
	level := &slog.LevelVar{}
	level.Set(levelOf(cfg))
	shape := shapes[cfg.Log.Formatter]
	o := &slog.HandlerOptions{Level: level, AddSource: cfg.Log.ReportCaller, ReplaceAttr: shape.attr}
	handler := func(w io.Writer) slog.Handler {
		if cfg.Log.Formatter != "text" {
			return slog.NewJSONHandler(w, o).WithAttrs(shape.always)
		}
		return slog.NewTextHandler(w, o).WithAttrs(shape.always)
	}
	h := handler(&patientWriter{w: w, note: func(lost int) []byte {
		var line bytes.Buffer
		slog.New(handler(&line)).Warn("log lines were lost, since nobody took them", "lines", lost)
		return line.Bytes()
	}})
	var mailers []*mailer
	for _, hook := range cfg.Log.Hooks {
		if !hook.Disabled && len(hook.Levels) > 0 {
			mailers = append(mailers, startMailer(hook, slog.New(h)))
		}
	}
	if len(mailers) > 0 {
		h = &mailHandler{Handler: h, mailers: mailers}
	}
	log = slog.New(levelled{h, level})
	for _, k := range slices.Sorted(maps.Keys(cfg.Log.Fields)) {
		log = log.With(k, cfg.Log.Fields[k])
	}
	return log, func() error {
		var errs []error
		for _, m := range mailers {
			errs = append(errs, m.close())
		}
		return errors.Join(errs...)
	}
}

func levelOf(cfg *config.Config) (level slog.Level) {
	// Load has checked it; an empty one is info.
	_ = level.UnmarshalText([]byte(cfg.Log.Level))
	return level
}

// levelled is a log whose level can be set while it is used.
type levelled struct {
	slog.Handler
	level *slog.LevelVar
}

func (l levelled) setLevel(level slog.Level) { l.level.Set(level) }

// WithAttrs and WithGroup keep the switch.
func (l levelled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return levelled{l.Handler.WithAttrs(attrs), l.level}
}

func (l levelled) WithGroup(name string) slog.Handler {
	return levelled{l.Handler.WithGroup(name), l.level}
}

// shape is how the parts of a line are called, so that what reads the logs of
// distribution reads these.
type shape struct {
	time, message, function string
	always                  []slog.Attr
}

var shapes = map[string]shape{
	"text": {"time", "msg", "func", nil},
	"json": {"time", "msg", "func", nil},
	"logstash": {
		"@timestamp", "message", "function",
		[]slog.Attr{slog.String("@version", "1")},
	},
}

func (s shape) attr(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		if a.Value.Kind() == slog.KindTime && s.time != "" {
			return slog.String(s.time, a.Value.Time().Format(time.RFC3339Nano))
		}
	case slog.MessageKey:
		a.Key = s.message
	case slog.LevelKey:
		if level, ok := a.Value.Any().(slog.Level); ok {
			a.Value = slog.StringValue(levelName(level))
		}
	case slog.SourceKey:
		if at, ok := a.Value.Any().(*slog.Source); ok {
			return slog.Group("", slog.String(s.function, at.Function), slog.String("file", at.File+":"+slog.IntValue(at.Line).String()))
		}
	}
	return a
}

// levelName is distribution's word for a level.
func levelName(level slog.Level) string {
	if level == slog.LevelWarn {
		return "warning"
	}
	return strings.ToLower(level.String())
}
