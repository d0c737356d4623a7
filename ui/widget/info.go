package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// Info is a row of an inspector: a number or a name, a text, a note and a size.
type Info struct {
	Lead      string
	LeadWidth float32
	Text      string
	Mono      bool
	Faint     bool
	Note      string
	NoteTip   string
	// Marked shows the note in the accent colour.
	Marked bool
	Right  string
	// Copied is what a click copies; empty means the row takes no click.
	Copied string
}

// InfoHeight is that of an InfoRow.
const InfoHeight float32 = 32

// InfoRow draws an Info.
type InfoRow struct {
	hinted
	Copy                    func(string)
	lead, text, note, right *Text
	leadBox                 *fyne.Container
	leadSpace               *sized
	noteBox, rightBox       *fyne.Container
	root                    fyne.CanvasObject
	info                    Info
}

// NewInfoRow makes a row.
func NewInfoRow(copied func(string)) *InfoRow {
	r := &InfoRow{
		Copy: copied, lead: NewText("", Quiet), text: NewText("", Code), note: NewText("", Quiet.Right()), right: NewText("", Body.Right()),
	}
	r.leadSpace = &sized{}
	r.leadBox = &fyne.Container{Layout: r.leadSpace, Objects: []fyne.CanvasObject{r.lead}}
	r.rightBox, r.noteBox = Wide(56, r.right), Whole(280, r.note)
	r.root = Pad(0, 8, 0, 8, Across(theme.Inset, 1, r.leadBox, r.text, r.noteBox, r.rightBox))
	r.ExtendBaseWidget(r)
	return r
}

// sized gives its object a fixed width.
type sized struct{ width float32 }

func (l *sized) Layout(o []fyne.CanvasObject, size fyne.Size) { o[0].Resize(size) }
func (l *sized) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(l.width, o[0].MinSize().Height)
}

// Set shows an info.
func (r *InfoRow) Set(i Info) {
	r.info = i
	r.leadSpace.width = i.LeadWidth
	r.lead.Set(i.Lead)
	style := Body
	if i.Mono {
		style = Code
	}
	if i.Faint {
		style = style.In(theme.Faint)
	}
	r.text.SetStyle(style)
	r.text.Set(i.Text)
	note := Quiet.Right()
	if i.Marked {
		note = note.In(theme.Accent)
	}
	r.note.SetStyle(note)
	r.note.Set(i.Note)
	r.note.SetTip(i.NoteTip)
	r.right.Set(i.Right)
	r.noteBox.Hidden, r.rightBox.Hidden = i.Note == "", i.Right == ""
	r.root.Refresh()
}

// MouseIn is called by Fyne.
func (r *InfoRow) MouseIn(e *desktop.MouseEvent) {
	r.SetToolTip(tipAt(r.root, e.Position))
	r.hinted.MouseIn(e)
}

// Tapped copies what the row is about.
func (r *InfoRow) Tapped(*fyne.PointEvent) {
	if r.info.Copied != "" {
		call(r.Copy, r.info.Copied)
	}
}

// CreateRenderer is called by Fyne.
func (r *InfoRow) CreateRenderer() fyne.WidgetRenderer { return &holder{r.root} }
