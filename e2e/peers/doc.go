//go:build linux

// Command peers measures Berth and other registries side by side, and writes
// the table of docs/performance.md. It is run by make bench-peers.
//
// Every server is a process of its own with a data folder of its own, filled
// with the same content. A workload runs in rounds that alternate between the
// servers, so that whatever else the machine does hits all of them alike. The
// limits, which do no more than any server must, live in this program and run
// as a process of their own: it starts itself again.
//
// The load comes from raw sockets with requests made beforehand, since on a
// machine of two cores a convenient client would measure itself. Nothing is
// asserted about time: the program reports, and -check compares with the goals.
//
// It reads /proc, so it runs on Linux only. It may import nothing of Berth: it
// knows the registry by its address and by the classic layout on the disk.
package main
