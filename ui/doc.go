// Package ui starts the faces of a desktop: the window, written on Fyne, and the
// tray, which also runs without it. See [Run].
//
// The room holds what surrounds the pages: the window, its navigation, its keys,
// what is dropped on it, the clipboard and desktop notifications. All logic is
// in ui/model, all drawing of pages in ui/page. Everything is written against
// app.Service, so a window in the instance's process and one that is attached
// over the control socket are the same code.
//
// Only dispatch.go calls fyne.Do: models tell it from any goroutine that they
// changed, and it has their views drawn on the goroutine of the window, at most
// ten times a second each.
//
// With the build tag headless nothing of Fyne is linked, and [Run] answers
// [ErrHeadless].
package ui
