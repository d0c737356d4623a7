package trash_test

import (
	"errors"
	"testing"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/trash"
)

// dangling gives a registry whose tags v1 and v2 name a manifest that its
// repository has lost; with bytes, they are on the disk.
func dangling(t *testing.T, bytes bool) (*trash.Registry, *trash.Bin, registry.Manifest) {
	t.Helper()
	drv := memory.New()
	reg, _ := wrap(t, drv)
	m := put(t, reg, "a", "v1", "v2")
	hex := m.Digest.Encoded()
	if err := drv.Delete(t.Context(), "docker/registry/v2/repositories/"+repo+"/_manifests/revisions/sha256/"+hex); err != nil {
		t.Fatal(err)
	}
	if !bytes {
		if err := drv.Delete(t.Context(), "docker/registry/v2/blobs/sha256/"+hex[:2]+"/"+hex); err != nil {
			t.Fatal(err)
		}
	}
	reg, bin := wrap(t, drv) // as after a start: nothing is remembered
	if resolve(t, reg, "v1") != "" {
		t.Fatal("the tag names something")
	}
	return reg, bin, m
}

func TestADanglingTagWhoseBytesAreThereIsKeptAndComesBackWhole(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string]func(*trash.Registry) error{
		"one": func(reg *trash.Registry) error { return reg.DeleteTag(t.Context(), repo, "v1") },
		"together": func(reg *trash.Registry) error {
			_, err := reg.Delete(t.Context(), repo, "v1")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reg, bin, m := dangling(t, true)
			if err := remove(reg); err != nil {
				t.Fatal(err)
			}
			list := entries(t, bin)
			if len(list) != 1 || !list[0].Dangling || list[0].Tag != "v1" || list[0].Digest != m.Digest || list[0].Size != int64(len(m.Content)) {
				t.Fatalf("in the trash: %+v", list)
			}
			rooted := false
			for root, err := range bin.Roots(t.Context()) {
				rooted = rooted || err == nil && root.Digest == m.Digest && root.Repository == repo
			}
			if !rooted {
				t.Error("a clean-up would take the manifest")
			}
			if _, err := reg.Restore(t.Context(), list[0].ID, ""); err != nil {
				t.Fatal(err)
			}
			// The manifest is linked again, and so the other tag names it, too.
			if resolve(t, reg, "v1") != m.Digest || resolve(t, reg, "v2") != m.Digest || len(entries(t, bin)) != 0 {
				t.Error("it is not back, or still in the trash")
			}
		})
	}
}

func TestADanglingTagWhoseBytesAreGoneLeavesNothing(t *testing.T) {
	t.Parallel()
	reg, bin, _ := dangling(t, false)
	if err := reg.DeleteTag(t.Context(), repo, "v1"); err != nil {
		t.Fatal(err)
	}
	if _, err := reg.Delete(t.Context(), repo, "v2"); err != nil {
		t.Fatal(err)
	}
	if list := entries(t, bin); len(list) != 0 {
		t.Errorf("in the trash: %+v", list)
	}
	if err := reg.DeleteTag(t.Context(), repo, "v1"); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("it is gone: %v", err)
	}
}
