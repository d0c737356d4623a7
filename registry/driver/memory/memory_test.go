package memory_test

import (
	"testing"

	"berth/registry/driver"
	"berth/registry/driver/drivertest"
	"berth/registry/driver/memory"
)

func TestMemoryKeepsTheContractOfDrivers(t *testing.T) {
	t.Parallel()
	drivertest.Run(t, func(*testing.T) driver.Driver { return memory.New() })
}

func TestACrashDropsWhatWasNotSynced(t *testing.T) {
	t.Parallel()
	d, ctx := memory.New(), t.Context()
	if err := d.Put(ctx, "put", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	w := open(t, d, "synced", 0)
	write(t, w, "kept")
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	write(t, w, " and lost")
	write(t, open(t, d, "never", 0), "lost")
	truncated := open(t, d, "put", 0)
	write(t, truncated, "lost")
	moved := open(t, d, "up", 0)
	write(t, moved, "lost")
	if err := d.Move(ctx, "up", "moved"); err != nil {
		t.Fatal(err)
	}

	d.Crash()

	for key, want := range map[string]int64{"put": 4, "synced": 4, "moved": 0} {
		if info, err := d.Stat(ctx, key); err != nil || info.Size != want {
			t.Errorf("after the crash %s has %d bytes (%v), want %d", key, info.Size, err, want)
		}
	}
	for _, key := range []string{"never", "up"} {
		if _, err := d.Stat(ctx, key); err == nil {
			t.Errorf("after the crash %s is still there", key)
		}
	}
	again := open(t, d, "synced", 4)
	write(t, again, "!")
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if info, _ := d.Stat(ctx, "synced"); info.Size != 5 {
		t.Errorf("after resuming, synced has %d bytes", info.Size)
	}
}

func open(t *testing.T, d driver.Driver, key string, offset int64) driver.Writer {
	t.Helper()
	w, err := d.Append(t.Context(), key, offset)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func write(t *testing.T, w driver.Writer, text string) {
	t.Helper()
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}
