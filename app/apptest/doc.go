// Package apptest is an [app.Service] without a registry behind it, for the
// tests of the faces: window, tray, command line, control socket.
//
// A [Fake] holds sample data and behaves: what is deleted goes to its trash and
// comes back, a push starts a job that the test moves on, every change gives
// the notice that the real Service gives. Calls are recorded; any method can be
// made to fail or to hang. Time stands still at [Now] unless a clock is given.
//
// It may import app and the standard library. Lock: Fake.mu guards everything
// in it; it is never held while a test's function, or a watcher, runs, except
// for the function that is given to [Fake.Change].
package apptest
