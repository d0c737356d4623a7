package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net"
	"net/smtp"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"berth/app/config"
)

const (
	// mailQueue is how many lines wait for the mail server; more are lost, and
	// counted.
	mailQueue = 64
	// mailTime bounds the sending of one.
	mailTime = 30 * time.Second
	// mailGrace bounds what the end waits for mail.
	mailGrace = 5 * time.Second
)

// mailHandler gives lines to mailers too.
type mailHandler struct {
	slog.Handler
	mailers []*mailer
	fields  []slog.Attr
	prefix  string
}

// Handle logs, and mails if a mailer wants the level. It waits for no mail.
func (h *mailHandler) Handle(ctx context.Context, r slog.Record) error {
	for _, m := range h.mailers {
		if m.levels[r.Level] {
			m.take(h.letter(r))
		}
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the attributes for the text of mails.
func (h *mailHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	fields := slices.Clip(h.fields)
	for _, a := range attrs {
		fields = append(fields, slog.Attr{Key: h.prefix + a.Key, Value: a.Value})
	}
	return &mailHandler{h.Handler.WithAttrs(attrs), h.mailers, fields, h.prefix}
}

// WithGroup puts a name before the keys that follow.
func (h *mailHandler) WithGroup(name string) slog.Handler {
	return &mailHandler{h.Handler.WithGroup(name), h.mailers, h.fields, h.prefix + name + "."}
}

func (h *mailHandler) letter(r slog.Record) letter {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\r\n\r\ntime: %s\r\n", r.Message, r.Time.Format(time.RFC3339Nano))
	for _, a := range h.fields {
		fmt.Fprintf(&b, "%s: %s\r\n", a.Key, a.Value)
	}
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, "%s%s: %s\r\n", h.prefix, a.Key, a.Value)
		return true
	})
	return letter{level: levelName(r.Level), message: r.Message, text: b.String(), at: r.Time}
}

type letter struct {
	level, message, text string
	at                   time.Time
}

// mailer sends letters one after the other, in its own goroutine.
type mailer struct {
	options config.MailOptions
	levels  map[slog.Level]bool
	log     *slog.Logger // without mail, or a broken server would mail forever
	queue   chan letter
	lost    atomic.Int64
	quit    chan struct{} // closed: what waits is sent, and no more
	cut     context.CancelFunc
	ended   chan struct{}
	grace   time.Duration
}

func startMailer(hook config.LogHook, log *slog.Logger) *mailer {
	m := &mailer{
		options: hook.MailOptions, levels: map[slog.Level]bool{}, log: log, queue: make(chan letter, mailQueue),
		quit: make(chan struct{}), ended: make(chan struct{}), grace: mailGrace,
	}
	for _, level := range hook.Levels {
		switch level {
		case "panic", "fatal", "error":
			m.levels[slog.LevelError] = true
		case "warn", "warning":
			m.levels[slog.LevelWarn] = true
		case "info":
			m.levels[slog.LevelInfo] = true
		case "debug", "trace":
			m.levels[slog.LevelDebug] = true
		}
	}
	life, cut := context.WithCancel(context.Background())
	m.cut = cut
	go m.run(life)
	return m
}

func (m *mailer) take(l letter) {
	select {
	case m.queue <- l:
	default:
		m.lost.Add(1)
	}
}

func (m *mailer) run(life context.Context) {
	defer close(m.ended)
	for {
		select {
		case l := <-m.queue:
			m.deliver(life, l)
			continue
		default:
		}
		select {
		case l := <-m.queue:
			m.deliver(life, l)
		case <-m.quit:
			if len(m.queue) == 0 {
				return
			}
		}
	}
}

func (m *mailer) deliver(life context.Context, l letter) {
	if err := m.send(life, l); life.Err() != nil && err != nil {
		m.lost.Add(1)
	} else if err != nil {
		m.log.Error("mail was not sent", "server", m.options.SMTP.Addr, "subject", l.message, "error", err)
	}
	if n := m.lost.Swap(0); n > 0 {
		m.log.Error("mails were lost: there were too many at once, or the end did not wait for them", "count", n)
	}
}

// close sends what waits and ends; it waits for a slow mail server, but not
// long.
func (m *mailer) close() error {
	close(m.quit)
	late := time.AfterFunc(m.grace, m.cut)
	<-m.ended
	late.Stop()
	m.cut()
	return nil
}

// send speaks SMTP as far as it goes: encrypted where the server can, signed in
// where there is a name.
func (m *mailer) send(life context.Context, l letter) (err error) {
	host, port, err := net.SplitHostPort(m.options.SMTP.Addr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(life, mailTime)
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("the mail server took too long: %w", ctx.Err())
		}
	}()
	secure := &tls.Config{ServerName: host, InsecureSkipVerify: m.options.SMTP.Insecure}
	var conn net.Conn
	if port == "465" {
		conn, err = (&tls.Dialer{Config: secure}).DialContext(ctx, "tcp", m.options.SMTP.Addr)
	} else {
		conn, err = new(net.Dialer).DialContext(ctx, "tcp", m.options.SMTP.Addr)
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := m.introduce(c, host, secure); err != nil {
		return err
	}
	if err := c.Mail(m.options.From); err != nil {
		return err
	}
	for _, to := range m.options.To {
		if err := c.Rcpt(to); err != nil {
			return fmt.Errorf("to %s: %w", to, err)
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(m.write(l, host)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

func (m *mailer) introduce(c *smtp.Client, host string, secure *tls.Config) error {
	if name, err := os.Hostname(); err == nil && name != "" && !strings.ContainsAny(name, " \r\n") {
		if err := c.Hello(name); err != nil {
			return err
		}
	}
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(secure); err != nil {
			return err
		}
	}
	if m.options.SMTP.Username == "" {
		return nil
	}
	if ok, _ := c.Extension("AUTH"); !ok {
		return errors.New("the mail server lets nobody sign in; leave out the username, or use another port")
	}
	auth := smtp.PlainAuth("", m.options.SMTP.Username, m.options.SMTP.Password, host)
	if m.options.SMTP.Insecure {
		auth = openAuth{auth}
	}
	return c.Auth(auth)
}

// openAuth signs in without encryption too: options.smtp.insecure asks for it.
type openAuth struct{ smtp.Auth }

// Start takes any connection for an encrypted one.
func (a openAuth) Start(server *smtp.ServerInfo) (string, []byte, error) {
	said := *server
	said.TLS = true
	return a.Auth.Start(&said)
}

func (m *mailer) write(l letter, host string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\n", m.options.From, strings.Join(m.options.To, ", "))
	fmt.Fprintf(&b, "Subject: %s\r\n", mime.QEncoding.Encode("utf-8", fmt.Sprintf("[%s] %s: %s", l.level, host, l.message)))
	fmt.Fprintf(&b, "Date: %s\r\nMIME-Version: 1.0\r\n", cmp.Or(l.at, time.Now()).Format(time.RFC1123Z))
	b.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")
	b.WriteString(l.text)
	return b.Bytes()
}
