package cli

import (
	"context"
	"strings"
	"testing"

	"berth/app/apptest"
)

func TestAWindowThatAttachesNeverBecomesAnOwner(t *testing.T) {
	t.Parallel()
	d, out, errs := depsFor(apptest.New())
	var got *Where
	d.Attach = func(_ context.Context, w Where) error { got = &w; return nil }
	d.Window = func(context.Context, Where, bool) error { t.Error("opened as an owner"); return nil }
	if code := Run(t.Context(), d, []string{"--attach", "--data", "d", "--addr", "localhost:1"}); code != exitOK {
		t.Errorf("exit %d: %s", code, errs)
	}
	if got == nil || got.Data != "d" || got.Addr != "localhost:1" {
		t.Errorf("attached to %+v", got)
	}
	if Run(t.Context(), d, []string{"--help"}); strings.Contains(out.String()+errs.String(), "--attach") {
		t.Error("the help shows a flag that nobody needs")
	}
}
