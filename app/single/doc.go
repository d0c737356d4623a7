// Package single keeps one owner per data folder: two instances that swept or
// journalled the same files would lose images.
//
// The owner holds an advisory lock on <data>/berth/lock, which the system lets
// go when the process ends, however it ends. The file also tells, for people
// and for messages, who holds it. It may import the standard library and the
// lock library only, and holds no lock of its own beside the file's.
package single
