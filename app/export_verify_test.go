package app

import "time"

// ResumeSoon has a verification that was cut off go on at once.
func ResumeSoon(c *Core) { c.verifier.resumeAfter = time.Millisecond }

// LookAgain has the next Verification look at what was found, however lately
// that was done.
func LookAgain(c *Core) { c.verifier.checked.Store(0) }
