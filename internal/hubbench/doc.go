// Command hubbench measures package hub next to a hub written by hand and to a bare loop of writes:
//
//	scripts/hubbench
//
// The relays are in this process; the hub is in another one, so that its CPU time and its memory are its own. They are
// connected by real sockets on loopback. See docs/performance.md for the figures.
package main
