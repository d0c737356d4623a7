// Package fire tests the whole registry over HTTP while many clients are at it
// at once, and while it is closed and opened again under them.
//
// The stack is what the product serves: the HTTP chain, the API, the observer,
// the trash, the store with its index, and the filesystem driver, behind a real
// socket. Clients note when they asked and what was answered; the history of
// every tag, manifest and blob must then be linearizable, which package
// porcupine decides. At quiet moments everything is looked at: what was
// acknowledged is whole, and lists say exactly what is there.
//
// BERTH_FIRE=5m makes it burn for that long instead of three seconds, and
// BERTH_FIRE_SEED repeats what the clients chose:
//
//	BERTH_FIRE=5m go test -race -run Fire ./registry/registrytest/fire
//
// Imports: everything of the registry. It is a test room. Locks: history.mu
// guards what clients noted, stack.mu the parts that a restart replaces.
package fire
