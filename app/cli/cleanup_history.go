package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"berth/app"
)

// cleanups lists past ones.
func (p *program) cleanups(ctx context.Context, s app.Service) error {
	reply, err := s.Cleanups(ctx, app.CleanupsRequest{})
	if err != nil {
		return err
	}
	return p.print(reply, func() error {
		if len(reply.Receipts) == 0 {
			fmt.Fprintln(p.Err, "Nothing was cleaned up yet.")
		} else {
			t := table{head: []string{"WHEN", "BY", ">FREED", ">BLOBS", ">MANIFESTS", ">UPLOADS", "TOOK", "HOW IT ENDED"}}
			for _, r := range reply.Receipts {
				if r.Interrupted {
					t.add(p.ago(r.Began), r.By, "?", "?", "?", "?", "?", outcome(r))
					continue
				}
				t.add(p.ago(r.Began), r.By, size(r.Freed), humanize.Comma(int64(r.Blobs)), humanize.Comma(int64(r.Manifests)),
					humanize.Comma(int64(r.Uploads)), r.Ended.Sub(r.Began).Round(100*time.Millisecond).String(), outcome(r))
			}
			if err := t.write(p.Out); err != nil {
				return err
			}
		}
		next := "none, the schedule is " + reply.Schedule
		if !reply.Next.IsZero() {
			next = reply.Next.Local().Format("Mon 2006-01-02 15:04") + ", " + reply.Schedule
		}
		fmt.Fprintln(p.Err, "Next: "+next)
		return nil
	})
}

// outcome says how a clean-up ended, and what went before it.
func outcome(r app.CleanupReceipt) string {
	how := "done"
	switch {
	case r.Interrupted:
		how = "interrupted by the end of Berth"
		if len(r.Problems) > 0 {
			how = "interrupted, " + plural(len(r.Problems), "problem", "problems")
		}
	case r.Cancelled:
		how = "cancelled"
	case len(r.Problems) > 0:
		how = plural(len(r.Problems), "problem", "problems")
	}
	if r.Dropped > 0 {
		how += ", rules dropped " + plural64(int64(r.Dropped), "tag", "tags")
	}
	if r.Attached > 0 {
		how += ", " + attached(r) + " went to the trash"
	}
	if r.Emptied > 0 {
		how += ", " + plural64(int64(r.Emptied), "entry", "entries") + " left the trash"
	}
	return how
}
