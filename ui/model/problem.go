package model

import (
	"context"
	"errors"

	"berth/app"
)

// problemOf gives the problem to show for err: the service's own words where it
// has some. It is nil for nil and for a request that was given up. What has no
// words of the service is, to an attached face, an instance that is gone.
func (e *env) problemOf(err error, doing string) *app.Problem {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	if p, ok := errors.AsType[*app.Problem](err); ok {
		return p
	}
	if e.Attached {
		return &app.Problem{Code: "ended", Severity: "error", Title: "Berth has ended", Text: "Start it again to go on."}
	}
	return &app.Problem{Code: "internal", Severity: "error", Title: doing + " did not work", Text: err.Error()}
}
