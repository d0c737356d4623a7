package page

import (
	"reflect"

	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// editorSheet writes a rule, or a pattern of immutable tags.
type editorSheet struct {
	m       *model.Rules
	drawn   *model.RuleEditor
	object  *fyne.Container
	title   *widget.Text
	fields  map[model.RuleField]*widget.Field
	keep    *fyne.Container
	words   *widget.Prose
	would   *widget.Text
	warning *widget.Warning
	trouble *widget.Trouble
	save    *widget.Button
	remove  *widget.Button
	body    *fyne.Container
}

// editorFields are the fields with their labels and hints.
var editorFields = []struct {
	field       model.RuleField
	label, hint string
}{
	{model.FieldRepositories, "Repositories", "all, or acme/*, mirror/**"},
	{model.FieldTags, "Tags", "all, or pr-*, v*"},
	{model.FieldExcept, "But not the tags", "latest, stable"},
	{model.FieldNewest, "Newest by push", "5"},
	{model.FieldVersions, "Newest by version", "3"},
	{model.FieldYounger, "Younger than", "7d, 2w, 36h"},
	{model.FieldPulled, "Pulled in the last", "30d"},
	{model.FieldAlways, "Always the tags", "latest, v*; all of them: *"},
	{model.FieldUntagged, "Untagged goes after", "7d; empty: never"},
}

func newEditorSheet(m *model.Rules) *editorSheet {
	s := &editorSheet{m: m, fields: map[model.RuleField]*widget.Field{}}
	s.title = widget.NewText("", widget.BodyBold)
	for _, f := range editorFields {
		s.fields[f.field] = widget.NewField(f.label, f.hint, func(text string) { m.SetField(f.field, text) }, m.Save, m.CloseEditor)
	}
	s.words, s.would = widget.NewProse(widget.Body, 0), widget.NewText("", widget.Style{Color: theme.Warning})
	s.warning, s.trouble = widget.NewWarning(), widget.NewTrouble(func(string) {})
	s.save = widget.NewButton("Save", theme.IconCheck, widget.Primary, m.Save)
	s.remove = widget.NewButton("Delete rule", theme.IconTrash, widget.Ghost, m.DeleteEdited)
	group := func(caption string, list ...model.RuleField) *fyne.Container {
		lines := []fyne.CanvasObject{widget.NewText(caption, widget.BodyBold)}
		for _, f := range list {
			lines = append(lines, s.fields[f])
		}
		return widget.Down(10, widget.NoGrow, lines...)
	}
	pair := func(a, b model.RuleField) fyne.CanvasObject {
		return widget.Halves(theme.Inset, 200, s.fields[a], s.fields[b])
	}
	s.keep = widget.Down(10, widget.NoGrow, widget.NewText("Keeps what meets any of these", widget.BodyBold), pair(model.FieldNewest, model.FieldVersions),
		pair(model.FieldYounger, model.FieldPulled), s.fields[model.FieldAlways])
	columns := widget.Halves(32, 520, group("Applies to", model.FieldRepositories, model.FieldTags, model.FieldExcept, model.FieldUntagged), s.keep)
	buttons := widget.Across(theme.Gap, 1, s.remove, widget.NewTips(s.would), widget.NewButton("Cancel", "", widget.Ghost, m.CloseEditor), s.save)
	s.body = widget.Pad(0, theme.Gap, theme.Gap, 6, columns)
	foot := widget.Pad(10, 0, 0, 6, widget.Down(theme.Gap, widget.NoGrow, widget.NewLine(), s.words, s.warning, s.trouble, buttons))
	s.object = newSheet("", m.CloseEditor, s.title, container.New(&editorLayout{}, container.NewVScroll(container.New(fitLayout{}, s.body)), foot))
	return s
}

// update shows a draft; the fields are filled only when another one is opened.
func (s *editorSheet) update(v *model.RuleEditor) bool {
	before := s.drawn
	if reflect.DeepEqual(before, v) {
		return false
	}
	s.drawn = v
	s.object.Hidden = v == nil
	if v == nil {
		return true
	}
	s.title.Set(v.Title)
	for f, field := range s.fields {
		field.Set(v.Values[f], v.Wrong[f])
	}
	s.keep.Hidden, s.fields[model.FieldUntagged].Hidden = v.Immutable, v.Immutable
	s.words.Set(v.Words)
	s.would.Set(v.Would)
	s.warning.Set(v.Warning)
	s.trouble.Hidden = v.Problem == nil
	if p := v.Problem; p != nil {
		s.trouble.Set(p.Title, sentences(p.Text, p.Fix), p.Command)
	}
	s.save.SetDisabled(!v.CanSave)
	s.remove.Hidden = v.New
	s.would.SetStyle(widget.Style{Color: theme.Warning})
	if v.Harmless {
		s.would.SetStyle(widget.Quiet)
	}
	s.object.Refresh()
	return true
}

// editorLayout gives the fields what the foot leaves.
type editorLayout struct{}

func (editorLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	foot := widget.Fit(o[1], size.Width)
	h := max(0, size.Height-foot)
	if need := o[0].(*container.Scroll).Content.MinSize().Height; need > 0 {
		h = min(h, need)
	}
	o[0].Resize(fyne.NewSize(size.Width, h))
	o[1].Move(fyne.NewPos(0, h))
}

func (editorLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(300, 120) }

// fitLayout lets an object have the height that its width needs.
type fitLayout struct{}

func (fitLayout) Layout(o []fyne.CanvasObject, size fyne.Size) { widget.Fit(o[0], size.Width) }
func (fitLayout) MinSize(o []fyne.CanvasObject) fyne.Size      { return o[0].MinSize() }
