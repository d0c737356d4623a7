package app

import (
	"time"

	"berth/registry/retention"
)

// ParseAge reads an age as people write it: 30m, 36h, 7d, 2w, 1d12h.
func ParseAge(text string) (time.Duration, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return d, nil
	}
	var age retention.Age
	if err := age.UnmarshalText([]byte(text)); err != nil {
		return 0, err
	}
	return time.Duration(age), nil
}
