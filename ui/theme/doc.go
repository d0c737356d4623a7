// Package theme is how Berth looks: colours, sizes, faces and icons, in dark
// and in light. Widgets ask it by name, never for a colour of their own, so that
// a change of theme is one Refresh.
//
// It imports assets, Fyne and nothing else of Berth. Its only state is a cache
// of icon resources behind a sync.Map; all functions are for the goroutine of
// the window.
package theme
