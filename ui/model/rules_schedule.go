package model

import (
	"context"
	"strconv"
	"strings"
	"time"

	"berth/app"
)

// The keys of the schedule in the configuration.
const (
	scheduleKeys = "berth.cleanup."
	keySchedule  = scheduleKeys + "schedule"
	keyAt        = scheduleKeys + "at"
	keyWeekday   = scheduleKeys + "weekday"
	keyLow       = scheduleKeys + "low"

	clock = "15:04"
)

func (m *Rules) scheduleLocked() ScheduleView {
	get := func(key, otherwise string) string {
		if s, ok := m.settings[key]; ok {
			if v := scalar(s.Value); v != "" {
				return v
			}
		}
		return otherwise
	}
	v := ScheduleView{
		Kind: get(keySchedule, "off"), At: get(keyAt, "03:00"), Weekday: get(keyWeekday, "sunday"), Low: get(keyLow, ""), Locked: map[string]string{},
	}
	for key, s := range m.settings {
		if s.Locked {
			v.Locked[strings.TrimPrefix(key, scheduleKeys)] = s.Origin
		}
	}
	return v
}

// scalar reads a single value written in YAML: plain, or in quotes of either
// kind.
func scalar(s string) string {
	s = strings.TrimSpace(s)
	switch {
	case s == "null" || s == "~":
		return ""
	case len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'':
		return strings.ReplaceAll(s[1:len(s)-1], "''", "'")
	case len(s) > 1 && s[0] == '"':
		if text, err := strconv.Unquote(s); err == nil {
			return text
		}
	}
	return s
}

// SetSchedule says when clean-ups run by themselves: off, daily or weekly, and on
// which day; an empty day leaves it.
func (m *Rules) SetSchedule(kind, weekday string) {
	values := map[string]string{keySchedule: kind}
	if weekday != "" {
		values[keyWeekday] = weekday
	}
	m.apply(values)
}

// SetTime says at what time of day they run.
func (m *Rules) SetTime(at string) {
	if t, err := time.Parse(clock, at); err == nil {
		m.apply(map[string]string{keyAt: `"` + t.Format(clock) + `"`})
	}
}

// SetLow says below which room on the disk they also run; empty means never.
func (m *Rules) SetLow(low string) { m.apply(map[string]string{keyLow: `"` + low + `"`}) }

// CheckTime says what is wrong with a time of day as it is typed.
func (m *Rules) CheckTime(s string) string {
	if _, err := time.Parse(clock, s); err != nil {
		return "A time such as 03:00 or 22:30"
	}
	return ""
}

// CheckLow says what is wrong with an amount of room as it is typed.
func (m *Rules) CheckLow(s string) string {
	number := strings.TrimRight(strings.ToUpper(s), "KMGTPIB%")
	if number == "" || number == s || !digits(strings.ReplaceAll(number, ".", "")) {
		return "An amount such as 5GB or 10%"
	}
	return ""
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func (m *Rules) apply(values map[string]string) {
	m.tasks.run("", func(ctx context.Context) {
		r, err := m.Service.Apply(ctx, app.ApplyRequest{Values: values})
		if err != nil {
			m.shell.failed(m.problemOf(err, "Changing the schedule"))
			return
		}
		m.change(func() { m.settledLocked(r) })
		m.Refresh()
	})
}
