package app_test

import (
	"testing"
	"time"

	"berth/app"
	"berth/registry/event"
)

func TestPullsThatWereMissedLetNoRuleTakeATagForUnused(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	old := i.push("app", "old", "one")
	if err := app.PushedAt(t.Context(), i.Core, "app", "old", old, time.Now().AddDate(0, -1, 0)); err != nil {
		t.Fatal(err)
	}
	i.push("app", "new", "two")
	app.CountPullsSince(i.Core, time.Now().AddDate(-1, 0, 0))
	i.setRules(app.Rule{Name: "unused", Newest: 1, Pulled: "1h"})
	going := func() int { return i.preview(app.PreviewRulesRequest{}).All.Tags }
	if n := going(); n != 1 {
		t.Fatalf("%d tags go before", n)
	}
	app.Happen(i.Core, event.Event{Kind: event.Lagged})
	if n := going(); n != 1 {
		t.Errorf("%d tags go after other events were missed", n)
	}
	app.Happen(i.Core, event.Event{Kind: event.Lagged, Manifest: true})
	if n := going(); n != 0 {
		t.Errorf("%d tags go although they may have been pulled", n)
	}
}
