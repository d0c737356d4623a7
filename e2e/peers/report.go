//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// row is what a workload gave, by peer.
type row struct {
	workload
	samples map[*peer][]sample
	failed  map[*peer]error
}

// measure runs every workload: once to warm up, then in rounds that alternate
// between the servers.
func (b *bench) measure(ctx context.Context, peers []*peer) ([]row, error) {
	var rows []row
	for _, w := range b.workloads() {
		if !b.o.wants(w.key) {
			continue
		}
		begin, first, last := time.Now(), -1, b.o.rounds
		r := row{w, map[*peer][]sample{}, map[*peer]error{}}
		if w.rounds > 0 {
			first, last = 0, min(b.o.rounds, w.rounds)
		}
		for round := first; round < last; round++ {
			b.window = b.o.window
			if round < 0 {
				b.window /= 3
			}
			for _, p := range peers {
				if !slices.Contains(w.on, p.name) || r.failed[p] != nil {
					continue
				}
				if err := ctx.Err(); err != nil {
					return rows, err
				}
				s, err := w.round(p)
				switch {
				case err != nil:
					r.failed[p] = err
				case round >= 0:
					r.samples[p] = append(r.samples[p], s)
				}
			}
		}
		for _, p := range peers {
			if w.check != nil && slices.Contains(w.on, p.name) && r.failed[p] == nil {
				r.failed[p] = w.check(p)
			}
		}
		rows = append(rows, r)
		fmt.Fprintf(os.Stderr, "peers: %s took %.1f s\n", w.key, time.Since(begin).Seconds())
	}
	return rows, nil
}

func (o *options) wants(key string) bool {
	return o.only == "" || slices.ContainsFunc(strings.Split(o.only, ","), func(s string) bool { return s != "" && strings.HasPrefix(key, s) })
}

func median[T cmp.Ordered](all []T) T {
	s := slices.Sorted(slices.Values(all))
	return s[len(s)/2]
}

func values(all []sample) (v, cpu []float64) {
	for _, s := range all {
		v, cpu = append(v, s.Value), append(cpu, s.CPU)
	}
	return v, cpu
}

// cell is a median with its spread.
func (r *row) cell(p *peer) string {
	if r.failed[p] != nil {
		return "failed"
	}
	if len(r.samples[p]) == 0 {
		return "—"
	}
	v, cpu := values(r.samples[p])
	text := number(median(v))
	if len(v) > 1 {
		text += fmt.Sprintf(" (%s–%s)", number(slices.Min(v)), number(slices.Max(v)))
	}
	if r.unit == "MB/s" {
		text += fmt.Sprintf(", %.2f s/GB", median(cpu))
	}
	return text
}

// number writes three digits, and commas.
func number(f float64) string {
	switch {
	case f < 10:
		return fmt.Sprintf("%.2f", f)
	case f < 100:
		return fmt.Sprintf("%.1f", f)
	case f < 1000:
		return fmt.Sprintf("%.0f", f)
	}
	s := fmt.Sprintf("%.0f", f)
	return s[:len(s)-3] + "," + s[len(s)-3:]
}

// goals says what Berth must reach, and whether it does.
func (r *row) goals(peers []*peer) (must, verdict string) {
	var berth, limit *peer
	for _, p := range peers {
		if p.name == "berth" && berth == nil {
			berth = p
		}
		if p.name == r.limit {
			limit = p
		}
	}
	var goals []string
	holds := true
	if berth == nil || len(r.samples[berth]) == 0 {
		return "", ""
	}
	v, cpu := values(r.samples[berth])
	if r.ratio > 0 && limit != nil && len(r.samples[limit]) > 0 {
		of, _ := values(r.samples[limit])
		goals = append(goals, fmt.Sprintf("≥ %.2f of the limit", r.ratio))
		holds = holds && median(v) >= r.ratio*median(of)
	}
	if r.bound > 0 && r.less {
		goals = append(goals, fmt.Sprintf("≤ %s %s", number(r.bound), r.unit))
		holds = holds && median(v) <= r.bound
	} else if r.bound > 0 {
		goals = append(goals, fmt.Sprintf("≥ %s %s", number(r.bound), r.unit))
		holds = holds && median(v) >= r.bound
	}
	if r.cpu > 0 {
		goals = append(goals, fmt.Sprintf("≤ %.1f s/GB", r.cpu))
		holds = holds && median(cpu) <= r.cpu
	}
	if len(goals) == 0 {
		return "", ""
	}
	if holds {
		return strings.Join(goals, ", "), "holds"
	}
	return strings.Join(goals, ", "), "misses"
}

// share is the ratio of Berth's median to that of its limit.
func (r *row) share(peers []*peer) string {
	var berth, limit []float64
	for _, p := range peers {
		if p.name == "berth" && berth == nil {
			berth, _ = values(r.samples[p])
		}
		if p.name == r.limit {
			limit, _ = values(r.samples[p])
		}
	}
	if len(berth) == 0 || len(limit) == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", median(berth)/median(limit))
}

// table gives the cells, with the heading first.
func (o *options) table(peers []*peer, rows []row) [][]string {
	heading := []string{"workload", "unit"}
	for _, p := range peers {
		heading = append(heading, p.label)
	}
	limits := o.growth == "" && !o.uploads
	if limits {
		heading = append(heading, "Berth ÷ limit", "goal")
	}
	if o.check {
		heading = append(heading, "")
	}
	all := [][]string{heading}
	for _, r := range rows {
		line := []string{r.title, r.unit}
		for _, p := range peers {
			line = append(line, r.cell(p))
		}
		must, verdict := r.goals(peers)
		if limits {
			line = append(line, r.share(peers), must)
		}
		if o.check {
			line = append(line, verdict)
		}
		all = append(all, line)
	}
	return all
}

// report writes what was asked for, and fails when a workload could not be
// measured on Berth; slow is no failure, nor is what another server cannot do.
func (o *options) report(ctx context.Context, peers []*peer, rows []row) error {
	table := o.table(peers, rows)
	w := tabwriter.NewWriter(o.out, 0, 0, 2, ' ', 0)
	for _, line := range table {
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if o.json != "" {
		if err := o.writeJSON(peers, rows); err != nil {
			return err
		}
	}
	// A part of the rows must not replace all of them.
	if o.markdown != "" && o.only == "" && o.servers == "" && ctx.Err() == nil {
		if err := o.writeMarkdown(table); err != nil {
			return err
		}
	}
	return o.failures(peers, rows)
}

func (o *options) failures(peers []*peer, rows []row) error {
	var own error
	for _, r := range rows {
		for _, p := range peers {
			err := r.failed[p]
			if err == nil {
				continue
			}
			fmt.Fprintf(o.out, "%s could not be measured on %s: %v\n", r.key, p.label, err)
			if p.name == "berth" {
				own = errors.Join(own, fmt.Errorf("%s: %w", r.key, err))
			}
		}
	}
	return own
}

func (o *options) writeJSON(peers []*peer, rows []row) error {
	all := map[string]map[string][]sample{}
	for _, r := range rows {
		all[r.key] = map[string][]sample{}
		for _, p := range peers {
			if len(r.samples[p]) > 0 {
				all[r.key][p.label] = r.samples[p]
			}
		}
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(b, '\n'), 0o644)
}

// writeMarkdown replaces what stands between the two marks of a document.
func (o *options) writeMarkdown(table [][]string) error {
	mark := "bench-peers"
	switch {
	case o.growth != "":
		mark = "bench-growth"
	case o.uploads:
		mark = "bench-uploads"
	}
	begin, end := []byte("<!-- "+mark+": begin -->\n"), []byte("<!-- "+mark+": end -->")
	doc, err := os.ReadFile(o.markdown)
	if err != nil {
		return err
	}
	before, rest, ok := bytes.Cut(doc, begin)
	_, after, ok2 := bytes.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no marks %q and %q", o.markdown, begin, end)
	}
	var b bytes.Buffer
	b.Write(before)
	b.Write(begin)
	for i, line := range table {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(line, " | "))
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(line)) + "|\n")
		}
	}
	b.Write(end)
	b.Write(after)
	return os.WriteFile(o.markdown, b.Bytes(), 0o644)
}
