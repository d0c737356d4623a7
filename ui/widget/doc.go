// Package widget holds the widgets that Berth's pages share: buttons, the
// virtualised table, chips, bars, the snackbar, the states of a list. They draw
// what they are given and report what a person does; they decide nothing.
//
// It imports ui/theme, Fyne and fyne-tooltip. It has no locks: like all of
// Fyne, its widgets belong to the goroutine of the window.
//
// Colours are names of ui/theme, looked up in Refresh, so that every widget
// follows a change of theme. Widgets that stand in a row of a table are not
// hoverable themselves (Fyne tells only the topmost): they say what their
// tooltip is through [Tipper], and the row shows it.
package widget
