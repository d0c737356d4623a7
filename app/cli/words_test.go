package cli

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"berth/app"
	"berth/app/apptest"
)

func TestWhatMakesNoSenseIsSaidInWords(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"completion":             "2 completion needs a shell: bash, zsh, fish or powershell",
		"completion foo":         `2 completion is for bash, zsh, fish or powershell, not "foo"`,
		"tags acme/checkout:v1":  "2 Did you mean acme/checkout?",
		"trash nope":             "0 Nothing of nope is in the trash.",
		"completion bash --help": "0 ",
	} {
		code, out, errs := run(t, apptest.New(), strings.Fields(line)...)
		exit, text, _ := strings.Cut(want, " ")
		if exit != string(rune('0'+code)) || !strings.Contains(errs, text) {
			t.Errorf("%s: exit %d, %s%s", line, code, out, errs)
		}
	}
	if code, out, _ := run(t, apptest.New(), "completion", "bash"); code != exitOK || !strings.Contains(out, "__start_berth") {
		t.Errorf("completion bash: exit %d", code)
	}
}

func TestAFreshTrashEntryHasSevenDays(t *testing.T) {
	t.Parallel()
	p := &program{Deps: Deps{Now: func() time.Time { return apptest.Now }}}
	for left, want := range map[time.Duration]string{
		7*24*time.Hour - 3*time.Second: "7 days from now", 24 * time.Hour: "1 day from now", 2 * time.Hour: "2 hours from now",
	} {
		if got := p.ahead(apptest.Now.Add(left)); got != want {
			t.Errorf("%s: %q, want %q", left, got, want)
		}
	}
}

func TestOnlyWhoStoresMayMakeTheFolder(t *testing.T) {
	t.Parallel()
	for _, makes := range []bool{false, true} {
		args := []string{"ls"}
		if makes {
			args = []string{"import", "x.tar"}
		}
		d, _, _ := depsFor(apptest.New())
		d.Dial = noInstance
		d.Open = func(_ context.Context, w Where) (app.Service, func() error, error) {
			if w.Make != makes {
				t.Errorf("%s: make %v", args[0], w.Make)
			}
			return nil, nil, app.BadRequest(errors.New("enough"))
		}
		Run(t.Context(), d, args)
	}
}

func noInstance(context.Context, Where) (app.Service, func() error, error) {
	return nil, nil, ErrNoInstance
}
