package app

import "time"

// restPace is how often a busy instance looks whether it is at rest.
const restPace = 250 * time.Millisecond

// awaitRest tells watchers once what they were told was busy is at rest: an
// upload that is abandoned, or that runs into its time, ends without an event.
// It needs Core.mu.
func (c *Core) awaitRest() {
	if c.restless || c.onceClosed {
		return
	}
	c.restless = true
	c.background.Go(func() {
		ticker := time.NewTicker(restPace)
		defer ticker.Stop()
		for c.uploads() > 0 || c.jobs.Busy() {
			select {
			case <-c.life.Done():
				return
			case <-ticker.C:
			}
		}
		c.mu.Lock()
		c.restless = false
		c.mu.Unlock()
		c.notify(Notice{Kind: NoticeStatus})
	})
}
