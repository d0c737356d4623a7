package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"berth/app/config"
	"berth/registry/httpd"
)

// portTries is how many ports after the default one are tried.
const portTries = 20

// farewell is how long the end waits for faces to have heard of it.
const farewell = time.Second

// Ready is closed once the registry answers and the control socket too.
func (c *Core) Ready() <-chan struct{} { return c.ready }

// Stop makes Run end as Quit does; it does not wait.
func (c *Core) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.quit:
		c.hurryOnce.Do(func() { close(c.hurry) })
	default:
		close(c.quit)
	}
}

// Run serves the registry and the control socket until ctx ends or somebody
// quits. Then it takes nothing new, but lets uploads and jobs under way end for
// as long as http.draintimeout says. It may be called once.
//
// Errors: a [*Problem] when the address cannot be had.
func (c *Core) Run(ctx context.Context) error {
	listeners, err := c.listen(ctx)
	if err != nil {
		return err
	}
	api := httpd.New(c.handler(), c.httpdOptions())
	control, err := c.openControl()
	if err != nil {
		for _, l := range listeners {
			err = errors.Join(err, l.Close())
		}
		return err
	}
	var serving sync.WaitGroup
	var served, controlled error
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	serving.Go(func() {
		served = api.Serve(listeners...)
		c.Stop() // also when it broke
	})
	if control != nil {
		serving.Go(func() {
			if controlled = control.Serve(life, c); controlled != nil {
				c.log.Error("the control socket has broken: the window and the command line no longer reach this instance", "error", controlled)
			}
		})
	}
	serving.Go(func() { c.watchHealth(life) })
	serving.Go(func() { c.reclaim(life) })
	c.log.Info("registry is ready", "address", c.addressForPeople(), "listening", c.Listening(), "data", c.cfg.Data())
	close(c.ready)
	c.notify(Notice{Kind: NoticeStatus})

	select {
	case <-ctx.Done():
	case <-c.quit:
	}
	c.drain(ctx, api)
	c.notify(Notice{Kind: NoticeQuit})
	c.hub.close()
	select { // a window must hear of the end before its connection goes
	case <-c.hub.left:
	case <-time.After(farewell):
	}
	end()
	serving.Wait()
	c.setAddress("", nil)
	c.log.Info("registry has stopped")
	return errors.Join(served, controlled)
}

// drain waits for what is under way. The listeners stay open meanwhile: a push
// is many requests.
func (c *Core) drain(ctx context.Context, api *httpd.Server) {
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.HTTP.DrainTimeout)
	defer cancel()
	hurried, stop := context.WithCancel(late)
	defer stop()
	waiting := make(chan struct{})
	var hurry sync.WaitGroup
	hurry.Go(func() {
		select {
		case <-c.hurry:
			stop()
		case <-waiting:
		}
	})
	if n := c.uploads(); n > 0 || c.jobs.Busy() {
		c.log.Info("waiting for uploads and jobs to end", "uploads", n, "timeout", c.cfg.HTTP.DrainTimeout.String())
	}
	c.jobs.Drain(hurried)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for c.uploads() > 0 && hurried.Err() == nil {
		select {
		case <-tick.C:
		case <-hurried.Done():
		}
	}
	if err := api.Shutdown(hurried); err != nil {
		c.log.Warn("requests were cut off", "error", err)
	}
	close(waiting)
	hurry.Wait()
}

// listen takes the address of the configuration. When somebody else has the
// default one, the next free port will do; an address that was asked for is
// that one or none.
func (c *Core) listen(ctx context.Context) ([]net.Listener, error) {
	asked := c.cfg.HTTP.Addr
	listeners, err := httpd.Listen(ctx, asked)
	var taken *httpd.PortTakenError
	if errors.As(err, &taken) {
		h := newProber().find(ctx, taken.Port)
		addr := net.JoinHostPort(hostOf(asked), fmt.Sprint(taken.Port))
		if c.cfg.Origin("http.addr").Source != config.SourceDefault {
			return nil, portTaken(addr, h, "")
		}
		for n := 1; n <= portTries && errors.As(err, &taken); n++ {
			listeners, err = httpd.Listen(ctx, next(addr, n))
		}
		if errors.As(err, &taken) {
			return nil, portTaken(addr, h, "")
		}
		if err == nil {
			c.setAddress(asked, listeners)
			notice := portTaken(addr, h, c.addressForPeople())
			c.mu.Lock()
			c.portNotice = notice
			c.mu.Unlock()
			c.log.Warn("port is taken", "asked", asked, "by", h.kind, "name", h.name, "pid", h.pid, "address", c.addressForPeople())
		}
	}
	if err != nil {
		return nil, &Problem{
			Code: "cannot_listen", Severity: severityError, Title: "Berth cannot listen at " + asked, Text: err.Error(),
			Fix: "Choose an address of this machine:", Command: "berth serve --addr localhost:5000", Exit: exitError,
		}
	}
	c.setAddress(asked, listeners)
	if c.lock != nil {
		if err := c.lock.Announce(c.addressForPeople()); err != nil {
			c.log.Warn("the address is not in the lock file", "error", err)
		}
	}
	return listeners, nil
}

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

func (c *Core) setAddress(asked string, listeners []net.Listener) {
	var bound []string
	for _, l := range listeners {
		bound = append(bound, l.Addr().String())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listening, c.address = bound, peopleAddress(asked, bound)
}

// Listening gives the bound addresses.
func (c *Core) Listening() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.listening...)
}

func (c *Core) openControl() (Socket, error) {
	if c.opt.Control == nil {
		return nil, nil
	}
	socket, err := c.opt.Control(c.cfg.Data())
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	return socket, nil
}
