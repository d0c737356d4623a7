package cli

import (
	"strings"
	"testing"
	"time"

	"berth/app"
)

// TestWhatARestoreLeftIsNamedBesideWhatIsBack prints replies of each kind.
func TestWhatARestoreLeftIsNamedBesideWhatIsBack(t *testing.T) {
	t.Parallel()
	at := time.Unix(1e9, 0)
	whole := app.TrashEntry{ID: "t1", Kind: app.TrashRepository, Repository: "a", Tags: 2, At: at}
	tag := func(repo, name string, at time.Time) app.TrashEntry {
		return app.TrashEntry{ID: "id-" + name, Kind: app.TrashTag, Repository: repo, Tag: name, At: at}
	}
	taken := app.Conflict{Entry: tag("a", "v2", at), Suggest: "v2-restored"}
	var many []app.TrashEntry
	for _, name := range strings.Fields("1 2 3 4 5 6 7") {
		many = append(many, tag("b", name, at))
	}
	for name, c := range map[string]struct {
		reply              app.RestoreReply
		all                bool
		out, errs, problem string
	}{
		"all of it": {app.RestoreReply{Restored: []app.TrashEntry{whole}}, false, "Restored a, 2 tags\n", "", ""},
		"one taken": {
			app.RestoreReply{Restored: []app.TrashEntry{whole}, Conflicts: []app.Conflict{taken}},
			false,
			"Restored a, 2 of 3 tags\nLeft a:v2: it names another image now\n", "", "berth restore id-v2 --as v2-restored",
		},
		"one of another deletion": {
			app.RestoreReply{Restored: []app.TrashEntry{whole}, Conflicts: []app.Conflict{{Entry: tag("a", "v9", at.Add(time.Hour)), Suggest: "v9-restored"}}},
			true,
			"Restored a, 2 tags\nLeft a:v9: it names another image now\n", "", "berth restore id-v9 --as v9-restored",
		},
		"vanished": {
			app.RestoreReply{Gone: many},
			true, "",
			"Not in the trash any more: 7 entries (b:1, b:2, b:3, b:4, b:5, and 2 more). It was emptied, or somebody else restored them, meanwhile.\n", "",
		},
		"could not": {
			app.RestoreReply{Restored: []app.TrashEntry{whole}, Failed: []app.RestoreFailure{{Entry: many[0], Problem: &app.Problem{Title: "Its bytes are gone"}}}},
			true, "Restored a, 2 tags\n", "Not restored: b:1. Its bytes are gone\n", "berth verify",
		},
		"vanished that was named": {
			app.RestoreReply{Restored: []app.TrashEntry{whole}, Gone: many[:1]},
			false, "Restored a, 2 tags\n",
			"Not in the trash any more: 1 entry (b:1). It was emptied, or somebody else restored them, meanwhile.\n", "berth trash",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, out, errs := depsFor(nil)
			if err := (&program{Deps: d}).printRestored(c.reply, "", c.all); err != nil {
				t.Fatal(err)
			}
			problem := ""
			if p := app.AsProblem(notRestored(c.reply, c.all)); p != nil {
				problem = p.Command
			}
			if out.String() != c.out || errs.String() != c.errs || problem != c.problem {
				t.Errorf("output %q, error %q, problem %q", out, errs, problem)
			}
		})
	}
}
