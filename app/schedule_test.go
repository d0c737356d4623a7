package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata" // a zone with summer time, on any machine

	"berth/app/config"
)

func weekly(at, day string) config.Cleanup {
	return config.Cleanup{Schedule: config.ScheduleWeekly, At: at, Weekday: day}
}

func daily(at string) config.Cleanup {
	return config.Cleanup{Schedule: config.ScheduleDaily, At: at, Weekday: "sunday"}
}

func TestTheScheduleKnowsDaysWeeksAndSummerTime(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for name, c := range map[string]struct {
		conf            config.Cleanup
		now, last, next string
	}{
		"later today":         {daily("22:30"), "2026-11-21 12:00", "2026-11-20 22:30", "2026-11-21 22:30"},
		"on the minute":       {daily("22:30"), "2026-11-21 22:30", "2026-11-21 22:30", "2026-11-22 22:30"},
		"over a new year":     {daily("00:00"), "2026-12-31 23:59", "2026-12-31 00:00", "2027-01-01 00:00"},
		"a week":              {weekly("03:00", "sunday"), "2026-11-21 12:00", "2026-11-15 03:00", "2026-11-22 03:00"},
		"a week, the same":    {weekly("03:00", "saturday"), "2026-11-21 02:00", "2026-11-14 03:00", "2026-11-21 03:00"},
		"a week, just over":   {weekly("03:00", "saturday"), "2026-11-21 03:00", "2026-11-21 03:00", "2026-11-28 03:00"},
		"before summer time":  {daily("03:30"), "2026-03-28 12:00", "2026-03-28 03:30", "2026-03-29 03:30"},
		"after winter time":   {daily("03:30"), "2026-10-25 12:00", "2026-10-25 03:30", "2026-10-26 03:30"},
		"week of summer time": {weekly("03:30", "monday"), "2026-03-29 12:00", "2026-03-23 03:30", "2026-03-30 03:30"},
	} {
		if got := lastDue(c.conf, at(c.now)); !got.Equal(at(c.last)) {
			t.Errorf("%s: last %v, want %s", name, got, c.last)
		}
		if got := nextDue(c.conf, at(c.now)); !got.Equal(at(c.next)) {
			t.Errorf("%s: next %v, want %s", name, got, c.next)
		}
	}
	off := config.Cleanup{Schedule: config.ScheduleOff, At: "03:00"}
	if now := at("2026-11-21 12:00"); !nextDue(off, now).IsZero() || !lastDue(off, now).IsZero() {
		t.Error("off is due")
	}
}

func TestAMomentThatTheClockSkipsOrRepeatsIsDueOnceThatDay(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []time.Time{time.Date(2026, 3, 29, 0, 0, 0, 0, zone), time.Date(2026, 10, 25, 0, 0, 0, 0, zone)} {
		var moments []time.Time
		for now := day; now.Day() == day.Day(); now = now.Add(time.Minute) {
			if last := lastDue(daily("02:30"), now); last.Day() == day.Day() && !slices.ContainsFunc(moments, last.Equal) {
				moments = append(moments, last)
			}
		}
		if len(moments) != 1 {
			t.Errorf("%s: due at %v", day.Format(time.DateOnly), moments)
		}
	}
}

// bench is a scheduler whose world the test makes.
type bench struct {
	*scheduler
	conf        config.Cleanup
	past        past
	asks        []ask
	at          []time.Time
	frees       int64 // what each clean-up frees
	err         error
	began       time.Time // the last start
	free, total int64
	trash       int // entries, each of 100 bytes
	loose       int64
	problem     *Problem
}

func newBench(conf config.Cleanup) *bench {
	b := &bench{conf: conf, free: 900, total: 1000}
	b.scheduler = &scheduler{
		conf: func() config.Cleanup { return b.conf }, quiet: func() bool { return time.Since(b.began) < time.Hour }, blind: func() bool { return false },
		state: func(context.Context) (past, error) { return b.past, nil },
		keep:  func(_ context.Context, do func(*past)) error { do(&b.past); return nil },
		clean: func(_ context.Context, a ask) (CleanupReceipt, error) {
			b.asks, b.at = append(b.asks, a), append(b.at, time.Now())
			freed := b.frees + b.loose
			b.free, b.loose = b.free+freed, 0
			return CleanupReceipt{By: a.by, Freed: freed}, b.err
		},
		space:    func(context.Context) (int64, int64, error) { return b.free, b.total, nil },
		freeable: func(context.Context) (int64, error) { return b.loose, nil },
		empty: func(_ context.Context, enough func() bool) (n int, _ error) {
			for ; b.trash > 0 && !enough(); n++ {
				b.trash, b.loose = b.trash-1, b.loose+100
			}
			return n, nil
		},
		failed: func(p *Problem) { b.problem = p }, log: slog.New(slog.DiscardHandler),
	}
	return b
}

// live lets the scheduler run for a while, as one start of the program.
func (b *bench) live(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	b.began = time.Now()
	go func() { b.run(ctx); close(done) }()
	time.Sleep(d)
	synctest.Wait()
	cancel()
	<-done
}

func TestAScheduleRunsAtItsTimeAndMakesUpForWhatTheMachineSleptOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now() // midnight, UTC, as time.Local may not be
		at := began.Add(3 * time.Hour).Local().Format("15:04")
		b := newBench(daily(at))
		b.live(t, 2*time.Hour)
		if len(b.asks) != 0 {
			t.Fatalf("it made up for a time before it was set: %v", b.at)
		}
		b.live(t, 46*time.Hour)
		if len(b.asks) != 2 || b.asks[0] != (ask{by: bySchedule, rules: true}) || b.at[0].Sub(began) > 3*time.Hour+time.Minute {
			t.Fatalf("asks %v at %v", b.asks, b.at)
		}
		time.Sleep(40 * time.Hour) // the machine is off over a moment of the schedule
		start := time.Now()
		b.live(t, 3*time.Hour)
		if len(b.asks) != 3 || b.at[2].Sub(start) != time.Hour {
			t.Errorf("asks %v at %v, started at %v", b.asks, b.at, start)
		}
	})
}

func TestADiskSoFullThatNothingCanBeNotedIsCleanedAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(daily(time.Now().Add(3 * time.Hour).Local().Format("15:04")))
		b.conf.Low = "50%"
		b.keep = func(_ context.Context, do func(*past)) error {
			do(&b.past)
			return errors.New("no space left on device")
		}
		b.live(t, 4*time.Hour)
		if len(b.asks) != 1 || b.asks[0].by != bySchedule {
			t.Fatalf("asks %v at %v", b.asks, b.at)
		}
		b.free = 100
		b.state = func(context.Context) (past, error) { return past{}, errors.New("no history") }
		b.live(t, 61*time.Minute)
		if len(b.asks) != 2 || b.asks[1].by != byLow {
			t.Errorf("asks %v at %v", b.asks, b.at)
		}
	})
}

func TestAClockThatWasSetBackStopsTheScheduleForADayAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(daily("03:00"))
		ahead := time.Now().AddDate(4, 0, 0)
		b.past = past{Schedule: inWords(b.conf), Since: ahead, Ran: ahead}
		b.live(t, 25*time.Hour)
		if len(b.asks) != 1 {
			t.Errorf("asks %v at %v", b.asks, b.at)
		}
	})
}

func TestAnotherScheduleActsAtOnceAndOffIsOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(config.Cleanup{Schedule: config.ScheduleOff, At: "03:00"})
		b.live(t, 48*time.Hour)
		if len(b.asks) != 0 {
			t.Fatalf("off: %v", b.at)
		}
		b.conf = daily(time.Now().Add(90 * time.Minute).Local().Format("15:04"))
		b.live(t, 2*time.Hour)
		if len(b.asks) != 1 {
			t.Errorf("asks %v at %v", b.asks, b.at)
		}
	})
}

func TestAFailedRunIsAProblemUntilOneIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(daily("03:00"))
		b.err = errors.New("the disk is on fire")
		b.live(t, 25*time.Hour)
		if b.problem == nil || b.problem.Code != "cleanup_failed" || b.problem.Command == "" {
			t.Fatalf("problem %+v", b.problem)
		}
		b.err = nil
		b.live(t, 25*time.Hour)
		if b.problem != nil {
			t.Errorf("problem %+v", b.problem)
		}
	})
}

func TestALowDiskIsCleanedThenTheOldestOfTheTrashGoesAndNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(config.Cleanup{Schedule: config.ScheduleOff, At: "03:00", Low: "50%"})
		b.free, b.trash = 350, 9
		b.live(t, 59*time.Minute)
		if len(b.asks) != 0 {
			t.Fatalf("in the first grace: %v", b.at)
		}
		b.live(t, 90*time.Minute)
		want := []ask{{by: byLow}, {by: byLow, emptied: 2}}
		if !slices.Equal(b.asks, want) || b.free != 550 || b.trash != 7 {
			t.Errorf("asks %v, free %d, trash %d", b.asks, b.free, b.trash)
		}
	})
}

func TestTheTrashOfADiskThatCanNeverHaveTheRoomStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(config.Cleanup{Schedule: config.ScheduleOff, At: "03:00", Low: "1kB"})
		b.free, b.loose, b.trash = 350, 100, 9
		b.live(t, 25*time.Hour)
		if b.trash != 9 || b.free != 450 {
			t.Errorf("asks %v, free %d of %d, trash %d", b.asks, b.free, b.total, b.trash)
		}
	})
}

func TestADiskThatStaysLowIsNotCleanedAgainAndAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(config.Cleanup{Schedule: config.ScheduleOff, At: "03:00", Low: "50%"})
		b.free = 100
		b.live(t, 25*time.Hour)
		// At 1 h, then after 1, 2, 4 and 8 hours; the next would be after 16.
		if len(b.asks) != 5 {
			t.Errorf("%d clean-ups at %v", len(b.asks), b.at)
		}
	})
}

func TestADiskThatGotRoomAndIsLowAgainIsCleanedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(config.Cleanup{Schedule: config.ScheduleOff, At: "03:00", Low: "50%"})
		b.free = 100
		ctx := t.Context()
		look := func(free int64, want int) {
			t.Helper()
			b.free = free
			if err := b.look(ctx, wall(), true); err != nil || len(b.asks) != want {
				t.Errorf("free %d: %d clean-ups, want %d; %v", free, len(b.asks), want, err)
			}
		}
		look(100, 1)
		look(100, 1)
		look(510, 1) // hardly more than low: it does not count as room
		look(490, 1)
		look(600, 1)
		look(490, 2)
	})
}
