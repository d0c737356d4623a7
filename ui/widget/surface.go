package widget

import (
	"image/color"

	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

var noColor = color.Transparent

// hollow is the fill of a shape that is only an outline: the colour of the line,
// as good as transparent. OpenGL mixes the two along the inner edge, and a
// transparent black would make it grey.
func hollow(stroke color.Color) color.Color {
	c := color.NRGBAModel.Convert(stroke).(color.NRGBA)
	c.A = 1
	return c
}

// Surface is a coloured area with something on it: a card, a panel, a field.
type Surface struct {
	widget.BaseWidget
	Fill   fyne.ThemeColorName // empty means none
	Stroke fyne.ThemeColorName // empty means none
	Radius float32
	Shadow bool
	// Content lies on it; the surface adds no padding.
	Content fyne.CanvasObject
}

// NewSurface makes an area without a border.
func NewSurface(fill fyne.ThemeColorName, radius float32, content fyne.CanvasObject) *Surface {
	s := &Surface{Fill: fill, Radius: radius, Content: content}
	s.ExtendBaseWidget(s)
	return s
}

// NewCard makes a panel with a hair line around it.
func NewCard(content fyne.CanvasObject) *Surface {
	s := &Surface{Fill: theme.Panel, Stroke: theme.Line, Radius: theme.RadiusCard, Content: content}
	s.ExtendBaseWidget(s)
	return s
}

// CreateRenderer is called by Fyne.
func (s *Surface) CreateRenderer() fyne.WidgetRenderer {
	r := &surfaceRenderer{s: s, area: canvas.NewRectangle(noColor)}
	r.paint()
	return r
}

type surfaceRenderer struct {
	s    *Surface
	area *canvas.Rectangle
}

func (r *surfaceRenderer) paint() {
	r.area.FillColor, r.area.StrokeColor, r.area.StrokeWidth = noColor, noColor, 0
	if r.s.Fill != "" {
		r.area.FillColor = theme.Of(r.s.Fill)
	}
	if r.s.Stroke != "" {
		r.area.StrokeColor, r.area.StrokeWidth = theme.Of(r.s.Stroke), theme.Hairline
	}
	if r.s.Shadow {
		r.area.Shadow = canvas.Shadow{Color: theme.Of(theme.Shade), BlurRadius: 16, Offset: fyne.NewPos(0, 4)}
	}
	r.area.CornerRadius = r.s.Radius
}

func (r *surfaceRenderer) Layout(size fyne.Size) {
	r.area.Resize(size)
	if r.s.Content != nil {
		r.s.Content.Resize(size)
	}
}

func (r *surfaceRenderer) MinSize() fyne.Size {
	if r.s.Content == nil {
		return fyne.NewSize(1, 1)
	}
	return r.s.Content.MinSize()
}

func (r *surfaceRenderer) Refresh() {
	r.paint()
	r.area.Refresh()
	if r.s.Content != nil {
		r.Layout(r.s.Size())
		r.s.Content.Refresh()
	}
}

func (r *surfaceRenderer) Objects() []fyne.CanvasObject {
	if r.s.Content == nil {
		return []fyne.CanvasObject{r.area}
	}
	return []fyne.CanvasObject{r.area, r.s.Content}
}

func (r *surfaceRenderer) Destroy() {}

// NewLine makes a horizontal hair line.
func NewLine() *Surface {
	return NewSurface(theme.Line, 0, nil)
}

// Icon is a picture in a colour of the theme.
type Icon struct {
	widget.BaseWidget
	icon  theme.Icon
	color fyne.ThemeColorName
	size  float32
}

// NewIcon makes an icon of theme.IconSize.
func NewIcon(i theme.Icon, color fyne.ThemeColorName) *Icon {
	return NewSizedIcon(i, color, theme.IconSize)
}

// NewSizedIcon makes an icon.
func NewSizedIcon(i theme.Icon, color fyne.ThemeColorName, size float32) *Icon {
	ic := &Icon{icon: i, color: color, size: size}
	ic.ExtendBaseWidget(ic)
	return ic
}

// Set changes picture and colour.
func (i *Icon) Set(icon theme.Icon, color fyne.ThemeColorName) {
	if i.icon != icon || i.color != color {
		i.icon, i.color = icon, color
		i.Refresh()
	}
}

// CreateRenderer is called by Fyne.
func (i *Icon) CreateRenderer() fyne.WidgetRenderer {
	img := canvas.NewImageFromResource(i.icon.Resource(i.color))
	img.FillMode = canvas.ImageFillContain
	img.SetMinSize(fyne.NewSquareSize(i.size))
	return &iconRenderer{i: i, img: img}
}

type iconRenderer struct {
	i   *Icon
	img *canvas.Image
}

func (r *iconRenderer) Layout(size fyne.Size) {
	s := fyne.NewSquareSize(r.i.size)
	r.img.Move(fyne.NewPos(round((size.Width-s.Width)/2), round((size.Height-s.Height)/2)))
	r.img.Resize(s)
}

func (r *iconRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(r.i.size) }

func (r *iconRenderer) Refresh() {
	r.img.Resource = r.i.icon.Resource(r.i.color)
	r.img.Refresh()
}

func (r *iconRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.img} }
func (r *iconRenderer) Destroy()                     {}

// Dot is a small filled circle: the colour of a state.
type Dot struct {
	widget.BaseWidget
	color fyne.ThemeColorName
}

// NewDot makes a dot.
func NewDot(color fyne.ThemeColorName) *Dot {
	d := &Dot{color: color}
	d.ExtendBaseWidget(d)
	return d
}

// Set changes the colour.
func (d *Dot) Set(color fyne.ThemeColorName) {
	if d.color != color {
		d.color = color
		d.Refresh()
	}
}

// CreateRenderer is called by Fyne.
func (d *Dot) CreateRenderer() fyne.WidgetRenderer {
	return &dotRenderer{d: d, c: canvas.NewCircle(theme.Of(d.color))}
}

type dotRenderer struct {
	d *Dot
	c *canvas.Circle
}

func (r *dotRenderer) Layout(size fyne.Size) {
	r.c.Move(fyne.NewPos((size.Width-8)/2, (size.Height-8)/2))
	r.c.Resize(fyne.NewSquareSize(8))
}
func (r *dotRenderer) MinSize() fyne.Size           { return fyne.NewSquareSize(8) }
func (r *dotRenderer) Refresh()                     { r.c.FillColor = theme.Of(r.d.color); r.c.Refresh() }
func (r *dotRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.c} }
func (r *dotRenderer) Destroy()                     {}
