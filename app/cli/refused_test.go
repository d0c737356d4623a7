package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"berth/app/apptest"
)

// TestWhatSaysNothingIsRefusedWithWhatToSay: neither an empty file wipes the
// rules, nor is an edit that edits nothing taken for one.
func TestWhatSaysNothingIsRefusedWithWhatToSay(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(empty, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"rules set " + empty:               "echo '[]' | berth rules set -",
		"rules edit 1":                     "say what of the rule changes",
		"rules add --newest x":             `--newest wants a number, such as 20, not "x"`,
		"cleanup --now=x":                  `--now wants true or false, not "x"`,
		"tag acme/checkout:v1 checkout:v2": "say the tag alone, v2",
	} {
		f := apptest.New()
		code, out, errs := run(t, f, strings.Fields(line)...)
		if code != exitUsage || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %q, %q; want %q", line, code, out, errs, want)
		}
	}
	none := filepath.Join(t.TempDir(), "none.yml")
	if err := os.WriteFile(none, []byte("[]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, apptest.New(), "rules", "set", none); code != exitOK {
		t.Errorf("an empty list: exit %d, %s", code, errs)
	}
}
