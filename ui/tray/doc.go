// Package tray shows a [model.Tray] in the notification area of the desktop. It
// decides nothing: lines, words and icon come from the model, clicks go back to
// it.
//
// It is the only room that imports fyne.io/systray, which is one global per
// process; everything else here goes through the interface [Area], so that tests
// use a fake. It knows no Fyne: with berth --background it is all there is of a
// face.
//
// Its lock guards what is on the menu now; the area is called under it, so that
// two drawings never mix.
package tray
