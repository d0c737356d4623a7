package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// print writes a reply: as JSON, or by the function that writes it for people.
func (p *program) print(reply any, people func() error) error {
	if !p.json {
		return people()
	}
	enc := json.NewEncoder(p.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(reply)
}

// size writes a size as the window does: 212 MB.
func size(n int64) string {
	if n < 0 {
		return "unknown"
	}
	return humanize.Bytes(uint64(n))
}

// ago writes a date relative to now; the zero time is a dash.
func (p *program) ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	now := p.Now()
	if d := now.Sub(t); d > -time.Minute && d < 5*time.Second {
		return "just now"
	}
	return humanize.RelTime(t, now, "ago", "from now")
}

// ahead writes a date that is still to come, to the nearest day.
func (p *program) ahead(t time.Time) string {
	const day = 24 * time.Hour
	if left := t.Sub(p.Now()); left >= day {
		return plural(int((left+day/2)/day), "day", "days") + " from now"
	}
	return p.ago(t)
}

// short cuts a digest to the twelve digits that people compare.
func short(digest string) string {
	if _, hex, ok := strings.Cut(digest, ":"); ok {
		digest = hex
	}
	if len(digest) > 12 {
		return digest[:12]
	}
	return digest
}

// plural writes a count with its noun: 1 tag, 2 tags.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// table writes aligned columns under a heading. A heading that starts with ">"
// aligns its column to the right.
type table struct {
	head []string
	rows [][]string
	// widest cells that the others of their column are lined up with; 0: any.
	widest int
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) write(w io.Writer) error {
	all := append([][]string{make([]string, len(t.head))}, t.rows...)
	widths, right := make([]int, len(t.head)), make([]bool, len(t.head))
	for i, h := range t.head {
		all[0][i], right[i] = strings.CutPrefix(h, ">")
	}
	for _, row := range all {
		for i, cell := range row {
			if n := utf8.RuneCountInString(cell); t.widest == 0 || n <= t.widest {
				widths[i] = max(widths[i], n)
			}
		}
	}
	var b strings.Builder
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell)))
			if right[i] {
				cell = pad + cell
			} else {
				cell += pad
			}
			if i > 0 {
				line.WriteString("   ")
			}
			line.WriteString(cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
