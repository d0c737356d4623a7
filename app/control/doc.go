// Package control is [app.Service] over a local socket: how a second face, the
// command line or a window process, reaches the instance that runs.
//
// It speaks HTTP and JSON over a unix domain socket (Windows has them too): one
// POST /v1/<Method> for each method of the Service, the request as body, the
// reply or an [app.Problem] as answer; Watch answers with a JSON line for each
// notice. The socket lies in the data folder, or, where that path would be too
// long for a socket, in the user's runtime folder under a name made of the data
// folder's hash; only the same user can connect.
//
// Serving and dialling are each one generic function and one line per method. A
// test proves that no method is missing.
//
// It may import app and the standard library. It holds no lock of its own.
package control
