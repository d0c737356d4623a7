package model

import (
	"context"

	"berth/app"
)

// AskFreeAside asks before what is kept aside, which is all that is left of what
// some findings miss, goes for good.
func (m *Verify) AskFreeAside() {
	m.change(func() {
		aside, size, last := m.reply.Aside()
		if aside == 0 {
			return
		}
		c := &Confirm{Title: "Free " + Numbered(aside, "damaged blob") + "?", Verb: "Free " + Size(size), Text: "This cannot be undone."}
		if last > 0 {
			c.Text += " " + Count(last, "problem") + " of this list would lose the last copy there is, damaged as it is."
		}
		m.confirm = c
	})
}

// CancelFree answers no.
func (m *Verify) CancelFree() { m.change(func() { m.confirm = nil }) }

// FreeAside answers yes.
func (m *Verify) FreeAside() {
	m.mu.Lock()
	asked := m.confirm != nil
	m.confirm = nil
	m.mu.Unlock()
	m.refresh()
	if !asked {
		return
	}
	m.begin("Freeing what is aside", func(ctx context.Context) (app.JobReply, error) {
		return m.Service.Repair(ctx, app.RepairRequest{DropQuarantined: true})
	})
}

// Escape takes a question away; it says whether there was one.
func (m *Verify) Escape() bool {
	if m.State().Confirm == nil {
		return false
	}
	m.CancelFree()
	return true
}
