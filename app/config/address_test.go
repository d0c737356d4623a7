package config_test

import (
	"errors"
	"testing"

	"berth/app/config"
)

func TestAnAddressThatCannotBeIsRefusedBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"5000", ":99999", "localhost:70000", "localhost:five", "http://localhost:5000", "a:b:c", "[::1"} {
		var e *config.Error
		_, err := config.Load("", nil, config.Flags{Data: t.TempDir(), Addr: addr})
		if !errors.As(err, &e) || e.Kind != config.Invalid || e.Key != "http.addr" {
			t.Errorf("%q: %v", addr, err)
		}
	}
	for _, addr := range []string{":5000", "localhost", "localhost:0", "127.0.0.1:5000", "[::1]:5000", "::1", "registry.test:80", "0.0.0.0:5000"} {
		if _, err := config.Load("", nil, config.Flags{Data: t.TempDir(), Addr: addr}); err != nil {
			t.Errorf("%q: %v", addr, err)
		}
	}
}
