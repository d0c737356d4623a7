package filesystem

import (
	"path/filepath"
	"testing"

	"berth/registry/driver"
	"berth/registry/driver/drivertest"
)

func TestFilesystemKeepsTheContractOfDrivers(t *testing.T) {
	t.Parallel()
	drivertest.Run(t, func(t *testing.T) driver.Driver { return open(t) })
}

func open(t testing.TB) *Driver {
	t.Helper()
	d, err := Open(Options{RootDirectory: filepath.Join(t.TempDir(), "made", "by", "open")})
	if err != nil {
		t.Fatal(err)
	}
	return d
}
