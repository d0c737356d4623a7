package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"berth/registry/retention"
)

// The schedules of a clean-up.
const (
	ScheduleOff    = "off"
	ScheduleDaily  = "daily"
	ScheduleWeekly = "weekly"
)

var weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// Clock gives the time of day of the schedule.
func (c Cleanup) Clock() (hour, minute int) {
	at, _ := time.Parse(clock, c.At) // Load has checked it
	return at.Hour(), at.Minute()
}

// Day gives the day of a weekly schedule.
func (c Cleanup) Day() time.Weekday {
	return time.Weekday(max(slices.Index(weekdays, c.Weekday), 0))
}

// LowBytes gives the room below which a clean-up runs by itself, on a disk of
// total bytes; 0 means never.
func (c Cleanup) LowBytes(total int64) int64 {
	room, _ := lowRoom(c.Low, total) // Load has checked it
	return room
}

const clock = "15:04"

func lowRoom(low string, total int64) (int64, error) {
	if low == "" {
		return 0, nil
	}
	wrong := fmt.Errorf("%q is no room on a disk; write it as 5GB or as 10%%, or leave it empty for never", low)
	if share, ok := strings.CutSuffix(low, "%"); ok {
		percent, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		if err != nil || !(percent > 0 && percent < 100) {
			return 0, wrong
		}
		return int64(float64(total) * percent / 100), nil
	}
	n, err := ParseBytes(low)
	// A small number without a unit was meant in another unit.
	if err != nil || n == 0 || n < 1<<20 && strings.Trim(low, "0123456789., ") == "" {
		return 0, wrong
	}
	return n, nil
}

// settleBerth fills what is still open of Berth's own.
func (c *Config) settleBerth(d *Config) {
	clean, own := &c.Berth.Cleanup, d.Berth.Cleanup
	clean.Schedule = strings.ToLower(cmp.Or(clean.Schedule, own.Schedule))
	clean.At = cmp.Or(clean.At, own.At)
	clean.Weekday = strings.ToLower(cmp.Or(clean.Weekday, own.Weekday))
	c.Berth.Verify.Rate = cmp.Or(c.Berth.Verify.Rate, d.Berth.Verify.Rate)
}

func (c *Config) checkBerth() error {
	clean := c.Berth.Cleanup
	if err := c.oneOf("berth.cleanup.schedule", clean.Schedule, ScheduleOff, ScheduleDaily, ScheduleWeekly); err != nil {
		return err
	}
	if err := c.oneOf("berth.cleanup.weekday", clean.Weekday, weekdays...); err != nil {
		return err
	}
	if _, err := time.Parse(clock, clean.At); err != nil {
		return c.bad("berth.cleanup.at", fmt.Errorf("%q is no time of day; write it as 03:00 or 22:30", clean.At))
	}
	if _, err := lowRoom(clean.Low, 0); err != nil {
		return c.bad("berth.cleanup.low", err)
	}
	if err := checkRate(int64(c.Berth.Verify.Rate), c.Berth.Verify.Rate.String()); err != nil {
		return c.bad("berth.verify.rate", err)
	}
	if err := c.checkRules(); err != nil {
		return err
	}
	return c.checkImmutable()
}

// checkRules names the line of the rule that cannot be.
func (c *Config) checkRules() error {
	const key = "berth.cleanup.rules"
	all := retention.Validate(c.Berth.Cleanup.Rules)
	if all == nil {
		return nil
	}
	for i := range c.Berth.Cleanup.Rules {
		if retention.Validate(c.Berth.Cleanup.Rules[i:i+1]) != nil {
			return c.bad(key+"."+strconv.Itoa(i), all)
		}
	}
	return c.bad(key, all) // two of a name
}

func (c *Config) checkImmutable() error {
	const key = "berth.immutable"
	for i, rule := range c.Berth.Immutable {
		if len(rule.Repositories)+len(rule.Tags)+len(rule.Except) == 0 {
			return c.bad(key+"."+strconv.Itoa(i), errors.New("it says nothing; write tags, such as [v*], or tags: ['*'] for all"))
		}
	}
	_, all := retention.NewProtection(c.Berth.Immutable)
	if all == nil {
		return nil
	}
	for i := range c.Berth.Immutable {
		if _, err := retention.NewProtection(c.Berth.Immutable[i : i+1]); err != nil {
			return c.bad(key+"."+strconv.Itoa(i), all)
		}
	}
	return c.bad(key, all)
}
