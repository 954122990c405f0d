// Package wire turns the events of the auto-configuration stream into messages, and items back into the data of events:
// the JSON and the paths of the protocol, both ways. It knows no rules: whether a message changes anything is up to
// package state.
//
//	put.go          a put, decoded while it arrives; put_steps.go has the steps
//	patch.go        patches and deletes
//	environment.go  an environment, from its text
//	cursor.go       walks through JSON text whose shape is known
//	path.go         paths
//	encode.go       the data of events, from texts
package wire
