// Package page holds one widget tree for each model of ui/model: a page asks
// its model for a state, draws what changed, and reports what a person does. It
// decides nothing; what only the drawing needs, such as which cell is being
// edited, is all it remembers.
//
// A page has New (makes the widgets), Refresh (fetches the state and shows it)
// and Object (what stands in the window). Refresh belongs to the goroutine of
// the window: whoever subscribes a page to its model brings it there. Pages
// never start goroutines and have no locks.
//
// It imports ui/model, ui/widget, ui/theme and Fyne.
package page
