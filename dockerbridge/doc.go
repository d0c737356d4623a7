// Package dockerbridge is the little of Docker that Berth needs: which engine
// answers, which images it has, pushing one of them here and pulling one from
// here, with progress, and without leaving a trace in the engine.
//
// It is the only room that knows the docker client; none of its types leave.
// It may import registry, registry/driver (for its errors), registry/archive,
// registry/transfer, docker's client, and the config and context packages of
// docker's command line. Podman and everything else that speaks the same API
// works as well.
//
// Locks: an engine holds one lock per reference that it is pushing, so that
// two pushes cannot take each other's temporary tag for one of the user's.
package dockerbridge
