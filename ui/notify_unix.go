//go:build !headless && !windows && !darwin

package ui

import (
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"

	"berth/ui/model"
)

// notifier shows desktop notifications over D-Bus: Fyne's need its window
// toolkit, which the tray alone runs without.
type notifier struct {
	mu   sync.Mutex // guards conn
	conn *dbus.Conn
}

// notify shows one and does not wait for the desktop's answer.
func (n *notifier) notify(m model.Notification) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn == nil || !n.conn.Connected() {
		conn, err := dbus.ConnectSessionBus()
		if err != nil {
			return err
		}
		n.conn = conn
	}
	urgency := byte(1)
	if m.Failed {
		urgency = 2
	}
	hints := map[string]dbus.Variant{"urgency": dbus.MakeVariant(urgency), "desktop-entry": dbus.MakeVariant("berth")}
	o := n.conn.Object("org.freedesktop.Notifications", "/org/freedesktop/Notifications")
	return o.Call("org.freedesktop.Notifications.Notify", dbus.FlagNoReplyExpected,
		"Berth", uint32(0), "berth", m.Title, escaped(m.Text), []string{}, hints, int32(-1)).Err
}

func (n *notifier) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn != nil {
		_ = n.conn.Close()
		n.conn = nil
	}
}

var markup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escaped keeps text text: many desktops read the body as markup.
func escaped(s string) string { return markup.Replace(s) }
