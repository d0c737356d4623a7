// Package e2e tests the built programs from outside: the headless registry
// with every client that people use, and the window on a real desktop with a
// real Docker Engine.
//
// The tests have the build tag e2e and are run by make test, which installs
// what they need. They start a Docker Engine, a containerd and a display of
// their own, in temporary folders, and end them. Nothing here is imported by
// anything.
package e2e
