package control

import (
	"os"
	"testing"
)

func TestOnlyThisUserAndRootAreTrusted(t *testing.T) {
	t.Parallel()
	me := os.Getuid()
	for _, tc := range []struct {
		uid   int
		known bool
		want  bool
	}{{me, true, true}, {0, true, true}, {me + 1000, true, false}, {me + 1000, false, true}} {
		if got := trusted(tc.uid, tc.known); got != tc.want {
			t.Errorf("user %d, known %v: %v", tc.uid, tc.known, got)
		}
	}
}
