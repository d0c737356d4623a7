package registrytest_test

import (
	"testing"

	"berth/registry"
	"berth/registry/registrytest"
)

func TestTheFakeKeepsTheContract(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(*testing.T) registry.Registry { return registrytest.NewFake() })
}
