// Package autoconfigtest is a kit for testing programs that follow an auto-configuration stream: a relay, or a client of
// your own. Server is a service that a test scripts, Recording is a stream that was saved and is served again, and Recorder
// is a handler that keeps the calls it gets.
//
// Where a function takes a testing.TB, nil is fine outside a test, in an Example for instance: a failure is
// then a panic, and closing things is up to you.
package autoconfigtest
