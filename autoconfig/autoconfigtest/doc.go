// Package autoconfigtest is a kit for testing what follows an auto-configuration stream: a relay, or a client of your
// own. Server is a service that a test scripts, Recording is a stream that was saved and is served again, and Recorder
// is a handler that keeps the calls it gets.
//
// Where a function takes a testing.TB, nil is fine outside a test, in an Example for instance: what would fail the
// test panics instead, and closing things is up to you.
package autoconfigtest
