package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"berth/registry/driver"
)

const (
	historyKey = "berth/cleanup/history.json"
	maxPast    = 100
	// maxHistory bounds what is read: a receipt has at most a few KB.
	maxHistory = 8 << 20
)

// history is what is kept of past clean-ups, beside the images. A damaged one
// is as good as none.
type history struct {
	drv driver.Driver
	log *slog.Logger

	mu   sync.Mutex // guards what follows, and the file
	read bool
	kept past
}

// past is the form of the file.
type past struct {
	// Receipts, newest first.
	Receipts []CleanupReceipt `json:"receipts"`
	// Running is what is known of the one under way: whoever finds it at the
	// start knows that it was cut off.
	Running *CleanupReceipt `json:"running,omitempty"`
	// Schedule in words, since when it is so, and when it ran last.
	Schedule string    `json:"schedule,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Ran      time.Time `json:"ran,omitzero"`
}

func (h *history) list(ctx context.Context) ([]CleanupReceipt, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.load(ctx); err != nil {
		return nil, err
	}
	return h.kept.Receipts, nil
}

// begin notes that a clean-up is under way, until its receipt comes.
func (h *history) begin(ctx context.Context, r CleanupReceipt) error {
	return h.change(ctx, func(p *past) { p.Running = &r })
}

// add keeps a receipt.
func (h *history) add(ctx context.Context, r CleanupReceipt) error {
	return h.change(ctx, func(p *past) {
		p.Running = nil
		p.put(r)
	})
}

// put leaves the slices as they are that were given away.
func (p *past) put(r CleanupReceipt) {
	receipts := append([]CleanupReceipt{r}, p.Receipts...)
	p.Receipts = receipts[:min(len(receipts), maxPast)]
}

// cut makes a receipt of a clean-up that has none, since the end of Berth cut it
// off, or a defect broke it, which Problems then say: only that it began is known.
func (r CleanupReceipt) cut() CleanupReceipt {
	r.Interrupted, r.Ended = true, r.Began
	return r
}

// state gives the part that is the schedule's.
func (h *history) state(ctx context.Context) (past, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	err := h.load(ctx)
	return h.kept, err
}

func (h *history) change(ctx context.Context, do func(*past)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.load(ctx); err != nil {
		return err
	}
	do(&h.kept)
	content, err := json.Marshal(h.kept)
	if err != nil {
		return fmt.Errorf("keep the history of clean-ups: %w", err)
	}
	if err := h.drv.Put(ctx, historyKey, content); err != nil {
		return fmt.Errorf("keep the history of clean-ups: %w", err)
	}
	return nil
}

// load needs h.mu.
func (h *history) load(ctx context.Context) error {
	if h.read {
		return nil
	}
	r, err := h.drv.Open(ctx, historyKey)
	if errors.Is(err, fs.ErrNotExist) {
		h.read = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the history of clean-ups: %w", err)
	}
	content, err := io.ReadAll(io.LimitReader(r, maxHistory))
	if err := errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("read the history of clean-ups: %w", err)
	}
	h.read = true
	if err := json.Unmarshal(content, &h.kept); err != nil {
		h.kept = past{}
		h.log.Warn("history of clean-ups is damaged, and begins anew", "error", err)
	}
	if r := h.kept.Running; r != nil {
		h.log.Warn("a clean-up was cut off by the end of the program", "began", r.Began, "by", r.By)
		h.kept.Running = nil
		h.kept.put(r.cut())
	}
	return nil
}
