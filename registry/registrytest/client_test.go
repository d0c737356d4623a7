package registrytest_test

import (
	"net/http/httptest"
	"testing"

	"berth/registry"
	"berth/registry/client"
	"berth/registry/registrytest"
	"berth/registry/server"
)

// overHTTP gives a client of a server of reg.
func overHTTP(t *testing.T, reg registry.Registry) registry.Registry {
	t.Helper()
	srv := httptest.NewServer(server.New(reg, server.Options{}))
	t.Cleanup(srv.Close)
	remote, err := client.New(srv.URL, client.Options{HTTP: srv.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return remote
}

func TestAClientOfAServerKeepsTheContract(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registry.Registry { return overHTTP(t, registrytest.NewFake()) })
}
