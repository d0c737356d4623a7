//go:build linux

package main

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// flow is what the connections of a rate workload do. One goroutine calls it.
type flow interface {
	// next gives the next request of a connection, nil when there is none.
	next(i int) (request []byte, head bool)
	// got judges the response; done says that it ends an operation.
	got(i int, r *response) (done bool, err error)
}

// drive runs a flow over many connections for about the window, or to its end
// when the window is 0. It gives the finished operations and the time they took.
//
// One thread serves all connections through epoll: it must cost less than the
// server, and the other core is the server's.
func drive(addr string, conns int, f flow, window time.Duration) (ops int, took time.Duration, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return 0, 0, fmt.Errorf("epoll: %w", err)
	}
	defer func() { _ = syscall.Close(poll) }()
	d := driver{flow: f, conns: make([]*conn, conns), heads: make([]bool, conns)}
	defer d.close()
	for i := range d.conns {
		if d.conns[i], err = dial(addr); err != nil {
			return 0, 0, err
		}
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}
		if err := syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, d.conns[i].fd, &event); err != nil {
			return 0, 0, fmt.Errorf("epoll: %w", err)
		}
	}
	begin := time.Now()
	for i := range d.conns {
		if err := d.start(i); err != nil {
			return 0, 0, err
		}
	}
	events := make([]syscall.EpollEvent, conns)
	for d.open > 0 {
		n, err := syscall.EpollWait(poll, events, 60_000)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return 0, 0, fmt.Errorf("no answer for a minute, %v", err)
		}
		if window > 0 && time.Since(begin) >= window {
			d.last = true
		}
		for _, e := range events[:n] {
			if err := d.ready(int(e.Fd)); err != nil {
				return 0, 0, err
			}
		}
	}
	return d.ops, time.Since(begin), nil
}

// driver is the state of one drive.
type driver struct {
	flow  flow
	conns []*conn
	heads []bool
	open  int  // connections that wait for a response
	last  bool // no operation is begun any more
	ops   int
}

func (d *driver) close() {
	for _, c := range d.conns {
		if c != nil {
			c.close()
		}
	}
}

func (d *driver) start(i int) error {
	request, head := d.flow.next(i)
	if request == nil {
		return nil
	}
	d.heads[i] = head
	d.open++
	return d.conns[i].send(request)
}

// ready reads what has come for a connection, and sends its next request when
// the response is whole.
func (d *driver) ready(i int) error {
	c := d.conns[i]
	if err := c.fill(); err != nil {
		return err
	}
	r, used, err := parse(c.in[c.r:c.w], d.heads[i])
	if err != nil || used == 0 {
		return err
	}
	c.r += used
	d.open--
	done, err := d.flow.got(i, &r)
	if err != nil {
		return err
	}
	if done {
		d.ops++
		if d.last {
			return nil
		}
	}
	return d.start(i)
}
