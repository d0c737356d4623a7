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
		if len(rows) != 1 || !strings.HasPrefix(rows[0].Text, whyYoung) || !strings.HasSuffix(rows[0].Text, " can go from "+moment(from.Add(time.Minute-1), now)+" on") {
			t.Errorf("%+v, want from %s on", rows, from)
		}
	}
}

func TestWhatHasNoTagSaysFromWhenTheRulesLetItGo(t *testing.T) {
	t.Parallel()
	now := time.Now()
	ripe := now.Add(12 * 24 * time.Hour)
	p := &heldPlan{plan: &gc.Plan{
		Ripe: now.Add(time.Hour), Young: gc.Count{Blobs: 1, Bytes: 7},
		UntaggedRipe: ripe, Untagged: gc.Count{Blobs: 3, Bytes: 900},
	}}
	rows := p.notYet()
	if len(rows) != 2 || rows[1].Bytes != 900 || rows[1].Text != whyYoungToo+": all of it can go from "+moment(ripe.Add(time.Minute-1), now)+" on" {
		t.Errorf("%+v", rows)
	}
}
