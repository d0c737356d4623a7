package app

import (
	"context"

	"berth/registry/driver"
	"berth/registry/index/sqlite"
)

// What makes room. Deletes alone do not: what lies in the trash keeps its bytes.
const (
	freeSome    = "Free some space on this disk, or delete images that you no longer need and empty the trash (berth trash empty), then free what nothing needs:"
	freeCommand = "berth cleanup --now"
)

// reserve is what a driver keeps for a full disk.
type reserve interface {
	Room(ctx context.Context) bool
	Spare(ctx context.Context)
}

// indexOptions have the index leave a full disk to deletes.
func (c *Core) indexOptions(drv driver.Driver) sqlite.Options {
	o := sqlite.Options{Logger: c.log}
	kept, ok := driver.As[reserve](drv)
	if !ok || c.indexPath() == ":memory:" {
		return o
	}
	o.Room = func() bool { return kept.Room(context.Background()) }
	o.Refused = func() {
		kept.Spare(context.Background())
		c.notify(Notice{Kind: NoticeStatus})
	}
	return o
}

// indexProblem says that lists are behind, as the index cannot be written. What
// waits for it is written when it can be, and what is lost is compared with the
// disk.
func (c *Core) indexProblem() *Problem {
	if x, ok := c.ix.(interface{ Refused() bool }); !ok || !x.Refused() {
		return nil
	}
	return &Problem{
		Code: "index_behind", Severity: severityWarning, Title: "Lists are behind",
		Text: "The index cannot be written, so lists and sizes may miss what was pushed, and show what was deleted. Pulls are right, and nothing is lost.",
		Fix:  "It catches up by itself once it can be written. If the disk is full:", Command: freeCommand, Exit: exitError,
	}
}
