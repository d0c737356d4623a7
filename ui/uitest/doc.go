// Package uitest is for tests of the window: it draws widgets with the software
// renderer, without a display, and compares them with golden pictures.
//
// It is a test room: only tests import it. Fyne keeps one current app and one
// theme for the whole process, so tests that draw do not run in parallel.
package uitest
