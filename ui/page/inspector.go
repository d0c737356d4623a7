package page

import (
	"fmt"
	"reflect"

	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// inspector is the card below the table: layers, configuration, history and
// what is attached to the focused tag.
type inspector struct {
	m     *model.Images
	drawn *model.InspectorView

	object   *widget.Surface
	tag      *widget.Text
	digest   *widget.Digest
	copy     *widget.Button
	tabs     map[model.Tab]*widget.TabChip
	pulled   *widget.Chip
	platform *widget.TabChip
	bar      *widget.Bar
	list     *widget.Virtual
	skeleton *widget.Skeleton
	said     *widget.Text
	body     *fyne.Container
	rows     []widget.Info
}

// The order of the tabs.
var tabOrder = []model.Tab{model.TabLayers, model.TabConfig, model.TabHistory, model.TabAttached}

func newInspector(m *model.Images) *inspector {
	v := &inspector{m: m, tabs: map[model.Tab]*widget.TabChip{}}
	v.tag = widget.NewText("", widget.BodyBold)
	v.digest = widget.NewDigest(m.Copy)
	v.copy = widget.NewIconButton(theme.IconCopy, "Copy the digest", func() {
		if v.drawn != nil {
			m.Copy(v.drawn.Digest)
		}
	})
	v.pulled = widget.NewChip("", widget.ChipQuiet)
	v.platform = widget.NewTab("", v.platformMenu)
	v.bar = widget.NewLayerBar()
	v.list = widget.NewVirtual(widget.InfoHeight, func() int { return len(v.rows) },
		func() fyne.CanvasObject { return widget.NewInfoRow(m.Copy) },
		func(i int, o fyne.CanvasObject) { o.(*widget.InfoRow).Set(v.rows[i]) })
	v.skeleton = widget.NewSkeleton(3, widget.InfoHeight, 0.08, 0.6, 0.2, 0.12)
	v.said = widget.NewText("", widget.Quiet.In(theme.Faint).Center())
	head := []fyne.CanvasObject{widget.Whole(180, v.tag), widget.NewTips(v.digest), v.copy, v.platform, widget.Gap(0, 0)}
	for _, t := range tabOrder {
		chip := widget.NewTab(string(t), func() { m.SetTab(t) })
		v.tabs[t] = chip
		head = append(head, chip)
	}
	head = append(head, widget.Whole(120, v.pulled))
	v.body = container.NewStack(v.list, v.skeleton, container.NewCenter(widget.Wide(300, v.said)))
	v.object = widget.NewCard(widget.Pad(10, 14, 6, 14, container.NewBorder(
		widget.Down(theme.Gap, widget.NoGrow, widget.Across(theme.Gap, 4, head...), widget.Pad(0, 0, theme.Space, 0, v.bar)), nil, nil, nil, v.body)))
	return v
}

// height is what shows every row.
func (v *inspector) height() float32 {
	return 16 + 28 + theme.Gap + 14 + theme.Space + theme.Space + float32(max(1, len(v.rows)))*widget.InfoHeight
}

// setWide says whether there is room for the long form of the digest.
func (v *inspector) setWide(on bool) {
	if v.drawn == nil {
		return
	}
	text := model.ShortDigest(v.drawn.Digest)
	if on {
		text = v.drawn.DigestText
	}
	v.digest.Set(v.drawn.Digest, text)
}

// rows says how many rows a view has, for the layout.
func rows(v *model.InspectorView) int {
	if v == nil {
		return -1
	}
	return len(infos(v))
}

// update shows a tag; nil leaves everything as it is, for the card is hidden.
func (v *inspector) update(now *model.InspectorView) {
	if now == nil || reflect.DeepEqual(v.drawn, now) {
		v.drawn = now
		return
	}
	fresh := v.drawn == nil || v.drawn.Tag != now.Tag || v.drawn.Tab != now.Tab
	v.drawn = now
	v.tag.Set(now.Tag)
	v.digest.Set(now.Digest, model.ShortDigest(now.Digest))
	for _, t := range now.Tabs {
		tone := widget.ChipQuiet
		if t.Selected {
			tone = widget.ChipAccent
		}
		v.tabs[t.Tab].Set(t.Label, tone)
	}
	v.pulled.Set(now.Pulled, widget.ChipQuiet)
	platform := ""
	if len(now.Platforms) > 1 {
		platform = model.Platforms([]string{now.Platform})
	}
	v.platform.Set(platform, widget.ChipQuiet)
	v.bar.Set(layerParts(now.Layers)...)
	v.rows = infos(now)
	v.skeleton.Hidden = now.Phase != model.PhaseLoading
	v.list.Hidden = now.Phase != model.PhaseReady
	v.said.Hidden = now.Phase == model.PhaseLoading || now.Phase == model.PhaseReady && len(v.rows) > 0
	v.said.Set(nothing(now))
	v.list.Refresh()
	if fresh {
		v.list.ScrollTo(0)
	}
	v.object.Refresh()
}

// nothing says why there are no rows.
func nothing(v *model.InspectorView) string {
	if v.Problem != nil {
		return v.Problem.Error()
	}
	switch v.Tab {
	case model.TabAttached:
		return "Nothing is attached: no signature, no SBOM"
	case model.TabHistory:
		return "The image tells no history"
	}
	return "Nothing to show"
}

func layerParts(layers []model.LayerRow) []widget.Part {
	var out []widget.Part
	accent := false
	for _, l := range layers {
		color := theme.Pressed
		if l.Only {
			color = theme.Accent
			if accent {
				color = theme.AccentDeep
			}
			accent = !accent
		}
		out = append(out, widget.Part{Part: l.Part, Color: color})
	}
	return out
}

// infos gives the rows of the chosen tab.
func infos(v *model.InspectorView) []widget.Info {
	var out []widget.Info
	switch v.Tab {
	case model.TabConfig:
		for _, f := range v.Config {
			out = append(out, widget.Info{Lead: f.Name, LeadWidth: 140, Text: f.Value, Mono: f.Mono, Copied: f.Value})
		}
	case model.TabHistory:
		for _, h := range v.History {
			out = append(out, widget.Info{Text: h.Step, Mono: true, Faint: h.Empty, Note: h.Created, NoteTip: h.CreatedExact, Copied: h.Step})
		}
	case model.TabAttached:
		for _, a := range v.Attached {
			out = append(out, widget.Info{Lead: a.Kind, LeadWidth: 90, Text: a.Type, Mono: true, Note: a.Short, Right: a.Size, Copied: a.Digest})
		}
	default:
		for _, l := range v.Layers {
			out = append(out, widget.Info{
				Lead: fmt.Sprint(l.Number), LeadWidth: 16, Text: l.Step, Mono: true, Note: l.Shared, Marked: l.Only, Right: l.Size, Copied: l.Digest, NoteTip: l.Digest,
			})
		}
	}
	return out
}

func (v *inspector) platformMenu() {
	var items []*fyne.MenuItem
	for _, p := range v.drawn.Platforms {
		items = append(items, checked(p, p == v.drawn.Platform, func() { v.m.SetPlatform(p) }))
	}
	menuBelow(v.platform, items...)
}
