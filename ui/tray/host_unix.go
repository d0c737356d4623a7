//go:build !windows && !darwin

package tray

import (
	"context"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	watcherName = "org.kde.StatusNotifierWatcher"
	watcherPath = "/StatusNotifierWatcher"
	hostWait    = 5 * time.Second
)

// WatchHost says whether this desktop shows tray icons: on is called once with
// the answer, then after every change, until ctx ends. A desktop that is still
// starting gets a few seconds before the answer is no. It blocks.
func WatchHost(ctx context.Context, on func(present bool)) {
	conn, err := dbus.ConnectSessionBus(dbus.WithContext(ctx))
	if err != nil {
		if ctx.Err() == nil {
			on(false)
		}
		<-ctx.Done()
		return
	}
	defer func() { _ = conn.Close() }()
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	// Without a match nothing is told later; the first answer still holds.
	_ = conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, watcherName))
	_ = conn.AddMatchSignal(dbus.WithMatchInterface(watcherName))
	late := time.NewTimer(hostWait)
	defer late.Stop()
	present := hostRegistered(ctx, conn)
	if ctx.Err() != nil {
		return // a question that was cut off says nothing about the desktop
	}
	told := present
	if present {
		on(true)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-signals:
			if !ok {
				<-ctx.Done()
				return
			}
			now := hostRegistered(ctx, conn)
			if ctx.Err() != nil {
				return
			}
			if now != present && (told || now) {
				told = true
				on(now)
			}
			present = now
		case <-late.C:
			if !told && ctx.Err() == nil {
				told = true
				on(present)
			}
		}
	}
}

func hostRegistered(ctx context.Context, conn *dbus.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, hostWait)
	defer cancel()
	var owned bool
	if err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, watcherName).Store(&owned); err != nil || !owned {
		return false
	}
	var v dbus.Variant
	err := conn.Object(watcherName, watcherPath).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, watcherName, "IsStatusNotifierHostRegistered").Store(&v)
	registered, ok := v.Value().(bool)
	return err == nil && ok && registered
}
