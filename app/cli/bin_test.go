package cli

import (
	"strings"
	"testing"

	"berth/app"
	"berth/app/apptest"
)

func TestTheTrashForPeopleStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"rm_repository":     "rm --repository localhost:5000/acme/checkout tools/migrate",
		"rm_repository_dry": "rm --repository acme/checkout --dry-run",
		"rm_repository_tag": "rm --repository acme/checkout:v2.4.1",
		"rm_dry_tags":       "rm acme/checkout:v2.4.1 --dry-run",
		"trash_empty":       "trash empty --yes",
		"trash_empty_dry":   "trash empty trash-pr-302 --dry-run",
		"trash_empty_ask":   "trash empty",
		"restore_all":       "restore --all",
		"restore_nothing":   "restore",
		"help_trash":        "trash --help",
		"help_trash_empty":  "trash empty --help",
		"complete_empty":    "__complete trash empty trash-pr-30",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := run(t, apptest.New(), strings.Fields(line)...)
			golden(t, name, "$ berth "+line+"\n"+out+"-- stderr --\n"+errs+"-- exit --\n"+string(rune('0'+code))+"\n")
		})
	}
}

func TestEmptyingTheTrashSaysWhatBecomesOfTheSpace(t *testing.T) {
	t.Parallel()
	const grace = "it must be older than the grace of 30m"
	for want, r := range map[string]app.EmptyTrashReply{
		"The next clean-up frees 3.0 kB: berth cleanup\n":                                                         {Gone: 2, Frees: 3000, Now: 3000},
		"That frees nothing: something else needs what they held.\n":                                              {Gone: 2},
		"3.0 kB cannot go yet: " + grace + "\nWhat a clean-up frees, and from when on: berth cleanup --dry-run\n": {Gone: 2, Frees: 3000, Why: grace},
		"The next clean-up frees 1.0 kB: berth cleanup\n2.0 kB cannot go yet: " + grace + "\nWhat a clean-up frees, and from when on: berth cleanup --dry-run\n": {
			Gone: 2, Frees: 3000, Now: 1000, Why: grace,
		},
	} {
		if got := afterEmptying(r); got != want {
			t.Errorf("%+v: %q, want %q", r, got, want)
		}
	}
	for why, want := range map[string]string{
		"": "The next clean-up would free that.", grace: "A clean-up would free that, but " + grace,
	} {
		if got := beforeEmptying(why); got != want {
			t.Errorf("%q: %q, want %q", why, got, want)
		}
	}
}

func TestARepositoryThatWasDeletedIsListedAndComesBack(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	if code, _, errs := run(t, f, "rm", "--repository", "acme/checkout"); code != 0 {
		t.Fatalf("rm: %d %s", code, errs)
	}
	_, out, _ := run(t, f, "trash", "acme/checkout")
	if !strings.Contains(out, "repository-acme/checkout") {
		t.Errorf("not in the trash:\n%s", out)
	}
	if code, out, errs := run(t, f, "restore", "repository-acme/checkout"); code != 0 || !strings.HasPrefix(out, "Restored acme/checkout, ") {
		t.Errorf("restore: %d %s %s", code, out, errs)
	}
}

// answering runs a command line on a terminal where a person types an answer.
func answering(t *testing.T, f *apptest.Fake, answer string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	d, out, errs := depsFor(f)
	d.Terminal, d.In = true, strings.NewReader(answer)
	code = Run(t.Context(), d, args)
	return code, out.String(), errs.String()
}

func TestEmptyingTheTrashAsksOnATerminal(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]struct{ code, left int }{"y\n": {0, 0}, "YES\n": {0, 0}, "\n": {1, 3}, "no\n": {1, 3}, "": {1, 3}} {
		f := apptest.New()
		code, _, errs := answering(t, f, answer, "trash", "empty")
		reply, err := f.Trash(t.Context(), app.TrashRequest{})
		if err != nil || code != want.code || len(reply.Entries) != want.left {
			t.Errorf("%q: exit %d, %d left, %v", answer, code, len(reply.Entries), err)
		}
		if !strings.Contains(errs, "Let go for good of 3 entries and 321 MB that nothing else holds? [y/N]") {
			t.Errorf("%q: asked %q", answer, errs)
		}
	}
}

func TestConflictsOfARestoreAreEachNamedWithACommand(t *testing.T) {
	t.Parallel()
	err := conflict(app.RestoreReply{Conflicts: []app.Conflict{
		{Entry: app.TrashEntry{ID: "1", Repository: "a", Tag: "v1"}, Suggest: "v1-restored"},
		{Entry: app.TrashEntry{ID: "2", Repository: "a", Tag: "v2"}, Suggest: "v2-restored"},
	}})
	p := app.AsProblem(err)
	if p.Exit != 4 || p.Command != "berth restore 1 --as v1-restored\nberth restore 2 --as v2-restored" || p.Title != "a:v1 and 1 other tag name other images now" {
		t.Errorf("%+v", p)
	}
}
