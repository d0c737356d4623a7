package app

import (
	"strings"
	"testing"
	"time"

	"berth/registry/gc"
)

func TestWhatIsYoungCannotGoBeforeAnythingCan(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, waits := range []time.Time{{}, now.Add(10 * time.Minute), now.Add(2 * time.Hour)} {
		p := &heldPlan{waits: waits, plan: &gc.Plan{Ripe: now.Add(30 * time.Minute), Young: gc.Count{Blobs: 1, Bytes: 7}}}
		from := p.plan.Ripe
		if waits.After(from) {
			from = waits
		}
		rows := p.notYet()
		if len(rows) != 1 || !strings.HasSuffix(rows[0].Text, " can go from "+moment(from.Add(time.Minute-1), now)+" on") {
			t.Errorf("%+v, want from %s on", rows, from)
		}
	}
}
