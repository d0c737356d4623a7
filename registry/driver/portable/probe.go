package portable

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"

	"berth/registry/driver"
)

// known are folders that a data folder has, before one is made for the probe:
// looking costs nothing, and works where nothing can be written.
var known = []string{"docker/registry/v2/repositories", "docker/registry", "docker", "berth"}

// probe is the file for a folder with nothing in it.
const probe = "berth/probe"

// Probe finds out what a storage does to names.
func Probe(ctx context.Context, d driver.Driver) (Rules, error) {
	rules := Rules{Windows: runtime.GOOS == "windows"}
	key, err := anything(ctx, d)
	if err != nil || key == "" {
		return rules, err
	}
	if rules.Fold, err = sameAs(ctx, d, key, strings.ToUpper(key)); err != nil {
		return rules, err
	}
	if !rules.Windows {
		// FAT, NTFS and their kin keep the rules of Windows on other systems, too.
		if rules.Windows, err = sameAs(ctx, d, key, key+"."); err != nil {
			return rules, err
		}
	}
	if rules.Fold && !rules.Windows {
		rules.Windows = refuses(ctx, d)
	}
	if key == probe {
		if err := d.Delete(ctx, probe); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return rules, fmt.Errorf("look at what the storage does to names: %w", err)
		}
	}
	rules.MaxName = longest(ctx, d)
	return rules, nil
}

// anything gives a key that exists; "" when there is none and none can be made.
func anything(ctx context.Context, d driver.Driver) (string, error) {
	for _, key := range known {
		_, err := d.Stat(ctx, key)
		if err == nil {
			return key, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("look at what the storage does to names: %w", err)
		}
	}
	err := d.Put(ctx, probe, nil)
	switch {
	case errors.Is(err, driver.ErrReadOnly), errors.Is(err, driver.ErrNoSpace), errors.Is(err, fs.ErrPermission):
		return "", nil // there is nothing to be served either
	case err != nil:
		return "", fmt.Errorf("look at what the storage does to names: %w", err)
	}
	return probe, nil
}

// sameAs reports whether the last part of other finds the last part of key: it
// is there, and the folder does not list it.
func sameAs(ctx context.Context, d driver.Driver, key, other string) (bool, error) {
	other = join(folderOf(key), lastPart(other))
	if _, err := d.Stat(ctx, other); err != nil {
		// Whatever is wrong with the other name, it does not find this one.
		return false, ctx.Err()
	}
	for info, err := range d.List(ctx, folderOf(key)) {
		if err != nil {
			return false, fmt.Errorf("look at what the storage does to names: %w", err)
		}
		if info.Key == other {
			return false, nil
		}
	}
	return true, nil
}

// reserved is a name that Windows, and what is mounted as if for it, refuses.
const reserved = "berth/con"

// refuses tries to make it; a storage that cannot be written does not say.
func refuses(ctx context.Context, d driver.Driver) bool {
	err := d.Put(ctx, reserved, nil)
	switch {
	case err == nil:
		_ = d.Delete(ctx, reserved) // an empty file of ours, which harms nobody
		return false
	case errors.Is(err, driver.ErrReadOnly), errors.Is(err, driver.ErrNoSpace), errors.Is(err, fs.ErrPermission), ctx.Err() != nil:
		return false
	}
	return true
}

// longest gives the longest name, 0 when that is the usual: names that are not
// there are asked for, and one that is too long is another error.
func longest(ctx context.Context, d driver.Driver) int {
	fits := func(n int) bool {
		_, err := d.Stat(ctx, "berth/"+strings.Repeat("n", n))
		return err == nil || errors.Is(err, fs.ErrNotExist)
	}
	const short = 64 // every file system holds it
	if fits(defaultMax) || !fits(short) {
		return 0
	}
	low, high := short, defaultMax
	for low+1 < high {
		if mid := (low + high) / 2; fits(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}
