// Package cli is the command line: verbs over app.Service.
//
// A verb asks the running instance through its control socket; when none owns
// the data folder, the same Service is opened in this process for the length
// of the command. What the verbs need of the outside is in [Deps], which main
// fills in and tests replace, so the package may import app and below it, and
// no face beside it.
//
// Results go to standard output, everything else to standard error. With
// --json a result is one JSON document with absolute times and plain bytes,
// and a problem is one JSON document on standard error. Exit codes: 0 ok,
// 1 error, 2 usage, 3 not found, 4 conflict or locked, 5 engine unreachable.
//
// There are no locks: a command runs once, on one goroutine, and the progress
// bar is driven from it.
package cli
