package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"berth/registry/httpd"
)

// farewell is how long the end waits for faces to have heard of it.
const farewell = time.Second

// silence is how long the end waits for clients that send nothing.
const silence = 5 * time.Second

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
// quits. Then it takes nothing new, cuts off upkeep, and lets uploads and other
// jobs under way end for as long as http.draintimeout says. It may be called once.
//
// Errors: a [*Problem] when the address cannot be had.
func (c *Core) Run(ctx context.Context) error {
	f, err := c.openFront(ctx)
	if err != nil {
		return err
	}
	var serving sync.WaitGroup
	var served, controlled error
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	serving.Go(func() {
		served = f.api.Serve(f.listeners...)
		c.Stop() // also when it broke
	})
	if f.debug != nil {
		serving.Go(func() {
			if err := f.debug.Serve(f.operators...); err != nil {
				c.log.Error("the debug server has broken", "error", err)
			}
		})
	}
	if f.control != nil {
		serving.Go(func() {
			if controlled = f.control.Serve(life, c); controlled != nil {
				c.log.Error("the control socket has broken: the window and the command line no longer reach this instance", "error", controlled)
			}
		})
	}
	serving.Go(func() { c.watchHealth(life) })
	serving.Go(func() { c.checks.Run(life, c.looks...) })
	serving.Go(func() { c.reclaim(life) })
	serving.Go(func() { c.resumeVerification(life, f.api) })
	serving.Go(func() { tide(life, f.api, fittingPercent, c.giveBack) })
	c.log.Info("registry is ready", "address", c.addressForPeople(), "listening", c.Listening(), "data", c.cfg.Data())
	close(c.ready)
	c.notify(Notice{Kind: NoticeStatus})

	select {
	case <-ctx.Done():
	case <-c.quit:
	}
	c.drain(ctx, f.api)
	c.notify(Notice{Kind: NoticeQuit})
	c.hub.close()
	select { // a window must hear of the end before its connection goes
	case <-c.hub.left:
	case <-time.After(farewell):
	}
	end()
	if f.debug != nil {
		_ = f.debug.Close() // its Serve tells
	}
	serving.Wait()
	c.setAddress("", nil)
	c.log.Info("registry has stopped")
	return errors.Join(served, controlled)
}

// cutOffProblem says of upkeep that the end of the program cut it off. What it
// did is right whenever it ends, and what is left is there the next time.
func cutOffProblem() *Problem {
	return &Problem{
		Code: "cut_off", Severity: severityWarning, Title: "It was cut off", Text: "Berth ended meanwhile.",
		Fix: "What was done is right. Start it again to do the rest.", Exit: exitError,
	}
}

// drain waits for what is under way, but for upkeep, which may end at any time. The listeners stay open meanwhile: a push
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
	defer hurry.Wait()
	defer close(waiting)
	if n := c.uploads(); n > 0 || c.jobs.Busy() {
		c.log.Info("waiting for uploads and jobs to end", "uploads", n, "timeout", c.cfg.HTTP.DrainTimeout.String())
	}
	c.pauseVerification()
	c.jobs.Halt(cutOffProblem(), string(JobCleanup), string(JobRules), string(JobRepair))
	c.jobs.Drain(hurried)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for c.uploads() > 0 && hurried.Err() == nil && api.Quiet() < c.silence {
		select {
		case <-tick.C:
		case <-hurried.Done():
		}
	}
	// A client that is there but sends nothing is not worth the whole time.
	hurry.Go(func() {
		for {
			select {
			case <-tick.C:
			case <-waiting:
				return
			}
			if api.Quiet() >= c.silence {
				stop()
			}
		}
	})
	if err := api.Shutdown(hurried); err != nil {
		c.log.Warn("requests were cut off", "error", err)
	}
}
