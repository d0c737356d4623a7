package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// Virtual is a list of rows of one height that makes only the rows one sees.
// A few rows may be taller: see Extra.
type Virtual struct {
	widget.BaseWidget
	// RowHeight is that of every row.
	RowHeight float32
	// Extra gives what row i needs below its RowHeight; nil means nothing. It is
	// asked for every row at each Refresh.
	Extra func(i int) float32
	// Count is how many rows there are.
	Count func() int
	// New makes a row; Update shows item i in it.
	New    func() fyne.CanvasObject
	Update func(i int, row fyne.CanvasObject)

	scroll *container.Scroll
	body   *virtualBody
	shown  map[int]fyne.CanvasObject
	free   []fyne.CanvasObject
	count  int
	tall   []tallRow
}

// tallRow is a row with Extra, in the order of the list.
type tallRow struct {
	index int
	extra float32
}

// NewVirtual makes a list; its fields may be set until it is first shown.
func NewVirtual(rowHeight float32, count func() int, create func() fyne.CanvasObject, update func(int, fyne.CanvasObject)) *Virtual {
	v := &Virtual{RowHeight: rowHeight, Count: count, New: create, Update: update, shown: map[int]fyne.CanvasObject{}}
	v.body = &virtualBody{v: v}
	v.body.ExtendBaseWidget(v.body)
	v.scroll = container.NewVScroll(v.body)
	v.scroll.OnScrolled = func(fyne.Position) { v.arrange(false) }
	v.ExtendBaseWidget(v)
	return v
}

// Height is that of all rows.
func (v *Virtual) Height() float32 { return v.offset(v.count) }

// offset is where row i begins.
func (v *Virtual) offset(i int) float32 {
	y := float32(i) * v.RowHeight
	for _, t := range v.tall {
		if t.index < i {
			y += t.extra
		}
	}
	return y
}

func (v *Virtual) heightOf(i int) float32 {
	for _, t := range v.tall {
		if t.index == i {
			return v.RowHeight + t.extra
		}
	}
	return v.RowHeight
}

// at is the row at a height, which may lie beyond the last.
func (v *Virtual) at(y float32) int {
	for _, t := range v.tall {
		begin := v.offset(t.index)
		if y < begin {
			break
		}
		if y < begin+v.RowHeight+t.extra {
			return t.index
		}
	}
	for _, t := range v.tall {
		if v.offset(t.index) < y {
			y -= t.extra
		}
	}
	return max(0, int(y/v.RowHeight))
}

// Refresh shows every visible row anew. The place it is scrolled to stays.
func (v *Virtual) Refresh() {
	v.measure()
	v.body.Resize(fyne.NewSize(v.scroll.Size().Width, max(v.Height(), v.scroll.Size().Height)))
	v.scroll.Refresh()
	v.arrange(true)
	v.body.Refresh()
}

// RefreshRow shows one row anew, if it can be seen.
func (v *Virtual) RefreshRow(i int) {
	if o, ok := v.shown[i]; ok {
		v.Update(i, o)
	}
}

func (v *Virtual) measure() {
	v.count = v.Count()
	v.tall = v.tall[:0]
	if v.Extra == nil {
		return
	}
	for i := range v.count {
		if e := v.Extra(i); e > 0 {
			v.tall = append(v.tall, tallRow{i, e})
		}
	}
}

// ScrollTo brings row i into sight with the least movement.
func (v *Virtual) ScrollTo(i int) {
	if i < 0 || i >= v.count {
		return
	}
	top, height := v.offset(i), v.heightOf(i)
	at, seen := v.scroll.Offset.Y, v.scroll.Size().Height
	switch {
	case seen <= 0:
		return
	case top < at:
		at = top
	case top+height > at+seen:
		at = top + height - seen
	default:
		return
	}
	v.scroll.ScrollToOffset(fyne.NewPos(0, at))
	v.arrange(false)
}

// Page is how many rows a page has, for Page Up and Page Down.
func (v *Virtual) Page() int { return max(1, int(v.scroll.Size().Height/v.RowHeight)-1) }

// arrange places the rows that can be seen; all shows each of them anew.
func (v *Virtual) arrange(all bool) {
	top, height, width := v.scroll.Offset.Y, v.scroll.Size().Height, v.scroll.Size().Width
	if height <= 0 || width <= 0 {
		return
	}
	first, last := v.at(top), min(v.count-1, v.at(top+height))
	for i, o := range v.shown {
		if i < first || i > last {
			o.Hide()
			v.free = append(v.free, o)
			delete(v.shown, i)
		}
	}
	objects := make([]fyne.CanvasObject, 0, max(0, last-first+1))
	for i := first; i <= last; i++ {
		o, ok := v.shown[i]
		if !ok {
			o = v.take()
			v.shown[i] = o
		}
		if !ok || all {
			v.Update(i, o)
		}
		o.Move(fyne.NewPos(0, v.offset(i)))
		o.Resize(fyne.NewSize(width, v.heightOf(i)))
		objects = append(objects, o)
	}
	v.body.objects = objects
}

func (v *Virtual) take() fyne.CanvasObject {
	if n := len(v.free); n > 0 {
		o := v.free[n-1]
		v.free = v.free[:n-1]
		o.Show()
		return o
	}
	return v.New()
}

// CreateRenderer is called by Fyne.
func (v *Virtual) CreateRenderer() fyne.WidgetRenderer {
	v.measure()
	return &virtualRenderer{v: v}
}

type virtualRenderer struct{ v *Virtual }

func (r *virtualRenderer) Layout(size fyne.Size) {
	r.v.scroll.Resize(size)
	r.v.arrange(false)
}
func (r *virtualRenderer) MinSize() fyne.Size           { return fyne.NewSize(40, r.v.RowHeight) }
func (r *virtualRenderer) Refresh()                     { r.v.Refresh() }
func (r *virtualRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.v.scroll} }
func (r *virtualRenderer) Destroy()                     {}

// virtualBody is what scrolls.
type virtualBody struct {
	widget.BaseWidget
	v       *Virtual
	objects []fyne.CanvasObject
}

// CreateRenderer is called by Fyne.
func (b *virtualBody) CreateRenderer() fyne.WidgetRenderer { return &bodyRenderer{b} }

type bodyRenderer struct{ b *virtualBody }

func (r *bodyRenderer) Layout(fyne.Size)             {}
func (r *bodyRenderer) MinSize() fyne.Size           { return fyne.NewSize(0, r.b.v.Height()) }
func (r *bodyRenderer) Objects() []fyne.CanvasObject { return r.b.objects }
func (r *bodyRenderer) Destroy()                     {}
func (r *bodyRenderer) Refresh()                     { canvas.Refresh(r.b) }
