package app

// ForgetVerdicts has the next preview read everything anew.
func ForgetVerdicts(c *Core) { c.judge.forget() }
