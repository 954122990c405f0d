// Package state holds the known configuration: it applies messages to it and yields the changes that they make. It does
// no I/O, logs nothing and reads no clock, since the time is passed in; so every rule about versions, deletions and keys
// is a row in a table test.
//
//	state.go    messages to changes
//	put.go      a put, which replaces everything
//	set.go      the known items of one kind, in the order of the last put
//	change.go   changes, and the outcome of a message
//	expiry.go   which key expires next
//
// Each environment is kept as the text that was received. Everything else is derived from that.
package state
