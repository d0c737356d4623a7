// Package careful is the filesystem driver's company in two accidents of its
// disk.
//
// The folder is taken away, or the disk that holds it is unplugged: what is
// asked for then is not missing, the storage is ([driver.ErrGone]), and nothing
// is made in the place where it was. When it is back, all goes on.
//
// The disk is full: a small file is kept in reserve, and given up for what
// makes room, or notes in Berth's own folder how to undo that. So things can be
// deleted from a full disk. Until there is room to make it again, what pushes
// bring is refused ([driver.ErrNoSpace]), so that they do not eat it.
//
// Imports: registry/driver. Locks: Driver.making, held while the reserve is made
// or given up, and Driver.mu; neither is taken while the other is held.
package careful
