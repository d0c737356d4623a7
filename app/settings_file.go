package app

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"berth/app/config"
)

// configPace is how often config.yml is looked at: it is read, not watched,
// because Kubernetes swaps links above it, and editors put another file there.
const configPace = 2 * time.Second

// followConfig makes a config.yml that is changed act, until the Core closes.
func (c *Core) followConfig() {
	ticker := time.NewTicker(configPace)
	defer ticker.Stop()
	for {
		select {
		case <-c.life.Done():
			return
		case <-ticker.C:
			c.lookAtConfig()
		}
	}
}

// lookAtConfig takes a config.yml that is other than the one that holds, once
// it is the same at two looks: it may be half written.
func (c *Core) lookAtConfig() {
	c.tuning.mu.Lock()
	defer c.tuning.mu.Unlock()
	was := c.conf()
	content, err := was.Content()
	if err == nil && same(content, was.ContentRead()) {
		c.tuning.candidate = nil
		c.mended()
		return
	}
	mark := append([]byte("!"), content...)
	switch {
	case err != nil:
		mark = []byte(err.Error())
	case content == nil:
		mark = []byte("gone")
	}
	if again := c.tuning.candidate; !bytes.Equal(again, mark) {
		c.tuning.candidate = mark
		c.tuning.again = false
		return
	}
	if c.tuning.again {
		return // it was looked at, and is as wrong as before
	}
	c.tuning.again = true
	next, err := was.Again()
	if err != nil {
		c.broke(err)
		return
	}
	c.mended()
	for _, warning := range next.Warnings {
		if !slices.Contains(was.Warnings, warning) {
			c.log.Warn("configuration", "warning", warning)
		}
	}
	if keys := c.cfg.Restart(next); strings.Join(keys, " ") != c.tuning.restart {
		c.tuning.restart = strings.Join(keys, " ")
		if len(keys) > 0 {
			c.log.Warn("the configuration changed, and these keys need a restart to act", "keys", keys, "file", next.Path)
		}
	}
	c.log.Info("the configuration was read again", "file", next.Path)
	c.take(next)
}

// same also tells an empty file from none.
func same(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

// broke keeps what holds, and says why the file is not taken.
func (c *Core) broke(err error) {
	p := *AsProblem(err)
	c.log.Error("the configuration changed and cannot be taken; what held before holds on", "error", err)
	p.Text = strings.TrimSpace(strings.TrimSuffix(p.Title, ".") + ". " + p.Text)
	if !strings.HasSuffix(p.Text, ".") {
		p.Text += "."
	}
	p.Title, p.Code, p.Severity, p.Exit = "The changed configuration is not taken", "config_broken", severityWarning, 0
	p.Text += " What held before holds on."
	c.tuning.broken.Store(&p)
	c.notify(Notice{Kind: NoticeStatus})
}

func (c *Core) mended() {
	if c.tuning.broken.Swap(nil) != nil {
		c.log.Info("the configuration can be taken again")
		c.notify(Notice{Kind: NoticeStatus})
	}
}

// damagedName is how settings files are called that could not be used.
const damagedName = "settings.damaged*.yml"

// setDamageAside keeps a settings file that could not be used whole, and writes
// what could be used of it.
func (c *Core) setDamageAside() error {
	dir := filepath.Dir(config.MadePath(c.cfg.Data()))
	if d := c.cfg.Damage; d != nil {
		c.log.Error("settings could not be read; what is named is left out", "file", d.Path, "keys", d.Keys, "error", d.Err)
		if c.lock.ReadOnly() {
			c.tuning.damaged = []string{d.Path}
			return nil
		}
		aside := filepath.Join(dir, strings.Replace(damagedName, "*", "", 1))
		for n := 2; exists(aside); n++ {
			aside = filepath.Join(dir, strings.Replace(damagedName, "*", fmt.Sprintf("-%d", n), 1))
		}
		if err := os.Rename(d.Path, aside); err != nil {
			return fmt.Errorf("lay damaged settings aside: %w", err)
		}
		if err := c.cfg.Made().Save(c.cfg.Data()); err != nil {
			return err
		}
	}
	var err error
	c.tuning.damaged, err = filepath.Glob(filepath.Join(dir, damagedName))
	return err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// settingsProblems are those of config.yml and of the settings file.
func (c *Core) settingsProblems() (out []Problem) {
	if p := c.tuning.broken.Load(); p != nil {
		out = append(out, *p)
	}
	for _, path := range c.tuning.damaged {
		if !exists(path) {
			continue
		}
		out = append(out, Problem{
			Code: "settings_damaged", Severity: severityWarning, Title: "Settings that were made here could not be read",
			Text: "Berth runs without those of them that it does not understand. The file is kept as " + path + ".",
			Fix:  "Look there for what is missing, set it again, then delete the file.",
		})
	}
	return out
}
