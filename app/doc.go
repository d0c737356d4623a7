// Package app is Berth without a face: the use cases behind [Service], and the
// composition that makes a product of the rooms below.
//
// Window, tray, command line and control socket are four faces of one Service.
// Every method is func(context.Context, Request) (Reply, error), so a face does
// not know whether the Service lives in its own process. Requests and replies
// marshal to JSON; digests are strings here, sizes are bytes, and an error that
// a person may read is a [*Problem].
package app
