//go:build !headless

package ui

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// clipboard is the clipboard of a process without a window. Under X the text
// belongs to a program that answers for it, so this one owns an invisible window
// for that; XWayland hands it on to Wayland. Where wl-copy is installed a
// Wayland desktop gets it from there.
type clipboard struct {
	mu   sync.Mutex // guards what follows
	own  *selection
	done sync.WaitGroup
}

// Set puts text on the clipboard.
func (c *clipboard) Set(text string) error {
	if os.Getenv("WAYLAND_DISPLAY") != "" {
		if path, err := exec.LookPath("wl-copy"); err == nil {
			cmd := exec.Command(path)
			cmd.Stdin = strings.NewReader(text)
			if cmd.Run() == nil {
				return nil
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own == nil || c.own.set(text) != nil {
		own, err := openSelection()
		if err != nil {
			return err
		}
		c.own = own
		c.done.Go(own.serve)
		return own.set(text)
	}
	return nil
}

// Close gives the clipboard up and waits for its goroutine.
func (c *clipboard) Close() {
	c.mu.Lock()
	if c.own != nil {
		c.own.conn.Close()
	}
	c.mu.Unlock()
	c.done.Wait()
}

// selection owns CLIPBOARD on an X connection of its own.
type selection struct {
	conn   *xgb.Conn
	window xproto.Window
	// The atoms that the protocol needs.
	clipboard, targets, utf8 xproto.Atom

	mu   sync.Mutex // guards text
	text string
}

func openSelection() (*selection, error) {
	xgb.Logger.SetOutput(io.Discard) // what it says is returned too
	conn, err := xgb.NewConn()
	if err != nil {
		return nil, err
	}
	s := &selection{conn: conn}
	if err := s.prepare(); err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

func (s *selection) prepare() error {
	for _, a := range []struct {
		name string
		to   *xproto.Atom
	}{{"CLIPBOARD", &s.clipboard}, {"TARGETS", &s.targets}, {"UTF8_STRING", &s.utf8}} {
		r, err := xproto.InternAtom(s.conn, false, uint16(len(a.name)), a.name).Reply()
		if err != nil {
			return err
		}
		*a.to = r.Atom
	}
	id, err := xproto.NewWindowId(s.conn)
	if err != nil {
		return err
	}
	s.window = id
	root := xproto.Setup(s.conn).DefaultScreen(s.conn).Root
	return xproto.CreateWindowChecked(s.conn, 0, id, root, 0, 0, 1, 1, 0, xproto.WindowClassInputOnly, 0, 0, nil).Check()
}

func (s *selection) set(text string) error {
	s.mu.Lock()
	s.text = text
	s.mu.Unlock()
	if err := xproto.SetSelectionOwnerChecked(s.conn, s.window, s.clipboard, xproto.TimeCurrentTime).Check(); err != nil {
		return err
	}
	r, err := xproto.GetSelectionOwner(s.conn, s.clipboard).Reply()
	if err != nil {
		return err
	}
	if r.Owner != s.window {
		return errors.New("another program keeps the clipboard")
	}
	return nil
}

// serve answers programs that paste, until the connection ends.
func (s *selection) serve() {
	for {
		ev, err := s.conn.WaitForEvent()
		if ev == nil && err == nil {
			return
		}
		if r, ok := ev.(xproto.SelectionRequestEvent); ok {
			s.answer(r)
		}
	}
}

func (s *selection) answer(r xproto.SelectionRequestEvent) {
	s.mu.Lock()
	text := s.text
	s.mu.Unlock()
	property := r.Property
	if property == xproto.AtomNone {
		property = r.Target // programs older than the convention leave it out
	}
	switch r.Target {
	case s.targets:
		list := make([]byte, 0, 12)
		for _, a := range []xproto.Atom{s.targets, s.utf8, xproto.AtomString} {
			list = append(list, byte(a), byte(a>>8), byte(a>>16), byte(a>>24))
		}
		xproto.ChangeProperty(s.conn, xproto.PropModeReplace, r.Requestor, property, xproto.AtomAtom, 32, 3, list)
	case s.utf8, xproto.AtomString:
		xproto.ChangeProperty(s.conn, xproto.PropModeReplace, r.Requestor, property, r.Target, 8, uint32(len(text)), []byte(text))
	default:
		property = xproto.AtomNone
	}
	done := xproto.SelectionNotifyEvent{Time: r.Time, Requestor: r.Requestor, Selection: r.Selection, Target: r.Target, Property: property}
	xproto.SendEvent(s.conn, false, r.Requestor, 0, string(done.Bytes()))
}
